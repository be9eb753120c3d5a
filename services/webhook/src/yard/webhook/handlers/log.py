"""The log of deliveries: reading it, sending once more, and pings."""

from uuid import UUID

from frameyard.webhook.v1 import webhook_service_pb2 as messages
from yard.runtime import auth, clock, errors, paging
from yard.webhook.domain import KEPT, PING, Delivery, Hook, Person
from yard.webhook.handlers import sending
from yard.webhook.handlers.access import own_hook
from yard.webhook.handlers.bodies import ping_body
from yard.webhook.handlers.context import LEASE, Webhooks
from yard.webhook.handlers.messages import delivery_to_proto
from yard.webhook.store import deliveries as store
from yard.webhook.store import hooks, queue
from yard.webhook.store.queue import Claimed

AT_ONCE = 1_000


async def ping(
    webhooks: Webhooks, request: messages.PingWebhookRequest, authorization: str
) -> messages.PingWebhookResponse:
    """Sends a ping and waits for what comes of it; it is not tried again."""
    hook = await own_hook(webhooks, authorization, request.id)
    caller = auth.current()
    body = ping_body(hook, Person(id=caller.user_id, username=caller.username))
    claimed = await _claim_new(webhooks, hook, body)
    outcome = await sending.send(webhooks, claimed, body)
    await sending.note(webhooks, claimed, outcome)
    delivery = await _known(webhooks, hook.id, claimed.delivery.id)
    return messages.PingWebhookResponse(delivery=delivery_to_proto(delivery, with_body=True))


async def get_delivery(
    webhooks: Webhooks, request: messages.GetDeliveryRequest, authorization: str
) -> messages.GetDeliveryResponse:
    """Reads a delivery with its body, which is empty until it is tried."""
    await own_hook(webhooks, authorization, request.webhook_id)
    delivery = await _known(webhooks, request.webhook_id, _id_of(request.id))
    return messages.GetDeliveryResponse(delivery=delivery_to_proto(delivery, with_body=True))


async def list_deliveries(
    webhooks: Webhooks, request: messages.ListDeliveriesRequest, authorization: str
) -> messages.ListDeliveriesResponse:
    """One page, newest first."""
    errors.refuse(paging.violations(request))
    size = paging.size(request.page_size)
    await own_hook(webhooks, authorization, request.webhook_id)
    found = await store.page(
        webhooks.db, request.webhook_id, before=_before(request), skip=request.skip, limit=size + 1
    )
    more = len(found) > size
    return messages.ListDeliveriesResponse(
        deliveries=map(delivery_to_proto, found[:size]),
        next_page_token=paging.encode([str(found[size - 1].id)], request) if more else "",
        total_size=await store.count(webhooks.db, request.webhook_id) if request.with_total_size else 0,
    )


async def redeliver(
    webhooks: Webhooks, request: messages.RedeliverDeliveryRequest, authorization: str
) -> messages.RedeliverDeliveryResponse:
    """Sends the same body once more, as a delivery of its own; FailedPrecondition where that cannot be."""
    hook = await own_hook(webhooks, authorization, request.webhook_id)
    old = await _known(webhooks, hook.id, _id_of(request.id))
    if not hook.is_active:
        raise errors.FailedPrecondition(f"webhook {hook.id} is not active", reason="WEBHOOK_NOT_ACTIVE")
    if old.body is None:
        raise errors.FailedPrecondition(
            f"delivery {old.id} has not been tried yet", reason="DELIVERY_NOT_TRIED"
        )
    async with webhooks.db.transaction() as tx:
        new = await store.insert_body(
            tx, hook_id=hook.id, event=old.event, body=old.body, now=clock.now(), redelivery_of=old.id
        )
    delivery = await _known(webhooks, hook.id, new)
    return messages.RedeliverDeliveryResponse(delivery=delivery_to_proto(delivery, with_body=True))


async def purge(webhooks: Webhooks) -> int:
    """Removes what is past its time, and what deleted webhooks have left; returns how many deliveries."""
    total = 0
    while removed := await store.delete_older(webhooks.db, clock.now() - KEPT, AT_ONCE):
        total += removed
    while ids := await hooks.hidden(webhooks.db, AT_ONCE):
        for hook_id in ids:
            while removed := await store.delete_of(webhooks.db, hook_id, AT_ONCE):
                total += removed
            await hooks.forget(webhooks.db, hook_id)
    return total


async def _claim_new(webhooks: Webhooks, hook: Hook, body: str) -> Claimed:
    """A ping that nobody else takes while we send it."""
    now = clock.now()
    async with webhooks.db.transaction() as tx:
        new = await store.insert_body(tx, hook_id=hook.id, event=PING, body=body, now=now)
        epoch = await queue.claim_one(tx, new, until=now + LEASE)
        delivery = await store.delivery_of(tx, hook.id, new)
        assert delivery is not None
    return Claimed(
        delivery=delivery,
        epoch=epoch,
        url=hook.url,
        secret=hook.secret,
        verify_tls=hook.verify_tls,
        is_failing=False,
    )


async def _known(webhooks: Webhooks, hook_id: int, delivery_id: UUID) -> Delivery:
    delivery = await store.delivery_of(webhooks.db, hook_id, delivery_id)
    if delivery is None:
        raise errors.NotFound("delivery", delivery_id)
    return delivery


def _id_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise errors.NotFound("delivery", text[:64]) from None


def _before(request: messages.ListDeliveriesRequest) -> UUID | None:
    text = paging.decode_text(request.page_token, request)
    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise paging.foreign_token() from None
