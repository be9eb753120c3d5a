"""One claim of one row: the handler runs in a task of its own, then what came of it is written down."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any, Final

from yard.runtime import clock, dead_letters, errors, ids, telemetry, work_rows
from yard.runtime.bus import Envelope
from yard.runtime.operations import Operations
from yard.runtime.work import Work, WorkHandler
from yard.runtime.work_rows import Claim

# Between tries to write an outcome down while the database is away.
SETTLE_AGAIN_S: Final = 0.5

_log = telemetry.log(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOptions:
    """The rhythm of a work loop, in seconds; delays are those before the next attempt."""

    lease_s: float = 30.0
    heartbeat_s: float = 10.0
    poll_s: float = 1.0
    first_delay_s: float = 1.0
    longest_delay_s: float = 60.0


class Attempt:
    """Runs a handler on a claimed row; `end` takes the row from it, cancelling `run` gives the row back."""

    def __init__(
        self, handler: WorkHandler, claim: Claim, operations: Operations, options: WorkOptions
    ) -> None:
        self.handler = handler
        self.claim = claim
        self._operations = operations
        self._options = options
        self._work: Work[Any] | None = None
        self._body: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Returns when the outcome is written, or when somebody else has the row."""
        try:
            fault = await self._execute()
            await self._settle(fault)
        except asyncio.CancelledError:
            await self._give_back()
            raise

    def end(self, verdict: errors.YardError) -> None:
        """Stop the handler; LeaseLost: nothing is written, Cancelled: the operation ends."""
        if self._work is not None and self._body is not None:
            self._work.end(verdict)
            self._body.cancel()

    async def _execute(self) -> BaseException | None:
        """What went wrong, or None."""
        try:
            self._work = self.handler.open(self.claim, self._operations)
        except errors.Poison as fault:
            return fault
        if self.claim.tries >= self.handler.max_attempts:
            return errors.Internal(f"its worker was lost {self.claim.tries} times", reason="WORKER_LOST")
        self._body = asyncio.ensure_future(self.handler.run(self._work))
        _, late = await asyncio.wait([self._body], timeout=self.handler.timeout_s)
        if late:
            await self._stop_body()
            return errors.DeadlineExceeded(f"not done within {self.handler.timeout_s:g} s")
        if self._body.cancelled():
            return self._work.verdict or errors.Internal("the handler cancelled itself")
        return self._body.exception()

    async def _stop_body(self) -> None:
        if self._body is not None and not self._body.done():
            self._body.cancel()
            await asyncio.wait([self._body])
            if not self._body.cancelled() and (late := self._body.exception()) is not None:
                self._note("work_ended_late", late)

    async def _settle(self, fault: BaseException | None) -> None:
        """Write the outcome; gives up when the lease has run out, then the row is claimed again anyway."""
        gives_up_at = clock.monotonic() + self._options.lease_s
        has_hook = True
        while clock.monotonic() < gives_up_at:
            try:
                return await self._record(fault, has_hook=has_hook)
            except errors.LeaseLost as lost:
                return self._note("work_lost", lost)
            except errors.Cancelled as cancelled:
                fault = cancelled
            except (errors.Unavailable, errors.Conflict) as away:
                self._note("work_not_settled", away)
                await asyncio.sleep(SETTLE_AGAIN_S)
            except Exception as broken:  # noqa: BLE001 - the boundary: on_failed may raise anything
                self._note("on_failed_crashed", broken)
                fault, has_hook = errors.Poison(f"on_failed: {broken!r}"), False
        return None

    async def _record(self, fault: BaseException | None, *, has_hook: bool) -> None:
        if self._work is not None and self._work.is_finished:
            return
        if fault is None and self._work is not None:
            async with self._work.finish():
                return
        if isinstance(fault, errors.LeaseLost):
            raise fault
        if isinstance(fault, errors.Cancelled):
            await self._cancel()
        elif fault is not None and self._may_repeat(fault):
            await self._retry(fault)
        elif fault is not None:
            await self._fail(fault, has_hook=has_hook)

    def _may_repeat(self, fault: BaseException) -> bool:
        if isinstance(fault, errors.Unavailable):
            return True
        if isinstance(fault, errors.YardError) and errors.is_permanent(fault):
            return False
        return self.claim.tries + 1 < self.handler.max_attempts

    async def _cancel(self) -> None:
        self._note("work_cancelled", None)
        async with self._operations.database.transaction() as tx:
            await work_rows.lock(tx, self.claim)
            await work_rows.finish(tx, self.claim, "cancelled")
            if self.claim.operation_id is not None:
                await self._operations.finish_cancel(tx, self.claim.operation_id)

    async def _retry(self, fault: BaseException) -> None:
        self._note("work_failed", fault)
        tries = 0 if isinstance(fault, errors.Unavailable) else 1
        async with self._operations.database.transaction() as tx:
            await work_rows.lock(tx, self.claim)
            error = dead_letters.describe(fault)
            await work_rows.requeue(tx, self.claim, tries=tries, delay_s=self._delay_s(), error=error)

    async def _fail(self, fault: BaseException, *, has_hook: bool) -> None:
        error = fault if isinstance(fault, errors.YardError) else self._unexpected(fault)
        self._note("work_ended", fault)
        async with self._operations.database.transaction() as tx:
            await work_rows.lock(tx, self.claim)
            await work_rows.finish(tx, self.claim, "failed", dead_letters.describe(fault))
            if self.claim.operation_id is not None:
                await self._operations.fail(tx, self.claim.operation_id, error)
            if self.handler.on_failed is not None and self._work is not None and has_hook:
                await self.handler.on_failed(tx, self._work, error)
            if self._is_to_bury(fault):
                await self._bury(tx, fault)

    def _is_to_bury(self, fault: BaseException) -> bool:
        """A refusal that somebody is told of (by the operation or the hook) needs no dead letter."""
        is_refusal = isinstance(fault, errors.YardError) and errors.is_permanent(fault)
        is_told = self.claim.operation_id is not None or self.handler.on_failed is not None
        return not (is_refusal and is_told) or isinstance(fault, errors.Poison)

    async def _bury(self, tx: Any, fault: BaseException) -> None:
        claim = self.claim
        envelope = Envelope(
            id=claim.id, type=claim.payload_type, subject=claim.kind, headers={}, body=claim.payload
        )
        name = f"{dead_letters.WORK_PREFIX}{claim.kind}"
        first = dead_letters.describe(fault)
        await dead_letters.bury(tx, name, envelope, fault=fault, first=first, tries=claim.tries + 1)

    async def _give_back(self) -> None:
        """The process ends: another one shall go on at once, and nothing speaks against the work."""
        if self._work is not None:
            self._work.end(errors.LeaseLost("the process ends"))
        await self._stop_body()
        try:
            async with self._operations.database.transaction() as tx:
                await work_rows.lock(tx, self.claim)
                await work_rows.requeue(tx, self.claim)
        except (errors.Unavailable, errors.Conflict) as fault:
            self._note("work_not_given_back", fault)

    def _delay_s(self) -> float:
        """Exponential, with full jitter in its upper half."""
        doubled = self._options.first_delay_s * 2 ** min(self.claim.attempt - 1, 20)
        longest = min(self._options.longest_delay_s, doubled)
        return random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, guards nothing

    def _unexpected(self, fault: BaseException) -> errors.Internal:
        error_id = ids.uuid7().hex
        _log.error("work_crashed", kind=self.claim.kind, error_id=error_id, exc_info=fault)
        return errors.Internal(f"internal error {error_id}", metadata={"error_id": error_id})

    def _note(self, event: str, fault: BaseException | None) -> None:
        error = None if fault is None else repr(fault)
        _log.warning(event, kind=self.claim.kind, work_id=str(self.claim.id), error=error)
