"""One thing being made: a child process writes into a spool, callers read it, the bucket gets it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from yard.chunking.build.jobs import Job
from yard.chunking.build.spool import Reader, Spool
from yard.chunking.domain import Corrupt
from yard.runtime import errors
from yard.runtime.workers import Lane, Pool

REASON_LENGTH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a job says of what it has made; width and height are those of the first picture, pixels."""

    width: int
    height: int
    content_type: str = ""
    corrupt: tuple[Corrupt, ...] = ()

    @classmethod
    def of(cls, result: dict[str, Any]) -> Self:
        """The result of a job, which comes from a child process and is checked."""
        try:
            return cls(
                width=int(result["width"]),
                height=int(result["height"]),
                content_type=str(result.get("content_type", "")),
                corrupt=tuple(_corrupt(result.get("corrupt", ()))),
            )
        except (KeyError, TypeError, ValueError) as fault:
            raise errors.Internal("a worker's result makes no sense") from fault

    @property
    def corrupt_frames(self) -> tuple[int, ...]:
        """Relative frames that are shown as placeholders."""
        return tuple(each.frame for each in self.corrupt)


def _corrupt(pairs: Iterable[tuple[int, str]]) -> Iterable[Corrupt]:
    for frame, reason in pairs:
        yield Corrupt(frame=int(frame), reason=str(reason)[:REASON_LENGTH])


def _future() -> "asyncio.Future[Picture]":
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True, kw_only=True, eq=False)
class Building:
    """What is made goes into `spool`; it goes on when its readers leave. `task` ends once it is kept."""

    spool: Spool = field(default_factory=Spool)
    task: "asyncio.Task[Any] | None" = None
    is_relay: bool = False
    """Another replica makes it."""
    _made: "asyncio.Future[Picture]" = field(default_factory=_future)

    async def run(self, pool: Pool, job: Job, lane: Lane, timeout_s: float | None = None) -> Picture:
        """Fills the spool by a call of a child process; faults reach its readers too."""
        try:
            result = await pool.call(
                job.function,
                job.arguments,
                sources=job.sources,
                on_bytes=self.spool.append,
                lane=lane,
                timeout_s=timeout_s,
            )
            picture = Picture.of(result)
        except asyncio.CancelledError as fault:
            await self.fail(fault)
            raise
        except errors.WorkerCrashed as fault:
            await self.fail(job.blamed(fault))
            raise job.blamed(fault) from fault
        except Exception as fault:
            await self.fail(fault)
            raise told(fault) from fault
        await self.finish(picture)
        return picture

    async def finish(self, picture: Picture) -> None:
        """All bytes are in the spool."""
        if not self._made.done():
            self._made.set_result(picture)
        await self.spool.finish()

    async def fail(self, fault: BaseException) -> None:
        """No more bytes will come; nothing happens if all are there."""
        if not self._made.done():
            self._made.set_exception(told(fault))
            self._made.exception()  # who asks for it gets it; nobody has to
        await self.spool.fail(told(fault))

    @property
    def has_failed(self) -> bool:
        """Whether its readers have been told of a fault."""
        return self._made.done() and not self._made.cancelled() and self._made.exception() is not None

    async def picture(self) -> Picture:
        """What the job says, as soon as all bytes are there; they need not be kept yet."""
        return await asyncio.shield(self._made)

    async def settled(self) -> Any:
        """What the task returns or raises; leaving early does not end it."""
        assert self.task is not None
        return await asyncio.shield(self.task)


class Joined:
    """A place among the readers of a building, whoever `has_begun` it; close it."""

    def __init__(self, building: Building, *, has_begun: bool = False) -> None:
        self.building = building
        self.has_begun = has_begun
        self.reader: Reader = building.spool.reader()

    def close(self) -> None:
        """Leaves; the building goes on."""
        self.reader.close()


def told(fault: BaseException) -> BaseException:
    """A fault of the building as callers are to hear it: what a job says of media is no fault of theirs."""
    match fault:
        case errors.InvalidArgument():
            return errors.FailedPrecondition(fault.message, reason=fault.reason, metadata=fault.metadata)
        case errors.NotFound():
            return errors.DataLoss("a file of the media is not in the bucket any more")
        case asyncio.CancelledError():
            return errors.Unavailable("the builder has ended", reason=BUILDER_ENDED)
    return fault


BUILDER_ENDED = "BUILDER_ENDED"
"""Somebody else may build it at once."""


def retrieve(task: "asyncio.Task[Any]") -> None:
    """A fault has been told through the spool; nobody else has to ask for it."""
    if not task.cancelled():
        task.exception()
