"""Everything that is obtained: found, joined, read from another replica, or built."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from yard.chunking.build import counting
from yard.chunking.build.bench import Bench
from yard.chunking.build.building import Building, Joined, Picture, retrieve, told
from yard.chunking.build.jobs import Job, Jobs
from yard.chunking.build.peers import Peers, address_of
from yard.chunking.build.runs import Run
from yard.chunking.build.spool import Spool
from yard.chunking.domain import Media, Rendition, weight
from yard.chunking.settings import Settings
from yard.chunking.store import chunks as store
from yard.chunking.store.chunks import CHUNK_CHANGED, Built
from yard.chunking.store.media import media_of
from yard.runtime import clock, errors, telemetry
from yard.runtime.app import Runtime
from yard.runtime.pauses import until_any
from yard.runtime.workers import Lane

WAIT_S = 0.5

__all__ = ["Builder", "Joined"]

_OF_ALL = (
    errors.Unavailable,
    errors.Cancelled,
    errors.Conflict,
    errors.NotFound,
    errors.ResourceExhausted,
)

_log = telemetry.log(__name__)


class Builder:
    """Finds what is built, joins what is being built in this process, waits for others, or builds."""

    def __init__(self, runtime: Runtime[Settings], jobs: Jobs) -> None:
        self._runtime = runtime
        self._db = runtime.db
        self._jobs = jobs
        self._bench = Bench(runtime, lambda: address_of(runtime))
        self._peers = Peers(runtime)
        self._bulk = asyncio.Semaphore(max(1, runtime.settings.worker_processes - 1))
        self._runs: set[asyncio.Task[None]] = set()

    async def obtain(self, media: Media, rendition: Rendition, lane: Lane = "interactive") -> Built | Joined:
        """What lies in the bucket, or a place among the readers of what is being built.

        Counts as a use. Waits while another process builds; NotFound if the media goes.
        """
        if (found := await self._try(media, rendition, lane)) is not None:
            return found
        async with self._db.signals.listening(CHUNK_CHANGED) as changed:
            while (found := await self._try(media, rendition, lane)) is None:
                await until_any(changed, timeout_s=WAIT_S)
                changed.clear()
        return found

    async def ensure(self, media: Media, rendition: Rendition) -> None:
        """Built in the background, behind everything that somebody waits for."""
        async with self._bulk:
            found = await self.obtain(media, rendition, "bulk")
            if isinstance(found, Joined):
                found.close()
                await found.building.settled()

    async def ensure_run(self, media: Media, renditions: Sequence[Rendition]) -> None:
        """Built in the background, those that are adjacent by one call of a child process.

        `renditions` are chunks of the same quality and container, in order. One that is broken does not keep
        the others from being built; its fault is raised at the end.
        """
        task = asyncio.create_task(self._ensure_run(media, renditions))
        self._runs.add(task)
        task.add_done_callback(self._runs.discard)
        await task

    def joined(self, rendition: Rendition) -> Joined | None:
        """A place among the readers of what this process is building."""
        return self._bench.joined(rendition)

    @asynccontextmanager
    async def private(self, job: Job, *, window: int = 0) -> AsyncIterator[Joined]:
        """Builds something that is not kept; it ends with the block. `window` is that of the spool."""
        building = Building(spool=Spool(window))
        building.task = asyncio.create_task(building.run(self._runtime.workers, job, "interactive"))
        joined = Joined(building)
        try:
            yield joined
        finally:
            joined.close()
            building.task.cancel()
            await asyncio.wait([building.task])
            retrieve(building.task)

    async def forget(self, rendition: Rendition, built: Built) -> None:
        """The bucket does not have what the row says."""
        _log.warning("chunk_is_gone", key=rendition.key)
        await store.forget(self._db, rendition, built)

    async def close(self) -> None:
        """Gives up what is being built, so that other processes go on at once."""
        runs = list(self._runs)
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        await self._peers.close()
        await self._bench.close()

    async def _try(self, media: Media, rendition: Rendition, lane: Lane) -> Built | Joined | None:
        """None: another process builds it, or evicts it at this moment."""
        if (joined := self._bench.joined(rendition)) is not None:
            return joined
        if (built := await store.use(self._db, rendition, weight(clock.now()))) is not None:
            return built
        if (joined := await self._begin(media, rendition, lane)) is not None:
            return joined
        if (joined := self._bench.joined(rendition)) is not None:
            return joined
        if lane == "interactive" and (joined := await self._peers.joined(rendition)) is not None:
            return joined
        if not await store.is_there(self._db, rendition) and await media_of(self._db, media.id) is None:
            raise errors.NotFound("media", media.id)
        return None

    async def _begin(self, media: Media, rendition: Rendition, lane: Lane) -> Joined | None:
        async def fill(building: Building) -> Picture:
            job = await self._jobs.for_rendition(media, rendition)
            timeout_s = self._runtime.settings.chunk_timeout_s
            return await building.run(self._runtime.workers, job, lane, timeout_s)

        return await self._bench.begin(media, rendition, fill, lane)

    async def _ensure_run(self, media: Media, renditions: Sequence[Rendition]) -> None:
        left: list[Rendition] = []
        first: errors.YardError | None = None
        parts = deque(await self._missing(renditions))
        while parts:
            part = parts.popleft()
            run = Run(self._bench, media, part, chunk_timeout_s=self._runtime.settings.chunk_timeout_s)
            try:
                with counting.runs.track_inprogress():
                    await self._make(run, media, part)
            except errors.YardError as fault:
                _raise_if_all_fail(fault)
                if run.made == len(part):
                    raise
                # The chunk at which it ended gets a child of its own, those behind it another run.
                _log.warning("run_broken", media=str(media.id), chunk=part[run.made].key, error=repr(fault))
                first = await self._tried(media, part[run.made]) or first
                parts.extendleft([part[run.made + 1 :]] if part[run.made + 1 :] else [])
            left += run.left
        for rendition in left:
            first = first or await self._tried(media, rendition)
        if first is not None:
            raise first

    async def _make(self, run: Run, media: Media, part: Sequence[Rendition]) -> None:
        job = await self._jobs.for_run(media, part)
        try:
            await run.make(self._runtime.workers, job)
        except errors.YardError as fault:
            raise told(fault) from fault

    async def _tried(self, media: Media, rendition: Rendition) -> errors.YardError | None:
        """Builds one alone; returns the fault if that fails too."""
        try:
            await self.ensure(media, rendition)
        except errors.YardError as fault:
            _raise_if_all_fail(fault)
            return fault
        return None

    async def _missing(self, renditions: Sequence[Rendition]) -> list[list[Rendition]]:
        """Those that nobody has built, in groups of adjacent ones."""
        built = await store.built_among(self._db, renditions)
        groups: list[list[Rendition]] = []
        for rendition in renditions:
            if rendition.frames in built:
                continue
            if groups and groups[-1][-1].frames.last + 1 == rendition.frames.first:
                groups[-1].append(rendition)
            else:
                groups.append([rendition])
        return groups


def _raise_if_all_fail(fault: errors.YardError) -> None:
    """What is not there is not there for the next chunk either."""
    if isinstance(fault, _OF_ALL):
        raise fault
