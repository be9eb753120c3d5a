"""How the methods of webhook are called: by method and case."""

from typing import Final

from frameyard.webhook.v1 import webhook_service_pb2 as webhook
from google.protobuf.field_mask_pb2 import FieldMask

from tests.rights import parts
from tests.rights.calling import Call

_CASE: Final = "made by another user"
_PARTS: Final = (parts.webhook,)

WEBHOOK_CALLS: Final = {
    ("webhook.v1.WebhookService/CreateWebhook", ""): Call(
        request=lambda scene: webhook.CreateWebhookRequest(
            webhook=webhook.Webhook(
                url="http://127.0.0.1/", project_id=scene.project, events=["delete:project"]
            )
        )
    ),
    ("webhook.v1.WebhookService/GetWebhook", _CASE): Call(
        request=lambda scene: webhook.GetWebhookRequest(id=scene.webhook), parts=_PARTS
    ),
    ("webhook.v1.WebhookService/ListWebhooks", _CASE): Call(
        request=lambda scene: webhook.ListWebhooksRequest(project_id=scene.project),
        shows=lambda found, scene: any(each.id == scene.webhook for each in found.webhooks),
        has_target=False,
        parts=_PARTS,
    ),
    ("webhook.v1.WebhookService/UpdateWebhook", _CASE): Call(
        request=lambda scene: webhook.UpdateWebhookRequest(
            webhook=webhook.Webhook(id=scene.webhook, description="x"),
            update_mask=FieldMask(paths=["description"]),
        ),
        parts=_PARTS,
    ),
    ("webhook.v1.WebhookService/DeleteWebhook", _CASE): Call(
        request=lambda scene: webhook.DeleteWebhookRequest(id=scene.webhook), parts=_PARTS
    ),
    ("webhook.v1.WebhookService/PingWebhook", _CASE): Call(
        request=lambda scene: webhook.PingWebhookRequest(id=scene.webhook), parts=_PARTS
    ),
    ("webhook.v1.WebhookService/ListWebhookEvents", ""): Call(
        request=lambda _: webhook.ListWebhookEventsRequest(), has_target=False
    ),
    ("webhook.v1.WebhookService/GetDelivery", _CASE): Call(
        request=lambda scene: webhook.GetDeliveryRequest(webhook_id=scene.webhook, id=scene.delivery),
        parts=_PARTS,
    ),
    ("webhook.v1.WebhookService/ListDeliveries", _CASE): Call(
        request=lambda scene: webhook.ListDeliveriesRequest(webhook_id=scene.webhook), parts=_PARTS
    ),
    ("webhook.v1.WebhookService/RedeliverDelivery", _CASE): Call(
        request=lambda scene: webhook.RedeliverDeliveryRequest(webhook_id=scene.webhook, id=scene.delivery),
        parts=_PARTS,
    ),
}
