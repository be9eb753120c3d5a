"""Webhooks: what happens in projects, sent to addresses outside."""

from typing import TYPE_CHECKING, Annotated, Final, Literal

from fastapi import APIRouter, Body, Path, Query, Response
from frameyard.webhook.v1 import webhook_service_pb2
from yard.gateway.cvat.faults import told
from yard.gateway.cvat.fields import WEBHOOKS
from yard.gateway.cvat.matching import selected
from yard.gateway.cvat.numbers import LARGEST_ID
from yard.gateway.cvat.queries import WebhookQuery, asked
from yard.gateway.cvat.webhooks import (
    FIELDS,
    DeliveryRead,
    EventsRead,
    WebhookPatch,
    WebhookRead,
    WebhookWrite,
    delivery_name,
    delivery_read,
    event_read,
    new_webhook,
    values_of,
    webhook_changes,
    webhook_read,
)
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Page, Paged
from yard.gateway.upstream.caller import Caller

if TYPE_CHECKING:
    from frameyard.webhook.v1.webhook_service_pb2_grpc import WebhookServiceAsyncStub

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

# Hooks can name many events: a page of more might not fit into a message.
PAGE: Final = 100
MOST_LOOKED_AT: Final = 10_000

WebhookId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Id of the webhook.")]
DeliveryId = Annotated[str, Path(max_length=64, description="Id of the delivery: its number or its UUID.")]


@router.get("", response_model_exclude_unset=True)
async def list_webhooks(
    caller: Calling, paging: Paged, query: Annotated[WebhookQuery, Query()]
) -> Page[WebhookRead]:
    """Lists webhooks, newest first unless told; conditions and orders are of the newest 10,000."""
    wanted = asked(query, WEBHOOKS, aside={"project_id"})
    is_plain = wanted["filter"] is None and query.sort.strip() in ("", "-id")
    if is_plain:
        request = webhook_service_pb2.ListWebhooksRequest(
            page_size=paging.size, skip=paging.skip, with_total_size=True, project_id=query.project_id or 0
        )
        answer = await caller.call(_stub(caller).ListWebhooks, request)
        found, total = list(answer.webhooks), answer.total_size
    else:
        hooks = await _newest(caller, query.project_id or 0)
        matching = selected(hooks, values_of, condition=wanted["filter"], keys=wanted["sort"])
        found, total = matching[paging.skip :][: paging.size], len(matching)
    return paging.page([webhook_read(hook, caller.base_url) for hook in found], total)


@router.post("", status_code=201, response_model_exclude_unset=True)
async def create_webhook(caller: Calling, body: Annotated[WebhookWrite, Body()]) -> WebhookRead:
    """Makes a webhook of a project."""
    with told(FIELDS):
        answer = await caller.call(_stub(caller).CreateWebhook, new_webhook(body))
    return webhook_read(answer.webhook, caller.base_url)


@router.get("/events")
async def list_webhook_events(
    caller: Calling,
    kind: Annotated[
        Literal["project", "organization", "server", "all"], Query(alias="type", description="Of what.")
    ] = "all",
) -> EventsRead:
    """Lists the events that can be chosen; all of them are of projects."""
    request = webhook_service_pb2.ListWebhookEventsRequest()
    events = (await caller.call(_stub(caller).ListWebhookEvents, request)).events
    chosen = [event_read(key) for key in events] if kind in ("project", "all") else []
    return EventsRead(webhook_type=kind, events=chosen)


@router.get("/{webhook_id}", response_model_exclude_unset=True)
async def read_webhook(caller: Calling, webhook_id: WebhookId) -> WebhookRead:
    """Reads a webhook."""
    return webhook_read(await _hook(caller, webhook_id), caller.base_url)


@router.patch("/{webhook_id}", response_model_exclude_unset=True)
async def change_webhook(
    caller: Calling, webhook_id: WebhookId, body: Annotated[WebhookPatch, Body()]
) -> WebhookRead:
    """Changes a webhook; what is not given stays."""
    hook = await _hook(caller, webhook_id)
    changes = webhook_changes(hook, body)
    if changes is not None:
        with told(FIELDS):
            hook = (await caller.call(_stub(caller).UpdateWebhook, changes)).webhook
    return webhook_read(hook, caller.base_url)


@router.put("/{webhook_id}", response_model_exclude_unset=True)
async def replace_webhook(
    caller: Calling, webhook_id: WebhookId, body: Annotated[WebhookWrite, Body()]
) -> WebhookRead:
    """Changes all of a webhook; a secret that is not given stays."""
    written = body.model_dump(exclude=set() if "secret" in body.model_fields_set else {"secret"})
    return await change_webhook(caller, webhook_id, WebhookPatch(**written))


@router.delete("/{webhook_id}", status_code=204)
async def delete_webhook(caller: Calling, webhook_id: WebhookId) -> Response:
    """Deletes a webhook with its log."""
    request = webhook_service_pb2.DeleteWebhookRequest(id=webhook_id)
    await caller.call(_stub(caller).DeleteWebhook, request)
    return Response(status_code=204)


@router.post("/{webhook_id}/ping")
async def ping_webhook(caller: Calling, webhook_id: WebhookId) -> DeliveryRead:
    """Sends a ping now, and tells what was answered."""
    request = webhook_service_pb2.PingWebhookRequest(id=webhook_id)
    return delivery_read((await caller.call(_stub(caller).PingWebhook, request)).delivery)


@router.get("/{webhook_id}/deliveries")
async def list_deliveries(caller: Calling, paging: Paged, webhook_id: WebhookId) -> Page[DeliveryRead]:
    """Lists deliveries of 30 days, newest first, without their bodies."""
    request = webhook_service_pb2.ListDeliveriesRequest(
        webhook_id=webhook_id, page_size=paging.size, skip=paging.skip, with_total_size=True
    )
    answer = await caller.call(_stub(caller).ListDeliveries, request)
    return paging.page([delivery_read(delivery) for delivery in answer.deliveries], answer.total_size)


@router.get("/{webhook_id}/deliveries/{delivery_id}")
async def read_delivery(caller: Calling, webhook_id: WebhookId, delivery_id: DeliveryId) -> DeliveryRead:
    """Reads a delivery with its body."""
    request = webhook_service_pb2.GetDeliveryRequest(webhook_id=webhook_id, id=delivery_name(delivery_id))
    return delivery_read((await caller.call(_stub(caller).GetDelivery, request)).delivery)


@router.post("/{webhook_id}/deliveries/{delivery_id}/redelivery")
async def redeliver(caller: Calling, webhook_id: WebhookId, delivery_id: DeliveryId) -> DeliveryRead:
    """Sends the body of a delivery again, and answers the new delivery."""
    name = delivery_name(delivery_id)
    request = webhook_service_pb2.RedeliverDeliveryRequest(webhook_id=webhook_id, id=name)
    return delivery_read((await caller.call(_stub(caller).RedeliverDelivery, request)).delivery)


async def _newest(caller: Caller, project_id: int) -> list[webhook_service_pb2.Webhook]:
    """Webhooks that the caller sees, in pages until there are enough."""
    found: list[webhook_service_pb2.Webhook] = []
    token = ""
    while len(found) < MOST_LOOKED_AT:
        request = webhook_service_pb2.ListWebhooksRequest(
            page_size=PAGE, page_token=token, project_id=project_id
        )
        answer = await caller.call(_stub(caller).ListWebhooks, request)
        found += answer.webhooks
        token = answer.next_page_token
        if not token:
            break
    return found


async def _hook(caller: Caller, webhook_id: int) -> webhook_service_pb2.Webhook:
    request = webhook_service_pb2.GetWebhookRequest(id=webhook_id)
    return (await caller.call(_stub(caller).GetWebhook, request)).webhook


def _stub(caller: Caller) -> "WebhookServiceAsyncStub":
    return caller.needs(caller.services.webhooks, "webhooks")
