"""Events in: one durable consumer a service, held by one process at a time."""

import asyncio
from collections.abc import Sequence
from typing import Final

import nats.js.errors
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy
from yard.runtime import bus, errors, locks, telemetry
from yard.runtime.bus import Subscription
from yard.runtime.consumer_session import Session
from yard.runtime.db import Connection, Database
from yard.runtime.handling import Halted, Handling, HandlingOptions, Streak
from yard.runtime.pauses import until_any

POLL_S: Final = 1.0

_log = telemetry.log(__name__)


class Consumer:
    """Handles the events of a service's subscriptions; replicas stand by until the holder is gone.

    `run` returns after `stop`, when the handlers that run at that moment have ended; cancelling it rolls them
    back. Whoever takes over raises the epoch, which fences the holder before, and makes the durable consumer
    anew behind its last gapless acknowledgement: what was on its way to a dead holder comes again at once, in
    order.
    """

    def __init__(
        self,
        database: Database,
        nc: Client,
        service: str,
        subscriptions: Sequence[Subscription],
        options: HandlingOptions | None = None,
    ) -> None:
        self._database = database
        self._nc = nc
        self._js = nc.jetstream()
        self._service = service
        self._subscriptions = tuple(subscriptions)
        self._options = options or HandlingOptions()
        self._streak = Streak(self._options.dead_letter_limit)
        self._stopping = asyncio.Event()

    @property
    def is_halted(self) -> bool:
        """Whether it has stopped because it could handle nothing for a while."""
        return self._streak.is_over

    def stop(self) -> None:
        """Take no more; `run` returns when the handlers that run have ended."""
        self._stopping.set()

    async def run(self) -> None:
        """Consume until stopped; outlives outages of the database and the broker."""
        while not self._stopping.is_set():
            pause_s = POLL_S
            try:
                async with locks.held(self._database, "consumer") as connection:
                    if connection is not None:
                        await self._consume(connection)
            except Halted as fault:
                _log.error("consumer_halted", error=fault.message)
                pause_s = self._options.halt_s
            except (errors.Unavailable, errors.Conflict) as fault:
                _log.warning("consumer_interrupted", error=fault.message)
            await until_any(self._stopping, timeout_s=pause_s)

    async def _consume(self, connection: Connection) -> None:
        epoch: int = await connection.fetchval(_TAKE_OVER)
        handling = Handling(
            self._database, self._subscriptions, self._options, epoch, self._stopping, self._streak
        )
        try:
            start = await self._renew_durable()
            _log.info("consumer_took_over", epoch=epoch, start=start)
            session = Session(self._nc, self._service, handling, self._options, self._stopping)
            await session.run(connection, epoch)
        except bus.NATS_FAULTS as fault:
            raise errors.Unavailable(f"broker: {fault!r}", reason="BROKER_UNAVAILABLE") from fault

    async def _renew_durable(self) -> int:
        """Delete the durable consumer and make it anew; returns the sequence that it begins with."""
        await bus.ensure_stream(self._js)
        subjects = sorted({subscription.subject for subscription in self._subscriptions})
        start = 1
        try:
            found = await self._js.consumer_info(bus.STREAM, self._service)
        except nats.js.errors.NotFoundError:
            pass
        else:
            start = _next_sequence(found, subjects)
            await self._js.delete_consumer(bus.STREAM, self._service)
        await self._js.add_consumer(bus.STREAM, self._config(start, subjects))
        return start

    def _config(self, start: int, subjects: list[str]) -> ConsumerConfig:
        return ConsumerConfig(
            durable_name=self._service,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=start,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self._options.ack_wait_s,
            max_ack_pending=self._options.in_flight,
            max_deliver=-1,
            filter_subjects=subjects,
        )


def _next_sequence(found: ConsumerInfo, subjects: list[str]) -> int:
    """Behind the last gapless acknowledgement; from the oldest event that is kept if a subject is new."""
    known = set(found.config.filter_subjects or ()) | {found.config.filter_subject}
    if not known.issuperset(subjects) or found.ack_floor is None:
        return 1
    return found.ack_floor.stream_seq + 1


_TAKE_OVER = """
INSERT INTO consumer_lease (name, epoch)
VALUES ('consumer', 1)
ON CONFLICT (name) DO UPDATE SET epoch = consumer_lease.epoch + 1
RETURNING epoch
"""
