"""One builder for each chunk in the whole fleet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from yard.chunking.build.building import Building
from yard.chunking.build.jobs import Job, Jobs
from yard.chunking.build.spool import Reader, Spool
from yard.chunking.domain import Media, Rendition, weight
from yard.chunking.settings import Settings
from yard.chunking.store import chunks as store
from yard.chunking.store.chunks import CHUNK_CHANGED, Built
from yard.chunking.store.media import media_of
from yard.runtime import clock, errors, ids, telemetry
from yard.runtime.app import Runtime
from yard.runtime.blobs import BlobRef
from yard.runtime.pauses import until_any
from yard.runtime.workers import Lane

WAIT_S = 0.5
RENEW_EVERY_S = store.LEASE_S / 4

_log = telemetry.log(__name__)


class Joined:
    """A place among the readers of a building; close it."""

    def __init__(self, building: Building) -> None:
        self.building = building
        self.reader: Reader = building.spool.reader()

    def close(self) -> None:
        """Leaves; the building goes on."""
        self.reader.close()


class Builder:
    """Finds what is built, joins what is being built in this process, waits for others, or builds."""

    def __init__(self, runtime: Runtime[Settings], jobs: Jobs) -> None:
        self._runtime = runtime
        self._db = runtime.db
        self._jobs = jobs
        self._claiming = asyncio.Lock()
        self._buildings: dict[Rendition, Building] = {}
        self._bulk = asyncio.Semaphore(max(1, runtime.settings.worker_processes - 1))

    async def obtain(self, media: Media, rendition: Rendition, lane: Lane = "interactive") -> Built | Joined:
        """What lies in the bucket, or a place among the readers of what is being built here.

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
            _retrieve(building.task)

    async def forget(self, rendition: Rendition, built: Built) -> None:
        """The bucket does not have what the row says."""
        _log.warning("chunk_is_gone", key=rendition.key)
        await store.forget(self._db, rendition, built)

    async def close(self) -> None:
        """Gives up what is being built, so that other processes go on at once."""
        tasks = [building.task for building in self._buildings.values() if building.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _try(self, media: Media, rendition: Rendition, lane: Lane) -> Built | Joined | None:
        """None: another process builds it, or evicts it at this moment."""
        if (joined := self._joined(rendition)) is not None:
            return joined
        if (built := await store.use(self._db, rendition, weight(clock.now()))) is not None:
            return built
        if (joined := await self._join(media, rendition, lane)) is not None:
            return joined
        if not await store.is_there(self._db, rendition) and await media_of(self._db, media.id) is None:
            raise errors.NotFound("media", media.id)
        return None

    def _joined(self, rendition: Rendition) -> Joined | None:
        running = self._buildings.get(rendition)
        return None if running is None else Joined(running)

    async def _join(self, media: Media, rendition: Rendition, lane: Lane) -> Joined | None:
        """A place in the building of this process, begun if nobody else has; None: another process has."""
        async with self._claiming:
            if (running := self._joined(rendition)) is not None:
                return running
            lease = ids.uuid7()
            if not await store.claim(self._db, media, rendition, lease, weight(clock.now())):
                return None
            building = self._buildings[rendition] = Building()
            joined = Joined(building)
            building.task = asyncio.create_task(self._build(building, media, rendition, lease, lane))
            building.task.add_done_callback(_retrieve)
            return joined

    async def _build(
        self, building: Building, media: Media, rendition: Rendition, lease: UUID, lane: Lane
    ) -> Built:
        renewal = asyncio.create_task(self._renew_for_ever(rendition, lease))
        place = building.spool.reader()  # for those who join after the last of the others has left
        try:
            return await self._store(building, media, rendition, lease, lane)
        except BaseException as fault:
            await building.spool.fail(_told(fault))
            with suppress(errors.Unavailable, errors.Conflict):
                async with self._db.transaction() as tx:
                    await store.release(tx, rendition, lease)
            raise
        finally:
            renewal.cancel()
            del self._buildings[rendition]
            place.close()

    async def _store(
        self, building: Building, media: Media, rendition: Rendition, lease: UUID, lane: Lane
    ) -> Built:
        """Builds and uploads at the same time, then says so."""
        job = await self._jobs.for_rendition(media, rendition)
        upload = asyncio.create_task(self._upload(building, rendition))
        try:
            picture = await building.run(self._runtime.workers, job, lane)
            built = Built(blob=await upload, width=picture.width, height=picture.height)
        finally:
            upload.cancel()
            await asyncio.wait([upload])
            _retrieve(upload)
        async with self._db.transaction() as tx:
            is_ours = await store.complete(tx, rendition, lease, built)
        if not is_ours and not await store.is_there(self._db, rendition):
            await self._runtime.blobs.delete(rendition.key)
        return built

    async def _upload(self, building: Building, rendition: Rendition) -> BlobRef:
        reader = building.spool.reader()
        try:
            return await self._runtime.blobs.put_stream(rendition.key, aiter(reader))
        finally:
            reader.close()

    async def _renew_for_ever(self, rendition: Rendition, lease: UUID) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            with suppress(errors.Unavailable, errors.Conflict):
                await store.renew(self._db, rendition, lease)


def _told(fault: BaseException) -> BaseException:
    """What readers of a spool get to know."""
    return errors.Unavailable("the builder has ended") if isinstance(fault, asyncio.CancelledError) else fault


def _retrieve(task: "asyncio.Task[Any]") -> None:
    """A fault has been told through the spool; nobody else has to ask for it."""
    if not task.cancelled():
        task.exception()
