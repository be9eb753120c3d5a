"""What was made from media that is gone: its rows, then its objects."""

from uuid import UUID

from frameyard.media.v1.media_events_pb2 import MediaDeleted
from yard.chunking.domain import chunks_prefix, previews_prefix
from yard.chunking.handlers.context import Chunking
from yard.chunking.store import chunks as store
from yard.chunking.store import media as media_store
from yard.runtime.blobs import Blobs
from yard.runtime.work import Work

BATCH = 1_000


async def purge_media(chunking: Chunking, work: Work[MediaDeleted]) -> None:
    """Builders that are at it lose their rows first, and remove what they write afterwards themselves."""
    media_id = UUID(work.message.media_id)
    async with work.transaction() as tx:
        await store.delete_chunks(tx, media_id)
    await _delete_prefix(chunking.blobs, chunks_prefix(media_id))
    await _delete_prefix(chunking.blobs, previews_prefix(media_id))
    async with work.finish() as tx:
        await media_store.delete_media(tx, media_id)


async def _delete_prefix(blobs: Blobs, prefix: str) -> None:
    keys: list[str] = []
    async for blob in blobs.list(prefix):
        keys.append(blob.key)
        if len(keys) == BATCH:
            await blobs.delete(*keys)
            keys.clear()
    await blobs.delete(*keys)
