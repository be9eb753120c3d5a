"""All chunks of media in advance: a plan of runs that all replicas share, in order."""

from collections.abc import Sequence
from uuid import UUID

from frameyard.chunk.v1.chunk_events_pb2 import ChunksBuilt, ChunksFailed
from frameyard.chunk.v1.chunk_work_pb2 import ChunkRun
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from frameyard.media.v1.media_events_pb2 import MediaIndexed
from google.rpc import status_pb2
from yard.chunking.build.run_plan import image_runs, video_runs
from yard.chunking.domain import Frames, Media
from yard.chunking.handlers.context import BUILD_CHUNKS, BUILD_RUN, SERVICE_NAME, Chunking
from yard.chunking.store import builds
from yard.chunking.store import chunks as store
from yard.chunking.store import media as media_store
from yard.media.selection import FrameSelection
from yard.runtime import errors
from yard.runtime.db import Transaction
from yard.runtime.work import Work


async def queue_build(chunking: Chunking, tx: Transaction, media_id: UUID, task_id: int) -> UUID:
    """Queues the building of all chunks; returns the operation, to be kept with the media.

    It is driven by its runs and not by a row of work: cancelling it ends it at once, and they follow.
    """
    operation_id = await chunking.runtime.operations.create(
        tx, kind=BUILD_CHUNKS, target=f"tasks/{task_id}", owner=f"service:{SERVICE_NAME}"
    )
    reminder = MediaIndexed(media=media_pb2.Media(id=str(media_id), task_id=task_id))
    await tx.enqueue(reminder, kind=BUILD_CHUNKS, owner=f"tasks/{task_id}")
    return operation_id


async def plan_build(chunking: Chunking, work: Work[MediaIndexed]) -> None:
    """Splits the media into runs and queues them; nothing is built here."""
    media = await media_store.media_of(chunking.db, UUID(work.message.media.id))
    if media is None or media.operation_id is None:
        raise errors.Cancelled("the media is not to be built any more")
    runs = await _runs(chunking, media)
    async with work.finish() as tx:
        if not await chunking.runtime.operations.start(tx, media.operation_id):
            return
        await builds.begin(tx, media.operation_id, media.id, len(runs))
        for frames in runs:
            run = ChunkRun(
                media_id=str(media.id),
                frames=FrameRange(first=frames.first, last=frames.last),
                operation_id=str(media.operation_id),
            )
            await tx.enqueue(run, kind=BUILD_RUN, owner=work.owner)


async def _runs(chunking: Chunking, media: Media) -> Sequence[Frames]:
    if media.kind == "images":
        return list(image_runs(media))
    head = await chunking.plans.head(media)
    selection = FrameSelection(start=head.start, step=head.step)
    return list(video_runs(media, await chunking.plans.video_index(media), selection))


async def plan_failed(
    chunking: Chunking, tx: Transaction, work: Work[MediaIndexed], error: errors.YardError
) -> None:
    """Ends the operation, in the transaction that ends the work."""
    media = await media_store.media_of(tx, UUID(work.message.media.id))
    if media is not None and media.operation_id is not None:
        await _fail(chunking, tx, media, media.operation_id, errors.to_status(error))


async def begin_run_again(chunking: Chunking, tx: Transaction, media: Media, work: Work[ChunkRun]) -> None:
    """A run that had failed is driven again: with it its operation goes on, unless there is a newer one."""
    operation_id = UUID(work.message.operation_id)
    if await builds.begin_again(tx, operation_id, work.id):
        if media.operation_id != operation_id:
            raise errors.Cancelled("the media is not to be built by this operation any more")
        await chunking.runtime.operations.reopen(tx, operation_id)


async def end_run(
    chunking: Chunking,
    tx: Transaction,
    media: Media,
    work: Work[ChunkRun],
    error: errors.YardError | None = None,
) -> None:
    """One run has ended, well or with a fault; the last one ends the operation and tells of it."""
    operation_id = UUID(work.message.operation_id)
    status = None if error is None else errors.to_status(error).SerializeToString()
    build = await builds.end_run(tx, operation_id, work.id, status)
    if build is None or build.runs_left:
        return
    if build.error is not None:
        await _fail(chunking, tx, media, operation_id, status_pb2.Status.FromString(build.error))
    elif await chunking.runtime.operations.complete(tx, operation_id):
        built = await store.built_chunks(tx, media)
        finished = ChunksBuilt(
            media_id=str(media.id),
            task_id=media.task_id,
            chunk_count=media.chunk_count,
            size_bytes=built.size_bytes,
        )
        await tx.emit(finished, key=str(media.task_id))


async def _fail(
    chunking: Chunking, tx: Transaction, media: Media, operation_id: UUID, status: status_pb2.Status
) -> None:
    """Nobody is told of the fault of a build that was cancelled."""
    if await chunking.runtime.operations.fail(tx, operation_id, errors.from_status(status)):
        failed = ChunksFailed(media_id=str(media.id), task_id=media.task_id, error=status)
        await tx.emit(failed, key=str(media.task_id))
