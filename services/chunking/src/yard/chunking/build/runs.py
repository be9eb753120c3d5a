"""Several adjacent chunks made by one call of a child process, each a building of its own."""

import asyncio
from collections.abc import Sequence

from yard.chunking.build.bench import Bench
from yard.chunking.build.building import Building, Joined, Picture, told
from yard.chunking.build.jobs import Job
from yard.chunking.domain import Media, Rendition
from yard.media.framed import Content, End, FrameParser, FramingError
from yard.runtime import errors
from yard.runtime.workers import Pool

MOST_UNSTORED = 2
"""Chunks of a run that are made or on their way into the bucket."""


class Run:
    """Takes what the child makes; `left` are chunks that somebody else had begun, `made` the number done.

    A chunk is claimed when its first bytes come: one that is asked for meanwhile is built at once by whoever
    was asked, and our own bytes of it are dropped.
    """

    def __init__(
        self, bench: Bench, media: Media, renditions: Sequence[Rendition], *, chunk_timeout_s: float
    ) -> None:
        self.left: list[Rendition] = []
        self.made = 0
        self._bench = bench
        self._media = media
        self._renditions = renditions
        self._chunk_timeout_s = chunk_timeout_s
        self._deadline = asyncio.timeout(None)
        self._parser = FrameParser(len(renditions))
        self._current = -1
        self._joined: Joined | None = None
        self._keeping: dict[asyncio.Task[object], Rendition] = {}

    async def make(self, pool: Pool, job: Job) -> None:
        """Makes all; what is made when a fault ends it stays, and is stored before the fault is raised."""
        try:
            await self._in_time(pool, job)
        except BaseException as fault:
            await self._give_up(fault)
            raise
        finally:
            await self._stored()

    async def _in_time(self, pool: Pool, job: Job) -> None:
        try:
            async with self._deadline:
                await self._call(pool, job)
        except TimeoutError as fault:
            if not self._deadline.expired():
                raise
            limit = f"{self._chunk_timeout_s:g} s"
            raise errors.WorkerCrashed(f"{job.function} did not make a chunk within {limit}") from fault
        except FramingError as fault:
            raise errors.Internal(f"a worker's stream makes no sense: {fault}") from fault

    async def _call(self, pool: Pool, job: Job) -> None:
        await pool.call(
            job.function,
            job.arguments,
            sources=job.sources,
            on_bytes=self._take,
            lane="bulk",
            timeout_s=self._chunk_timeout_s * len(self._renditions),
        )
        self._parser.finish()

    def _give_time(self) -> None:
        """For the next chunk; the wait for a process and for the bucket does not count."""
        self._deadline.reschedule(asyncio.get_running_loop().time() + self._chunk_timeout_s)

    async def _take(self, received: bytes) -> None:
        for part in self._parser.feed(received):
            match part:
                case Content():
                    await self._take_content(part)
                case End():
                    await self._take_end(part)

    async def _take_content(self, part: Content) -> None:
        if part.chunk != self._current:
            self._current = part.chunk
            await self._begin(self._renditions[part.chunk])
        if self._joined is not None:
            await self._joined.building.spool.append(part.piece)

    async def _take_end(self, part: End) -> None:
        if part.chunk != self._current:
            raise errors.Internal("a worker has made a chunk of no bytes")
        picture = Picture.of(part.result)
        if self._joined is not None:
            await self._joined.building.finish(picture)
            self._leave()
        self.made = part.chunk + 1
        self._give_time()

    async def _begin(self, rendition: Rendition) -> None:
        self._deadline.reschedule(None)
        while len(self._keeping) >= MOST_UNSTORED:
            await asyncio.wait(self._keeping, return_when=asyncio.FIRST_COMPLETED)
            self._forget_stored()
        self._give_time()
        self._joined = await self._bench.begin(self._media, rendition, Building.picture, "bulk")
        if self._joined is None:
            self.left.append(rendition)
        elif (task := self._joined.building.task) is not None:
            self._keeping[task] = rendition

    def _forget_stored(self) -> None:
        """Those that could not be stored are left to be built again."""
        for task in [task for task in self._keeping if task.done()]:
            rendition = self._keeping.pop(task)
            if task.cancelled() or task.exception() is not None:
                self.left.append(rendition)

    async def _give_up(self, fault: BaseException) -> None:
        if self._joined is not None:
            building = self._joined.building
            await building.fail(told(fault))
            if building.task is not None:
                self._keeping.pop(building.task)
                await asyncio.wait([building.task])
            self._leave()

    async def _stored(self) -> None:
        if self._keeping:
            await asyncio.wait(self._keeping)
        self._forget_stored()

    def _leave(self) -> None:
        if self._joined is not None:
            self._joined.close()
            self._joined = None
