"""One call over a child's connection: reads are served, bytes and progress handed on, until the result."""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from yard.runtime import errors
from yard.runtime.workers import wire
from yard.runtime.workers.process import ChildDiedError, ChildProcess
from yard.runtime.workers.sources import RangeSource

OnBytes = Callable[[bytes], Awaitable[None]]
OnProgress = Callable[[float], Awaitable[None]]

_log = structlog.get_logger("yard.runtime.workers")

_UNSUPPORTED = "unsupported"  # the code of input that may be fine, but not for this version

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TYPE_NAME = re.compile(r"\w{1,100}")


class JobMemoryError(Exception):
    """The job has met its memory limit; the child is not to be used again."""


@dataclass(slots=True, kw_only=True)
class Call:
    """What is to run and who takes what comes of it."""

    function: str
    arguments: Mapping[str, object]
    sources: Mapping[str, RangeSource] = field(default_factory=dict)
    on_bytes: OnBytes | None = None
    on_progress: OnProgress | None = None
    has_emitted: bool = False
    is_settled: bool = False  # the job has ended, and its child can take another


async def converse(child: ChildProcess, call: Call) -> dict[str, Any]:
    """Runs the call; the first failure of any part (job, source, consumer) ends it and is raised."""
    child.begin_call()
    try:
        async with asyncio.TaskGroup() as tasks:
            return await _Exchange(child, call, tasks).run()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


class _Exchange:
    def __init__(self, child: ChildProcess, call: Call, tasks: asyncio.TaskGroup) -> None:
        self._child = child
        self._call = call
        self._tasks = tasks
        self._delivery = _Delivery(child, call)
        self._reads: set[asyncio.Task[None]] = set()

    async def run(self) -> dict[str, Any]:
        call = self._call
        sizes = {name: source.size for name, source in call.sources.items()}
        await self._child.send(["call", call.function, call.arguments, sizes])
        delivering = self._tasks.create_task(self._delivery.run())
        try:
            result = _result(call.function, await self._end())
        except (ChildDiedError, JobMemoryError):
            # What came before the end tells the caller how far the child has been.
            self._delivery.finish()
            await asyncio.wait([delivering])
            raise
        self._delivery.finish()
        return result

    async def _end(self) -> wire.Header:
        """Serves the child until the frame that ends the call."""
        while True:
            header, body = await self._child.receive()
            if header[0] in ("done", "failed"):
                break
            self._take(header, body)
        for read in self._reads:
            read.cancel()
        self._call.is_settled = True
        return header

    def _take(self, header: wire.Header, body: bytes) -> None:
        match header:
            case ["emit"] if body:
                self._delivery.put(body)
            case ["progress", float(fraction)] if 0 <= fraction <= 1:
                self._delivery.put_progress(fraction)
            case ["read", int(read), str(name), int(offset), int(length)]:
                self._start_read(read, name, offset, length)
            case _:
                raise ChildDiedError(f"a frame {header[0]!r} makes no sense")

    def _start_read(self, read: int, name: str, offset: int, length: int) -> None:
        source = self._call.sources.get(name)
        if source is None or not 0 <= offset < offset + length <= source.size or length > wire.MAX_BODY:
            raise ChildDiedError(f"it reads {length} bytes at {offset} of {name!r}")
        if len(self._reads) >= wire.MAX_READS:
            raise ChildDiedError("it reads too much at a time")
        task = self._tasks.create_task(self._read(read, source, offset, length))
        self._reads.add(task)
        task.add_done_callback(self._reads.discard)

    async def _read(self, read: int, source: RangeSource, offset: int, length: int) -> None:
        body = await source.read(offset, length)
        if len(body) != length:
            raise errors.DataLoss(f"a source gave {len(body)} of {length} bytes at {offset}")
        await self._child.send(["data", read], body)


class _Delivery:
    """Hands bytes and progress to their consumer in order, one at a time; acknowledges what was taken."""

    def __init__(self, child: ChildProcess, call: Call) -> None:
        self._child = child
        self._call = call
        self._chunks: deque[bytes] = deque()
        self._pending = 0
        self._progress: float | None = None
        self._finished = False
        self._wake = asyncio.Event()

    def put(self, chunk: bytes) -> None:
        if self._call.on_bytes is None:
            raise errors.Internal(f"{self._call.function} emits bytes that nobody takes")
        self._pending += len(chunk)
        if self._pending > wire.EMIT_WINDOW:
            raise ChildDiedError("it emits without waiting")
        self._call.has_emitted = True
        self._chunks.append(chunk)
        self._wake.set()

    def put_progress(self, fraction: float) -> None:
        self._progress = fraction
        self._wake.set()

    def finish(self) -> None:
        self._finished = True
        self._wake.set()

    async def run(self) -> None:
        while self._chunks or self._progress is not None or not self._finished:
            await self._wake.wait()
            self._wake.clear()
            await self._deliver_bytes()
            await self._deliver_progress()

    async def _deliver_bytes(self) -> None:
        while self._chunks:
            chunk = self._chunks.popleft()
            assert self._call.on_bytes is not None
            await self._call.on_bytes(chunk)
            self._pending -= len(chunk)
            if not self._finished:
                with suppress(ChildDiedError):  # who receives from it learns of it
                    await self._child.send(["ack", len(chunk)])

    async def _deliver_progress(self) -> None:
        fraction, self._progress = self._progress, None
        if fraction is not None and self._call.on_progress is not None:
            await self._call.on_progress(fraction)


def _result(function: str, header: wire.Header) -> dict[str, Any]:
    match header:
        case ["done", dict(result)]:
            return result
        case ["failed", "memory", *_]:
            raise JobMemoryError(function)
        case ["failed", "media", str(code), str(message), str(name)] if _CODE.fullmatch(code):
            raise _refusal(code, message, name)
        case ["failed", str(), str(kind), str(), str(details)] if _TYPE_NAME.fullmatch(kind):
            _log.error("worker_job_failed", function=function, traceback=details)
            raise errors.Internal(f"{function} failed with {kind}")
    raise ChildDiedError(f"a frame {header[0]!r} makes no sense")


def _refusal(code: str, message: str, name: str) -> errors.YardError:
    """What the job says of its input; `name` is the label of the file that is to blame."""
    metadata = {"file": name} if name else {}
    if code == _UNSUPPORTED:
        return errors.FailedPrecondition(message, reason=code.upper(), metadata=metadata)
    violations = [errors.Violation(name or "media", message)]
    return errors.InvalidArgument(message, violations, reason=code.upper(), metadata=metadata)
