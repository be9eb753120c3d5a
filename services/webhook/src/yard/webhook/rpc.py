# ruff: noqa: N802 - methods are named as in the proto
"""WebhookService: proto in, proto out."""

from typing import Any

from frameyard.webhook.v1 import webhook_service_pb2 as messages
from frameyard.webhook.v1 import webhook_service_pb2_grpc
from yard.webhook.domain import EVENTS
from yard.webhook.handlers import hooks, log
from yard.webhook.handlers.context import Webhooks

WEBHOOK_SERVICE = messages.DESCRIPTOR.services_by_name["WebhookService"].full_name


class WebhookServicer(webhook_service_pb2_grpc.WebhookServiceServicer):
    """Webhooks and their deliveries over gRPC."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    async def CreateWebhook(
        self, request: messages.CreateWebhookRequest, context: Any
    ) -> messages.CreateWebhookResponse:
        """Makes one."""
        return await hooks.create_hook(self._webhooks, request, _authorization(context))

    async def GetWebhook(
        self, request: messages.GetWebhookRequest, context: Any
    ) -> messages.GetWebhookResponse:
        """Reads one."""
        return await hooks.get_hook(self._webhooks, request, _authorization(context))

    async def ListWebhooks(
        self, request: messages.ListWebhooksRequest, context: Any
    ) -> messages.ListWebhooksResponse:
        """Reads a page."""
        return await hooks.list_hooks(self._webhooks, request)

    async def UpdateWebhook(
        self, request: messages.UpdateWebhookRequest, context: Any
    ) -> messages.UpdateWebhookResponse:
        """Changes one."""
        return await hooks.update_hook(self._webhooks, request, _authorization(context))

    async def DeleteWebhook(
        self, request: messages.DeleteWebhookRequest, context: Any
    ) -> messages.DeleteWebhookResponse:
        """Deletes one."""
        return await hooks.delete_hook(self._webhooks, request, _authorization(context))

    async def PingWebhook(
        self, request: messages.PingWebhookRequest, context: Any
    ) -> messages.PingWebhookResponse:
        """Tries one."""
        return await log.ping(self._webhooks, request, _authorization(context))

    async def ListWebhookEvents(
        self, request: messages.ListWebhookEventsRequest, context: Any
    ) -> messages.ListWebhookEventsResponse:
        """What there is."""
        return messages.ListWebhookEventsResponse(events=EVENTS)

    async def GetDelivery(
        self, request: messages.GetDeliveryRequest, context: Any
    ) -> messages.GetDeliveryResponse:
        """Reads a delivery."""
        return await log.get_delivery(self._webhooks, request, _authorization(context))

    async def ListDeliveries(
        self, request: messages.ListDeliveriesRequest, context: Any
    ) -> messages.ListDeliveriesResponse:
        """Reads a page of the log."""
        return await log.list_deliveries(self._webhooks, request, _authorization(context))

    async def RedeliverDelivery(
        self, request: messages.RedeliverDeliveryRequest, context: Any
    ) -> messages.RedeliverDeliveryResponse:
        """Sends once more."""
        return await log.redeliver(self._webhooks, request, _authorization(context))


def _authorization(context: Any) -> str:
    """The caller's own header, with which its rights are asked for."""
    return str(dict(context.invocation_metadata() or ()).get("authorization", ""))
