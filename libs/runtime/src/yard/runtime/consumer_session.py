"""One holder's time: pull, handle in lanes by key, acknowledge; ends at the first sign of a lost delivery."""

import asyncio
import json
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from yard.runtime import bus, clock, errors
from yard.runtime.bus import Envelope
from yard.runtime.db import Connection
from yard.runtime.handling import Handling, HandlingOptions
from yard.runtime.pauses import until_any

# Messages that are asked for ahead; asked again when half of them have come.
AHEAD: Final = 256
REQUEST_S: Final = 30.0
HEARTBEAT_S: Final = 5.0
SILENCE_S: Final = 3 * HEARTBEAT_S
WATCH_S: Final = 0.25
LOCK_CHECK_S: Final = 5.0
# A request that has ended with fewer messages than asked for; the header says how many fewer.
UNFILLED: Final = frozenset({"404", "408"})
ALIVE: Final = "100"


class Lanes:
    """Events of one key one after the other, keys beside each other; an unsettled event stops its lane."""

    def __init__(
        self, settle: Callable[[Msg], Awaitable[bool]], failed: Callable[[BaseException], None]
    ) -> None:
        self._settle = settle
        self._failed = failed
        self._waiting: dict[str, deque[Msg]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_over = False

    def put(self, message: Msg) -> None:
        """Last in the lane of its key; what comes after the end is left to the next session."""
        if self._is_over:
            return
        key = message.subject.rpartition(".")[2]
        lane = self._waiting.get(key)
        if lane is not None:
            lane.append(message)
            return
        self._waiting[key] = deque([message])
        task = asyncio.create_task(self._empty(key), name="consumer_lane")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def end(self, *, at_once: bool) -> None:
        """Wait for the lanes, or cancel them; no other begins from now on."""
        self._is_over = True
        tasks = list(self._tasks)
        if at_once:
            for task in tasks:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _empty(self, key: str) -> None:
        lane = self._waiting[key]
        while lane:
            if not await self._settle(lane[0]):
                return
            lane.popleft()
        del self._waiting[key]

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._failed(fault)


class Session:
    """Pulls from the durable consumer under one epoch.

    The consumer numbers its deliveries. A gap, or a new connection, means that a message went to nobody and
    would come again only after later ones of its key: then the session ends, and the next one begins behind
    the last gapless acknowledgement.
    """

    def __init__(
        self,
        nc: Client,
        durable: str,
        handling: Handling,
        options: HandlingOptions,
        stopping: asyncio.Event,
    ) -> None:
        self._nc = nc
        self._next_subject = f"$JS.API.CONSUMER.MSG.NEXT.{bus.STREAM}.{durable}"
        self._handling = handling
        self._options = options
        self._stopping = stopping
        self._inbox = nc.new_inbox()
        self._lanes = Lanes(self._settle, self._break)
        self._pending: dict[int, Msg] = {}
        self._asked = self._delivered = 0
        self._heard_at = clock.monotonic()
        self._has_room = asyncio.Event()
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, connection: Connection, epoch: int) -> None:
        """Returns when stopped; raises what ended the session otherwise."""
        duties: list[asyncio.Future[None]] = [
            asyncio.ensure_future(duty)
            for duty in (self._pull(), self._keep_pending(), self._watch(connection, epoch), self._stop())
        ]
        subscription = await self._nc.subscribe(self._inbox, cb=self._receive)
        is_clean = False
        try:
            await asyncio.wait([*duties, self._broken], return_when=asyncio.FIRST_COMPLETED)
            is_clean = not _faults([*duties, self._broken])
        finally:
            await self._lanes.end(at_once=not is_clean)
            for duty in duties:
                duty.cancel()
            await asyncio.gather(*duties, return_exceptions=True)
            with suppress(*bus.NATS_FAULTS):
                await subscription.unsubscribe()
        for fault in _faults([*duties, self._broken]):
            raise fault

    async def _stop(self) -> None:
        await self._stopping.wait()

    async def _pull(self) -> None:
        while True:
            self._has_room.clear()
            room = self._options.in_flight - len(self._pending) - self._asked
            wanted = min(room, AHEAD - self._asked)
            if wanted > 0 and self._asked <= AHEAD // 2:
                await self._ask(wanted)
            await until_any(self._has_room, timeout_s=HEARTBEAT_S)
            if self._asked and clock.monotonic() - self._heard_at > SILENCE_S:
                raise errors.Unavailable("the durable consumer is silent", reason="BROKER_UNAVAILABLE")

    async def _ask(self, batch: int) -> None:
        if not self._asked:
            self._heard_at = clock.monotonic()
        self._asked += batch
        request = {
            "batch": batch,
            "expires": int(REQUEST_S * 1e9),
            "idle_heartbeat": int(HEARTBEAT_S * 1e9),
        }
        await self._nc.publish(self._next_subject, json.dumps(request).encode(), reply=self._inbox)

    async def _receive(self, message: Msg) -> None:
        self._heard_at = clock.monotonic()
        if not message.reply.startswith("$JS.ACK."):
            self._read_status(message.headers or {})
            return
        sequence = message.metadata.sequence
        if sequence.consumer != self._delivered + 1:
            lost = f"delivery {self._delivered + 1} came to nobody, {sequence.consumer} came"
            self._break(errors.Unavailable(lost, reason="DELIVERY_LOST"))
        if self._broken.done() or self._stopping.is_set():
            return
        self._delivered = sequence.consumer
        self._asked -= 1
        self._pending[sequence.stream] = message
        self._lanes.put(message)
        if self._asked <= AHEAD // 2:
            self._has_room.set()

    def _read_status(self, headers: dict[str, str]) -> None:
        status = headers.get("Status", "")
        if status in UNFILLED:
            self._asked -= int(headers.get("Nats-Pending-Messages", "0"))
            self._has_room.set()
        elif status != ALIVE:
            text = f"{status} {headers.get('Description', '')}"
            self._break(errors.Unavailable(f"the durable consumer: {text}", reason="BROKER_UNAVAILABLE"))

    async def _settle(self, message: Msg) -> bool:
        """Handle and acknowledge; an acknowledgement that is lost brings the message again, to no effect."""
        sequence = message.metadata.sequence.stream
        if not await self._handling.settle(_envelope(message, sequence)):
            return False
        self._pending.pop(sequence, None)
        with suppress(*bus.NATS_FAULTS):
            await message.ack()
        if self._asked <= AHEAD // 2:
            self._has_room.set()
        return True

    async def _keep_pending(self) -> None:
        """Tell the broker that what waits or is tried again is not lost."""
        while True:
            await asyncio.sleep(self._options.ack_wait_s / 3)
            for message in list(self._pending.values()):
                await message.in_progress()

    async def _watch(self, connection: Connection, epoch: int) -> None:
        """Raises when the lock, or the connection to the broker, is not the one that we began with."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        reconnects, checked_at = self._nc.stats["reconnects"], clock.monotonic()
        while True:
            await until_any(lost, timeout_s=WATCH_S)
            if lost.is_set() or connection.is_closed():
                raise errors.Unavailable("the lock's connection is gone", reason="DATABASE_UNAVAILABLE")
            if self._nc.stats["reconnects"] != reconnects or not self._nc.is_connected:
                raise errors.Unavailable("the broker was away", reason="BROKER_UNAVAILABLE")
            if clock.monotonic() - checked_at > LOCK_CHECK_S:
                checked_at = clock.monotonic()
                if await connection.fetchval(_EPOCH) != epoch:
                    raise errors.LeaseLost(f"epoch {epoch} of the consumer is over")

    def _break(self, fault: BaseException) -> None:
        if not self._broken.done():
            self._broken.set_exception(fault)


def _envelope(message: Msg, sequence: int) -> Envelope:
    """The event; what is none gets an id by its place in the stream, so that it is buried once."""
    try:
        return Envelope.parse(message.subject, message.headers, message.data)
    except errors.Poison:
        event_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{bus.STREAM}/{sequence}/{message.subject}")
        return Envelope(
            id=event_id,
            type="",
            subject=message.subject,
            headers=dict(message.headers or {}),
            body=message.data,
        )


def _faults(duties: Sequence[asyncio.Future[None]]) -> list[BaseException]:
    ended = [duty.exception() for duty in duties if duty.done() and not duty.cancelled()]
    return [fault for fault in ended if fault is not None]


_EPOCH = "SELECT epoch FROM consumer_lease WHERE name = 'consumer'"
