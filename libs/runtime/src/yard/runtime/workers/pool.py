"""The pool: calls wait in two lanes for a warm child; what dies or is killed is replaced."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from yard.runtime import errors
from yard.runtime.workers.exchange import (
    Call,
    JobMemoryError,
    OnBytes,
    OnProgress,
    converse,
)
from yard.runtime.workers.lanes import Lane, Lanes
from yard.runtime.workers.process import ChildDiedError, ChildSpec
from yard.runtime.workers.slot import Slot
from yard.runtime.workers.sources import RangeSource
from yard.runtime.workers.stream import Stream

_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_TRIES = 2

_log = structlog.get_logger("yard.runtime.workers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """When a child ends: after `idle_s` without a call, or after `calls_per_child` calls, as it may leak.

    So many as `warm` are kept for the next call all the same, fresh ones in place of those that have worked.
    """

    idle_s: float = 60.0
    calls_per_child: int = 500
    warm: int = 0
    max_waiting: int = 256
    """Calls that may wait for a child; more are refused."""


class Pool:
    """At most `processes` children at work; each starts with the first call that needs it.

    `memory_mib` bounds a child's private writable memory (heap, thread stacks, buffers), not code and caches.
    """

    def __init__(
        self,
        *,
        processes: int = 2,
        memory_mib: int = 2048,
        timeout_s: float = 600.0,
        preload: tuple[str, ...] = (),
        import_paths: tuple[str, ...] = (),
        upkeep: Upkeep = Upkeep(),
    ) -> None:
        spec = ChildSpec(memory_mib=memory_mib, preload=preload, import_paths=import_paths)
        self._slots = [Slot(spec, upkeep.idle_s, self._is_needed_warm) for _ in range(processes)]
        self._lanes = Lanes(self._slots, upkeep.max_waiting)
        self._timeout_s = timeout_s
        self._calls_per_child = upkeep.calls_per_child
        self._warm = upkeep.warm
        self._is_closed = False

    async def start(self) -> None:
        """Warms all children; without it the first calls do."""
        await asyncio.gather(*(slot.child() for slot in self._slots))
        for slot in self._slots:
            slot.rest()

    async def keep_warm(self) -> None:
        """Starts those that are always to be there; one that does not come up is left to the next call."""
        await asyncio.gather(*(self._start_one() for _ in range(self._warm)))

    async def close(self) -> None:
        """Kills all children; calls that run or wait end with Unavailable."""
        self._is_closed = True
        self._lanes.fail(_closed())
        await asyncio.gather(*(slot.close() for slot in self._slots))

    async def __aenter__(self) -> "Pool":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    @property
    def waiting(self) -> int:
        """Calls that have no process yet."""
        return self._lanes.waiting

    async def call(
        self,
        function: str,
        arguments: Mapping[str, object],
        *,
        sources: Mapping[str, RangeSource] | None = None,
        on_bytes: OnBytes | None = None,
        on_progress: OnProgress | None = None,
        timeout_s: float | None = None,
        lane: Lane = "bulk",
    ) -> dict[str, Any]:
        """Runs `module:function` in a child and returns its result.

        Cancelling it kills the child. The time limit counts from the start in a child and includes the time
        that `on_bytes` takes. InvalidArgument and FailedPrecondition: what the job says of its input;
        WorkerCrashed: the child died or ran out of memory twice, or once after it had emitted, or ran out of
        time; Internal: the job has a bug; errors of sources and consumers as they are.
        """
        if not _FUNCTION.fullmatch(function):
            raise ValueError(f"expected module:function, got {function!r}")
        call = Call(
            function=function,
            arguments=arguments,
            sources=sources or {},
            on_bytes=on_bytes,
            on_progress=on_progress,
        )
        return await self._run(call, self._timeout_s if timeout_s is None else timeout_s, lane)

    def stream(
        self,
        function: str,
        arguments: Mapping[str, object],
        *,
        sources: Mapping[str, RangeSource] | None = None,
        on_progress: OnProgress | None = None,
        timeout_s: float | None = None,
        lane: Lane = "bulk",
    ) -> Stream:
        """The same, with the emitted bytes to iterate over: `async with pool.stream(...) as stream`."""
        return Stream(
            lambda on_bytes: self.call(
                function,
                arguments,
                sources=sources,
                on_bytes=on_bytes,
                on_progress=on_progress,
                timeout_s=timeout_s,
                lane=lane,
            )
        )

    async def _start_one(self) -> None:
        slot = await self._lanes.take("interactive")
        try:
            await slot.child()
        except errors.YardError as fault:
            _log.warning("worker_not_warm", error=fault.message)
        finally:
            slot.rest()
            self._lanes.give_back(slot, "interactive")

    def _is_needed_warm(self) -> bool:
        return sum(slot.is_warm for slot in self._slots) <= self._warm

    async def _run(self, call: Call, timeout_s: float, lane: Lane) -> dict[str, Any]:
        if self._is_closed:
            raise _closed()
        slot = await self._lanes.take(lane)
        try:
            for attempt in range(1, _TRIES + 1):
                try:
                    return await self._attempt(slot, call, timeout_s)
                except (ChildDiedError, JobMemoryError) as exc:
                    await self._after_crash(slot, call, exc, is_last=attempt == _TRIES)
            raise AssertionError("the last try returns or raises")
        finally:
            slot.rest()
            self._lanes.give_back(slot, lane)

    async def _attempt(self, slot: Slot, call: Call, timeout_s: float) -> dict[str, Any]:
        child = await slot.child()
        call.is_settled = False
        deadline = asyncio.timeout(timeout_s)
        try:
            async with deadline:
                return await converse(child, call)
        except (ChildDiedError, JobMemoryError):
            call.is_settled = False
            raise
        except TimeoutError as exc:
            if not deadline.expired():
                raise
            raise errors.WorkerCrashed(
                f"{call.function} did not end within {timeout_s:g} s", metadata={"limit": "time"}
            ) from exc
        finally:
            if not call.is_settled or child.calls >= self._calls_per_child:
                slot.replace()

    async def _after_crash(self, slot: Slot, call: Call, exc: Exception, *, is_last: bool) -> None:
        """Logs; raises unless the call may run once more."""
        if self._is_closed:
            raise _closed() from exc
        dead = await slot.burial()
        _log.error(
            "worker_crashed",
            function=call.function,
            cause=f"{type(exc).__name__}: {exc}",
            exit_code=dead.exit_code,
            stderr=dead.last_words,
        )
        if is_last or call.has_emitted:
            cause, limit = "crashed", {}
            if isinstance(exc, JobMemoryError):
                cause, limit = "ran out of memory", {"limit": "memory"}
            raise errors.WorkerCrashed(f"{call.function} {cause}", metadata=limit) from exc


def _closed() -> errors.Unavailable:
    return errors.Unavailable("the worker pool is closed")
