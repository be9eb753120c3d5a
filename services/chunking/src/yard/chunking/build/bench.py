"""What this process is building: each thing claimed in the database, kept in the bucket, read by many."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

from yard.chunking.build import counting
from yard.chunking.build.building import Building, Joined, Picture, retrieve
from yard.chunking.domain import Media, Rendition, weight
from yard.chunking.settings import Settings
from yard.chunking.store import chunks as store
from yard.chunking.store import corrupt_frames
from yard.chunking.store.chunks import Built
from yard.runtime import clock, errors, ids
from yard.runtime.app import Runtime
from yard.runtime.blobs import BlobRef
from yard.runtime.workers import Lane

RENEW_EVERY_S = store.LEASE_S / 4

Fill = Callable[[Building], Awaitable[Picture]]
"""Waits until all bytes are in the spool, whoever puts them there."""


class Bench:
    """At most one building for each rendition, and none without a lease."""

    def __init__(self, runtime: Runtime[Settings], address: Callable[[], str]) -> None:
        self._runtime = runtime
        self._db = runtime.db
        self._address = address
        self._claiming = asyncio.Lock()
        self._buildings: dict[Rendition, Building] = {}

    def joined(self, rendition: Rendition) -> Joined | None:
        """A place in a building that is there."""
        running = self._buildings.get(rendition)
        return None if running is None or running.has_failed else Joined(running)

    async def begin(self, media: Media, rendition: Rendition, fill: Fill, lane: Lane) -> Joined | None:
        """A building that is ours; None if somebody else has it, in this process or in another."""
        async with self._claiming:
            if rendition in self._buildings:
                return None
            lease = ids.uuid7()
            if not await self._claim(media, rendition, lease):
                return None
            building = self._buildings[rendition] = Building()
            joined = Joined(building, has_begun=True)
            building.task = asyncio.create_task(self._keep(building, rendition, lease, fill, lane))
            building.task.add_done_callback(retrieve)
            return joined

    async def close(self) -> None:
        """Gives up what is being built, so that other processes go on at once."""
        tasks = [building.task for building in self._buildings.values() if building.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _claim(self, media: Media, rendition: Rendition, lease: UUID) -> bool:
        try:
            return await store.claim(
                self._db, media, rendition, lease, weight=weight(clock.now()), holder=self._address()
            )
        except asyncio.CancelledError:
            # It may have been written all the same, and nobody would build until the lease runs out.
            await asyncio.shield(asyncio.create_task(self._release(rendition, lease)))
            raise

    async def _release(self, rendition: Rendition, lease: UUID) -> None:
        with suppress(errors.Unavailable, errors.Conflict):
            async with self._db.transaction() as tx:
                await store.release(tx, rendition, lease)

    async def _keep(
        self, building: Building, rendition: Rendition, lease: UUID, fill: Fill, lane: Lane
    ) -> Built:
        """Until it is stored; whatever goes wrong, nothing of it is left to see."""
        begun_at = clock.monotonic()
        renewal = asyncio.create_task(self._renew_for_ever(rendition, lease))
        place = building.spool.reader()  # for those who join after the last of the others has left
        try:
            built = await self._store(building, rendition, lease, fill)
        except BaseException as fault:
            counting.failed.labels(type(fault).__name__).inc()
            await building.fail(fault)
            await self._release(rendition, lease)
            raise
        finally:
            renewal.cancel()
            del self._buildings[rendition]
            place.close()
        _count(rendition, lane, clock.monotonic() - begun_at)
        return built

    async def _store(self, building: Building, rendition: Rendition, lease: UUID, fill: Fill) -> Built:
        """Uploads while it is made, then says so."""
        upload = asyncio.create_task(self._upload(building, rendition))
        try:
            picture = await fill(building)
            built = Built(
                blob=await upload,
                width=picture.width,
                height=picture.height,
                corrupt_frames=picture.corrupt_frames,
            )
        finally:
            upload.cancel()
            await asyncio.wait([upload])
            retrieve(upload)
        async with self._db.transaction() as tx:
            is_ours = await store.complete(tx, rendition, lease, built)
            if is_ours:
                await corrupt_frames.note(tx, rendition.media_id, picture.corrupt)
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


def _count(rendition: Rendition, lane: Lane, seconds: float) -> None:
    kinds = (rendition.form, rendition.quality, lane)
    counting.chunks.labels(*kinds).inc()
    counting.frames.labels(*kinds).inc(len(rendition.frames))
    counting.seconds.labels(*kinds).observe(seconds)
