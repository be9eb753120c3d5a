"""The loop that claims work, keeps its leases up and runs it."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from yard.runtime import errors, ids, telemetry, work_rows
from yard.runtime.db import CANCEL, WORK
from yard.runtime.operations import Operations
from yard.runtime.pauses import until_any
from yard.runtime.work import WorkHandler
from yard.runtime.work_attempt import Attempt, WorkOptions

_log = telemetry.log(__name__)


class WorkLoop:
    """Runs the work of one service in this process; every replica has its own.

    `run` claims until `stop` is called, and returns when what it has claimed has ended. When `run` is
    cancelled, handlers are cancelled and their rows given back at once, without counting it as a try.
    """

    def __init__(
        self, operations: Operations, handlers: Sequence[WorkHandler], options: WorkOptions | None = None
    ) -> None:
        self._operations = operations
        self._database = operations.database
        self._handlers = tuple(handlers)
        self._options = options or WorkOptions()
        self._holder = str(ids.uuid7())
        self._running: dict[UUID, Attempt] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Claim no more; `run` returns when what runs has ended."""
        self._stopping.set()

    async def run(self) -> None:
        """Claim and run until stopped; outlives outages of the database."""
        signals = self._database.signals
        async with signals.listening(WORK) as woken, signals.listening(CANCEL) as cancelled:
            leases = asyncio.create_task(self._keep_leases(cancelled), name="work_leases")
            try:
                await self._claim(woken)
                if self._tasks:
                    await asyncio.wait(self._tasks)
            finally:
                leases.cancel()
                await self._end_all()

    async def _claim(self, woken: asyncio.Event) -> None:
        while not self._stopping.is_set():
            woken.clear()
            try:
                claimed = sum([await self._fill(handler, woken) for handler in self._handlers])
            except (errors.Unavailable, errors.Conflict) as fault:
                _log.warning("work_not_claimed", error=fault.message)
                claimed = 0
            if not claimed:
                await until_any(woken, self._stopping, timeout_s=self._options.poll_s)

    async def _fill(self, handler: WorkHandler, woken: asyncio.Event) -> int:
        """Claim until there is no more or enough is running; returns the number of rows."""
        claimed = 0
        while self._has_room(handler) and not self._stopping.is_set():
            claim = await work_rows.claim(self._database, handler.kind, self._holder, self._options.lease_s)
            if claim is None:
                break
            self._begin(Attempt(handler, claim, self._operations, self._options), woken)
            claimed += 1
        return claimed

    def _has_room(self, handler: WorkHandler) -> bool:
        busy = sum(1 for attempt in self._running.values() if attempt.handler is handler)
        return busy < handler.concurrency

    def _begin(self, attempt: Attempt, woken: asyncio.Event) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if self._running.get(attempt.claim.id) is attempt:
                del self._running[attempt.claim.id]
            woken.set()

        self._running[attempt.claim.id] = attempt
        task = asyncio.create_task(attempt.run(), name=f"work {attempt.claim.kind}")
        self._tasks.add(task)
        task.add_done_callback(ended)

    async def _keep_leases(self, cancelled: asyncio.Event) -> None:
        while True:
            cancelled.clear()
            try:
                await self._renew()
                if await work_rows.reap(self._database):
                    self._database.signals.wake([WORK])
            except (errors.Unavailable, errors.Conflict) as fault:
                _log.warning("leases_not_renewed", error=fault.message)
            await until_any(cancelled, timeout_s=self._options.heartbeat_s)

    async def _renew(self) -> None:
        attempts = dict(self._running)
        if not attempts:
            return
        claims = [attempt.claim for attempt in attempts.values()]
        held = await work_rows.renew(self._database, claims, self._options.lease_s)
        for work_id, attempt in attempts.items():
            if work_id not in held.ours:
                attempt.end(errors.LeaseLost(f"work {work_id} has another holder"))
            elif work_id in held.cancelled:
                attempt.end(errors.Cancelled(f"operation {attempt.claim.operation_id} was cancelled"))

    async def _end_all(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
