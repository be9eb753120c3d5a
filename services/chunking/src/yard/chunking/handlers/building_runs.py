"""One run of a build in advance; chunks that are built stay built when it is interrupted."""

import asyncio
from uuid import UUID

from frameyard.chunk.v1.chunk_work_pb2 import ChunkRun
from yard.chunking.domain import Media, Rendition
from yard.chunking.handlers.building import begin_run_again, end_run
from yard.chunking.handlers.context import Chunking
from yard.chunking.store import chunks as store
from yard.chunking.store import media as media_store
from yard.chunking.store.chunks import CHUNK_CHANGED
from yard.runtime import errors
from yard.runtime.db import OPERATION, Transaction
from yard.runtime.pauses import until_any
from yard.runtime.shares import FILE_GONE
from yard.runtime.work import Work

PROGRESS_EVERY_S = 0.5
LOOK_EVERY_S = 2.0
SOURCE_AWAY = "SOURCE_AWAY"
"""Reason of the error that says that a source has not answered for too long."""


async def build_run(chunking: Chunking, work: Work[ChunkRun]) -> None:
    """Builds what is missing of it; ends within a moment when the operation is cancelled."""
    media = await media_store.media_of(chunking.db, UUID(work.message.media_id))
    if media is None:
        raise errors.Cancelled("the media is not wanted any more")
    operation_id = UUID(work.message.operation_id)
    async with work.transaction() as tx:
        await begin_run_again(chunking, tx, media, work)
    attending = asyncio.create_task(_attend(chunking, media, operation_id))
    building = asyncio.create_task(chunking.builder.ensure_run(media, _renditions(work.message, media)))
    try:
        await asyncio.wait([attending, building], return_when=asyncio.FIRST_COMPLETED)
        if not building.done():
            await attending
            raise errors.Cancelled("the build was cancelled")
        await building
    except errors.Unavailable as fault:
        raise _given_up(fault, work, chunking.runtime.settings.source_attempts) from fault
    except errors.NotFound:
        if await media_store.media_of(chunking.db, media.id) is None:
            raise errors.Cancelled("the media is not wanted any more") from None
        raise
    finally:
        await _end(attending, building)
    async with work.finish() as tx:
        await end_run(chunking, tx, media, work)


async def run_failed(
    chunking: Chunking, tx: Transaction, work: Work[ChunkRun], error: errors.YardError
) -> None:
    """The other runs go on, in the transaction that ends this one."""
    media = await media_store.media_of(tx, UUID(work.message.media_id))
    if media is not None:
        await end_run(chunking, tx, media, work, error)


def _given_up(fault: errors.Unavailable, work: Work[ChunkRun], source_attempts: int) -> errors.YardError:
    """Of a source; what the service itself needs is waited for as long as it takes."""
    if fault.reason == FILE_GONE:  # nobody waits here until somebody brings it back
        return errors.FailedPrecondition(fault.message, reason=FILE_GONE, metadata=fault.metadata)
    if not {"file", "share"} & set(fault.metadata) or work.attempt < source_attempts:
        return fault
    # Counted as a try, and kept as a dead letter in the end: it can be driven again when the source is back.
    return errors.DeadlineExceeded(fault.message, reason=SOURCE_AWAY, metadata=fault.metadata)


async def _attend(chunking: Chunking, media: Media, operation_id: UUID) -> None:
    """Tells how far the whole build is, until the operation has ended without us."""
    operations, signals = chunking.runtime.operations, chunking.db.signals
    name = operations.name(operation_id)
    async with signals.listening(CHUNK_CHANGED) as changed, signals.listening(OPERATION) as ended:
        while True:
            changed.clear()
            ended.clear()
            operation = await operations.find(chunking.db, operation_id)
            if operation is None or operation.is_final:
                return
            built = (await store.built_chunks(chunking.db, media)).count
            text = f"{built} of {media.chunk_count} chunks"
            await operations.publish_progress(name, built / media.chunk_count, text)
            await until_any(ended, timeout_s=PROGRESS_EVERY_S)
            await until_any(changed, ended, timeout_s=LOOK_EVERY_S)


def _renditions(run: ChunkRun, media: Media) -> list[Rendition]:
    numbers = range(run.frames.first // media.chunk_size, run.frames.last // media.chunk_size + 1)
    return [
        Rendition(media_id=media.id, quality="compressed", form=media.form, frames=media.chunk(number))
        for number in numbers
    ]


async def _end(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
