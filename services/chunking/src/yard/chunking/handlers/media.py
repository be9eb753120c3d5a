"""Media that comes and goes."""

from uuid import UUID

from frameyard.media.v1 import media_pb2
from frameyard.media.v1.media_events_pb2 import MediaDeleted, MediaIndexed
from yard.chunking.domain import Media
from yard.chunking.handlers import building
from yard.chunking.handlers.context import PURGE_MEDIA, Chunking
from yard.chunking.handlers.knowing import MEDIA_CHANGED
from yard.chunking.store import media as store
from yard.runtime.blobs import BlobRef
from yard.runtime.bus import Event
from yard.runtime.db import Transaction


async def take_media(chunking: Chunking, tx: Transaction, event: Event[MediaIndexed]) -> None:
    """Keeps where the plan lies, and queues the building of all chunks unless they are made on demand."""
    indexed = event.message.media
    media_id = UUID(indexed.id)
    if await store.is_known(tx, media_id):
        return
    operation_id = None
    if not indexed.data.use_cache:
        operation_id = await building.queue_build(chunking, tx, media_id, indexed.task_id)
    await store.insert_media(tx, _media(media_id, indexed, operation_id))
    tx.wake(MEDIA_CHANGED)


async def drop_media(chunking: Chunking, tx: Transaction, event: Event[MediaDeleted]) -> None:
    """Hides it at once; what was made from it goes by work."""
    media_id = UUID(event.message.media_id)
    if not await store.is_known(tx, media_id):
        return
    operation_id = await store.mark_deleted(tx, media_id)
    tx.wake(MEDIA_CHANGED)
    if operation_id is not None:
        await chunking.runtime.operations.cancel(tx, operation_id)
    await tx.enqueue(event.message, kind=PURGE_MEDIA, unique=f"{PURGE_MEDIA}/{media_id}")


def _media(media_id: UUID, indexed: media_pb2.Media, operation_id: UUID | None) -> Media:
    is_mp4 = indexed.data.chunk_format == media_pb2.CHUNK_FORMAT_MP4
    is_video = indexed.kind == media_pb2.MEDIA_KIND_VIDEO
    plan = BlobRef.from_proto(indexed.plan)
    return Media(
        id=media_id,
        task_id=indexed.task_id,
        kind="video" if is_video else "images",
        size=indexed.size,
        width=indexed.width,
        height=indexed.height,
        image_quality=indexed.data.image_quality,
        chunk_size=indexed.data.chunk_size,
        form="mp4" if is_mp4 and is_video else "zip",
        use_cache=indexed.data.use_cache,
        plan_key=plan.key,
        plan_size_bytes=plan.size_bytes,
        operation_id=operation_id,
    )
