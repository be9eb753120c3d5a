"""One event, one handler: inbox row and effect in one transaction, tried again, buried after the last try."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from yard.runtime import dead_letters, errors
from yard.runtime.bus import Envelope, Subscription
from yard.runtime.db import Database, Transaction

_log = structlog.get_logger("yard.runtime.handling")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlingOptions:
    """How stubborn a consumer is; `lanes` handlers run at a time, `in_flight` events may wait for theirs."""

    max_tries: int = 8
    first_delay_s: float = 0.1
    longest_delay_s: float = 30.0
    handler_timeout_s: float = 30.0
    lanes: int = 16
    in_flight: int = 1_000
    dead_letter_limit: int = 100
    halt_s: float = 60.0
    ack_wait_s: float = 30.0


class Halted(errors.FailedPrecondition):
    """Too many dead letters in a row: something is wrong with us, not with the events."""


class Streak:
    """Dead letters since the last event that was handled."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buried = 0

    @property
    def is_over(self) -> bool:
        """Whether there are too many."""
        return self._buried >= self._limit

    def end(self) -> None:
        """An event was handled."""
        self._buried = 0

    def lengthen(self) -> None:
        """Halted if this dead letter is one too many."""
        self._buried += 1
        if self.is_over:
            raise Halted(f"{self._buried} events in a row could not be handled")


class Handling:
    """The way of an event through the handlers of its type, under one epoch of the consumer's lease."""

    def __init__(
        self,
        database: Database,
        subscriptions: Sequence[Subscription],
        options: HandlingOptions,
        epoch: int,
        stopping: asyncio.Event,
        streak: Streak,
    ) -> None:
        self._database = database
        self._subscriptions = subscriptions
        self._options = options
        self._epoch = epoch
        self._stopping = stopping
        self._slots = asyncio.Semaphore(options.lanes)
        self._streak = streak

    async def settle(self, envelope: Envelope) -> bool:
        """True once each handler has done or buried the event; False if we are stopped before that.

        Raises LeaseLost when another holder has taken over, Halted after too many dead letters in a row.
        """
        mine = [subscription for subscription in self._subscriptions if subscription.type == envelope.type]
        if not mine:
            return await self._bury(dead_letters.UNREADABLE, envelope, _unreadable(envelope), tries=1)
        for subscription in mine:
            if not await self._settle_one(subscription, envelope):
                return False
        return True

    async def _settle_one(self, subscription: Subscription, envelope: Envelope) -> bool:
        tries = delays = 0
        first = ""
        while not self._stopping.is_set():
            fault = await self._attempt(subscription, envelope)
            if fault is None:
                return True
            if not isinstance(fault, errors.Unavailable):
                tries += 1
                first = first or dead_letters.describe(fault)
            _log.warning(
                "event_failed", handler=subscription.name, event_id=str(envelope.id), error=repr(fault)
            )
            if _is_hopeless(fault) or tries >= self._options.max_tries:
                return await self._bury(subscription.name, envelope, fault, first=first, tries=tries)
            await self._pause(delays)
            delays += 1
        return False

    async def _attempt(self, subscription: Subscription, envelope: Envelope) -> BaseException | None:
        """Run the handler in its transaction; returns what went wrong."""
        try:
            async with self._slots, asyncio.timeout(self._options.handler_timeout_s):
                event = envelope.decode(subscription.message_type)
                async with self._database.transaction() as tx:
                    is_new = await self._admit(tx, subscription.name, envelope)
                    if is_new:
                        await subscription.handler(tx, event)
        except errors.LeaseLost:
            raise
        except Exception as fault:  # noqa: BLE001 - the boundary: a handler may raise anything
            return fault
        if is_new:
            self._streak.end()
        return None

    async def _admit(self, tx: Transaction, handler: str, envelope: Envelope) -> bool:
        """Write the inbox row; False if the handler has seen the event."""
        if await tx.fetchval(_ADMIT, handler, envelope.id, self._epoch):
            return True
        if await tx.fetchval(_IS_CURRENT, self._epoch):
            return False
        raise errors.LeaseLost(f"epoch {self._epoch} of the consumer is over")

    async def _bury(
        self, handler: str, envelope: Envelope, fault: BaseException, *, first: str = "", tries: int
    ) -> bool:
        delays = 0
        while not self._stopping.is_set():
            try:
                async with self._database.transaction() as tx:
                    if await self._admit(tx, handler, envelope):
                        why = first or dead_letters.describe(fault)
                        await dead_letters.bury(tx, handler, envelope, fault=fault, first=why, tries=tries)
            except errors.Unavailable:
                await self._pause(delays)
                delays += 1
                continue
            self._streak.lengthen()
            return True
        return False

    async def _pause(self, delays: int) -> None:
        """Exponential, with full jitter in its upper half; cut short by a stop."""
        longest = min(self._options.longest_delay_s, self._options.first_delay_s * 2 ** min(delays, 20))
        delay = random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, guards nothing
        try:
            await asyncio.wait_for(self._stopping.wait(), delay)
        except TimeoutError:
            return


def _is_hopeless(fault: BaseException) -> bool:
    return isinstance(fault, errors.YardError) and errors.ack_decision(fault) != "retry"


def _unreadable(envelope: Envelope) -> errors.Poison:
    return errors.Poison(f"{envelope.subject} carries {envelope.type!r}, which nothing here handles")


_ADMIT = """
INSERT INTO inbox (handler, event_id)
SELECT $1, $2
FROM consumer_lease
WHERE name = 'consumer' AND epoch = $3
ON CONFLICT DO NOTHING
RETURNING true
"""

_IS_CURRENT = "SELECT true FROM consumer_lease WHERE name = 'consumer' AND epoch = $1"
