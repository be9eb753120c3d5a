"""One thing being made: a child process writes into a spool, callers read it, the bucket gets it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from yard.chunking.build.jobs import Job
from yard.chunking.build.spool import Spool
from yard.runtime import errors
from yard.runtime.workers import Lane, Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a job says of what it has made; width and height are those of the first picture, pixels."""

    width: int
    height: int
    content_type: str = ""

    @classmethod
    def of(cls, result: dict[str, Any]) -> "Picture":
        """The result of a job, which comes from a child process and is checked."""
        try:
            return cls(
                width=int(result["width"]),
                height=int(result["height"]),
                content_type=str(result.get("content_type", "")),
            )
        except (KeyError, TypeError, ValueError) as fault:
            raise errors.Internal("a worker's result makes no sense") from fault


@dataclass(slots=True, kw_only=True)
class Building:
    """Runs in a task of its own, `task`, and goes on when its readers leave."""

    spool: Spool = field(default_factory=Spool)
    task: "asyncio.Task[Any] | None" = None

    async def run(self, pool: Pool, job: Job, lane: Lane) -> Picture:
        """Fills the spool; faults reach its readers too."""
        try:
            result = await pool.call(
                job.function, job.arguments, sources=job.sources, on_bytes=self.spool.append, lane=lane
            )
            picture = Picture.of(result)
        except errors.InvalidArgument as fault:
            refusal = unreadable(fault)
            await self.spool.fail(refusal)
            raise refusal from fault
        except errors.NotFound as fault:
            loss = errors.DataLoss("a file of the media is not in the bucket any more")
            await self.spool.fail(loss)
            raise loss from fault
        except BaseException as fault:
            is_cancelled = isinstance(fault, asyncio.CancelledError)
            await self.spool.fail(errors.Unavailable("the builder has ended") if is_cancelled else fault)
            raise
        await self.spool.finish()
        return picture

    async def settled(self) -> Any:
        """What the task returns or raises; leaving early does not end it."""
        assert self.task is not None
        return await asyncio.shield(self.task)


def unreadable(fault: errors.InvalidArgument) -> errors.FailedPrecondition:
    """What a job says of its media is not a fault of the request."""
    return errors.FailedPrecondition(fault.message, reason=fault.reason, metadata=fault.metadata)
