"""One try: a body goes out, and what came of it is noted."""

from typing import Final

from yard.runtime import clock, errors
from yard.runtime.egress import RemoteUrl
from yard.webhook import keys
from yard.webhook.domain import SHOWN_ANSWER, Delivery, Outcome, next_attempt, shown_answer, signature
from yard.webhook.handlers.context import Webhooks
from yard.webhook.store import hooks, queue
from yard.webhook.store.queue import Claimed

USER_AGENT: Final = "frameyard-webhook/1"


async def send(webhooks: Webhooks, claimed: Claimed, body: str) -> Outcome:
    """What the receiver has said, or why nobody has said anything."""
    delivery, content = claimed.delivery, body.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-Frameyard-Delivery": str(delivery.id),
        "X-Frameyard-Event": delivery.event,
    }
    try:
        secret = keys.opened(webhooks.secrets, delivery.hook_id, claimed.secret)
        if secret:
            headers["X-Signature-256"] = signature(secret, content)
        reply = await webhooks.posting.post(
            RemoteUrl.parse(claimed.url), content, headers, verify_tls=claimed.verify_tls
        )
    except (errors.FailedPrecondition, errors.Unavailable) as fault:
        return Outcome(status=0, answer=fault.message[:SHOWN_ANSWER])
    return Outcome(status=reply.status, answer=shown_answer(reply.body))


async def note(webhooks: Webhooks, claimed: Claimed, outcome: Outcome) -> None:
    """Keeps what came of a try, and when there will be another; nothing if the lease was lost."""
    tried: Delivery = claimed.delivery
    now = clock.now()
    again_at = next_attempt(
        tried, outcome, now, first_pause_s=webhooks.runtime.settings.delivery_first_pause_s
    )
    async with webhooks.db.transaction() as tx:
        if await queue.settle(tx, tried, claimed.epoch, outcome, now=now, again_at=again_at):
            is_failing = not outcome.is_delivered
            await hooks.note_attempt(tx, tried.hook_id, status=outcome.status, is_failing=is_failing, now=now)
