"""Webhooks and deliveries as messages."""

from datetime import datetime

from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.webhook.v1 import webhook_service_pb2 as messages
from google.protobuf.timestamp_pb2 import Timestamp
from yard.webhook.domain import Delivery, Hook

_STATES = {
    "pending": messages.DELIVERY_STATE_PENDING,
    "delivered": messages.DELIVERY_STATE_DELIVERED,
    "failed": messages.DELIVERY_STATE_FAILED,
}


def hook_to_proto(hook: Hook) -> messages.Webhook:
    """A webhook; its secret stays here."""
    return messages.Webhook(
        id=hook.id,
        url=hook.url,
        description=hook.description,
        project_id=hook.project_id,
        events=hook.events,
        has_secret=hook.secret is not None,
        verify_tls=hook.verify_tls,
        is_active=hook.is_active,
        owner=PersonRef(id=hook.owner.id, username=hook.owner.username),
        create_time=_timestamp(hook.created_at),
        update_time=_timestamp(hook.updated_at),
        last_status=hook.last_status,
        last_delivery_time=_timestamp(hook.last_attempt_at),
    )


def delivery_to_proto(delivery: Delivery, *, with_body: bool = False) -> messages.Delivery:
    """A delivery."""
    return messages.Delivery(
        id=str(delivery.id),
        webhook_id=delivery.hook_id,
        event=delivery.event,
        state=_STATES[delivery.state],
        attempts=delivery.attempts,
        last_status=delivery.last_status,
        last_answer=delivery.last_answer,
        body=(delivery.body or "") if with_body else "",
        create_time=_timestamp(delivery.created_at),
        last_attempt_time=_timestamp(delivery.last_attempt_at),
        next_attempt_time=_timestamp(delivery.next_attempt_at),
        redelivery_of=str(delivery.redelivery_of or ""),
    )


def _timestamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    message = Timestamp()
    message.FromDatetime(moment)
    return message
