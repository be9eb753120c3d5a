"""What is due is sent, behind the scenes, as much at a time as the operator allows."""

import asyncio
from datetime import timedelta
from typing import Final

from yard.runtime import clock, errors, telemetry
from yard.runtime.pauses import until_any
from yard.webhook.domain import Fact
from yard.webhook.handlers import sending
from yard.webhook.handlers.bodies import body_of
from yard.webhook.handlers.context import LEASE, Webhooks
from yard.webhook.store import deliveries, queue
from yard.webhook.store.queue import Claimed, Room

# Between two looks for what has become due by itself.
LOOK_EVERY_S: Final = 1.0
# Until a body is made anew that could not be made because task was away.
BODY_PAUSE: Final = timedelta(seconds=5)
BODY_TIMEOUT_S: Final = 30.0

_log = telemetry.log(__name__)


class Deliverer:
    """Takes deliveries under a lease and sends them; one a replica."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks
        self._running: dict[asyncio.Task[None], Claimed] = {}
        self._freed = asyncio.Event()

    async def run(self) -> None:
        """For ever; what is under way when it is ended is given back, to be tried again."""
        try:
            async with self._webhooks.db.signals.listening(deliveries.DUE) as due:
                while True:
                    due.clear()
                    self._freed.clear()
                    await self._look()
                    await until_any(due, self._freed, timeout_s=LOOK_EVERY_S)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _look(self) -> None:
        room = self._room()
        if room.free <= 0:
            return
        try:
            now = clock.now()
            async with self._webhooks.db.transaction() as tx:
                claimed = await queue.claim(tx, room, now=now, until=now + LEASE)
        except (errors.Unavailable, errors.Conflict) as fault:
            _log.warning("deliveries_not_claimed", reason=fault.reason)
            return
        for one in claimed:
            task = asyncio.create_task(self._deliver(one), name=f"delivery {one.delivery.id}")
            self._running[task] = one
            task.add_done_callback(self._done)

    def _room(self) -> Room:
        settings = self._webhooks.runtime.settings
        failing = sum(one.is_failing for one in self._running.values())
        return Room(
            free=settings.delivery_concurrency - len(self._running),
            free_for_failing=max(1, settings.delivery_concurrency // 2) - failing,
            for_host=settings.delivery_host_concurrency,
        )

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._freed.set()

    async def _deliver(self, claimed: Claimed) -> None:
        """Sends one, or gives it back for later; a crash leaves it to the end of the lease."""
        try:
            body = await self._body(claimed)
            outcome = await sending.send(self._webhooks, claimed, body)
            await sending.note(self._webhooks, claimed, outcome)
        except asyncio.CancelledError:
            await self._put_back(claimed, timedelta())
            raise
        except (errors.YardError, TimeoutError) as fault:
            # Nothing has been sent, or nobody could note it: that is no fault of the receiver.
            _log.warning("delivery_postponed", delivery_id=str(claimed.delivery.id), error=repr(fault))
            await self._put_back(claimed, BODY_PAUSE)
        except Exception as fault:  # noqa: BLE001 - the boundary of a task that nobody awaits
            _log.error("delivery_crashed", delivery_id=str(claimed.delivery.id), exc_info=fault)

    async def _body(self, claimed: Claimed) -> str:
        delivery = claimed.delivery
        if delivery.body is not None:
            return delivery.body
        stored = await deliveries.fact_of(self._webhooks.db, delivery.id)
        if stored is None:
            raise errors.Conflict(f"delivery {delivery.id} is gone, or has a body by now")
        async with asyncio.timeout(BODY_TIMEOUT_S):
            fact = Fact.from_json(stored)
            body = await body_of(self._webhooks, delivery.hook_id, delivery.event, fact)
        return await deliveries.keep_body(self._webhooks.db, delivery.id, body)

    async def _put_back(self, claimed: Claimed, pause: timedelta) -> None:
        delivery = claimed.delivery
        try:
            due_at = clock.now() + pause
            await queue.put_back(self._webhooks.db, delivery.id, claimed.epoch, due_at)
        except errors.YardError as fault:
            _log.warning("delivery_left_to_its_lease", delivery_id=str(delivery.id), reason=fault.reason)
