"""All chunks of media in advance, in order; chunks that are built stay built when the work is interrupted."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice
from uuid import UUID

from frameyard.chunk.v1.chunk_events_pb2 import ChunksBuilt, ChunksFailed
from frameyard.media.v1.media_events_pb2 import MediaIndexed
from yard.chunking.domain import Media, Rendition
from yard.chunking.handlers.context import Chunking
from yard.chunking.store import chunks as store
from yard.chunking.store import media as media_store
from yard.runtime import errors
from yard.runtime.db import Transaction
from yard.runtime.shares import FILE_GONE
from yard.runtime.work import Work

PAGE = 200


async def build_chunks(chunking: Chunking, work: Work[MediaIndexed]) -> None:
    """Builds what is missing, and tells when all is there."""
    media_id = UUID(work.message.media.id)
    media = await media_store.media_of(chunking.db, media_id)
    if media is None:
        raise errors.Cancelled("the media is not wanted any more")
    try:
        await _build_missing(chunking, work, media)
    except errors.Unavailable as fault:
        if fault.reason == FILE_GONE:  # nobody waits here until somebody brings it back
            raise errors.FailedPrecondition(
                fault.message, reason=FILE_GONE, metadata=fault.metadata
            ) from fault
        raise
    except errors.NotFound:
        if await media_store.media_of(chunking.db, media_id) is None:
            raise errors.Cancelled("the media is not wanted any more") from None
        raise
    await _finish(work, media)


async def _build_missing(chunking: Chunking, work: Work[MediaIndexed], media: Media) -> None:
    done = 0
    for page in _batches(media.chunks(), PAGE):
        missing = await _missing(chunking, media, page)
        done += len(page) - len(missing)
        for group in _batches(iter(missing), _width(chunking)):
            await asyncio.gather(*(chunking.builder.ensure(media, rendition) for rendition in group))
            done += len(group)
            await work.progress(done / media.chunk_count, f"{done} of {media.chunk_count} chunks")


async def _finish(work: Work[MediaIndexed], media: Media) -> None:
    async with work.finish() as tx:
        built = await store.built_chunks(tx, media)
        finished = ChunksBuilt(
            media_id=str(media.id),
            task_id=media.task_id,
            chunk_count=media.chunk_count,
            size_bytes=built.size_bytes,
        )
        await tx.emit(finished, key=str(media.task_id))


async def tell_failure(tx: Transaction, work: Work[MediaIndexed], error: errors.YardError) -> None:
    """Tells the world, in the transaction that ends the work."""
    media = work.message.media
    failed = ChunksFailed(media_id=media.id, task_id=media.task_id, error=errors.to_status(error))
    await tx.emit(failed, key=str(media.task_id))


async def _missing(chunking: Chunking, media: Media, page: Sequence[Rendition]) -> list[Rendition]:
    built = await store.built_among(chunking.db, page)
    return [rendition for rendition in page if rendition.frames not in built]


def _width(chunking: Chunking) -> int:
    """Chunks at a time: interactive requests have the other process."""
    return max(1, chunking.runtime.settings.worker_processes - 1)


def _batches(renditions: Iterator[Rendition], size: int) -> Iterator[list[Rendition]]:
    while batch := list(islice(renditions, size)):
        yield batch
