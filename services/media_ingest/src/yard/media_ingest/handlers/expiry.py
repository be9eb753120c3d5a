"""Uploads that nobody wants any more: hidden by a mark, freed by a collector that can be run again."""

from uuid import UUID

from yard.media_ingest.handlers.context import Ingest
from yard.media_ingest.handlers.leftovers import free_leftovers
from yard.media_ingest.handlers.packer import free_pack
from yard.media_ingest.store import packs
from yard.media_ingest.store import uploads as store
from yard.runtime import clock
from yard.runtime.blobs import Blobs

AT_ONCE = 100
KEYS_AT_ONCE = 1_000


async def purge_uploads(ingest: Ingest) -> int:
    """Hides expired uploads and frees all hidden ones; returns how many."""
    await _free_left_packs(ingest)
    await free_leftovers(ingest)
    await store.mark_expired(ingest.db, clock.now())
    freed = 0
    while upload_ids := await store.deleted(ingest.db, limit=AT_ONCE):
        for upload_id in upload_ids:
            await free_upload(ingest, upload_id)
        freed += len(upload_ids)
    return freed


async def _free_left_packs(ingest: Ingest) -> None:
    """Of uploads that are closed: what killed streams have begun is not needed any more."""
    while left := await packs.left_packs(ingest.db, limit=AT_ONCE):
        for key, multipart_id in left:
            await free_pack(ingest, key, multipart_id)


async def free_upload(ingest: Ingest, upload_id: UUID) -> None:
    """Deletes the bytes of a hidden upload and then its rows, by which they are found again."""
    prefix = f"uploads/{upload_id}/"
    await ingest.blobs.abort_parts(prefix)
    await delete_prefix(ingest.blobs, prefix)
    await store.delete_upload(ingest.db, upload_id)


async def delete_prefix(blobs: Blobs, prefix: str, keep: str = "") -> None:
    """Deletes all objects below a prefix, but for the one to keep."""
    keys: list[str] = []
    async for found in blobs.list(prefix):
        if found.key != keep:
            keys.append(found.key)
        if len(keys) == KEYS_AT_ONCE:
            await blobs.delete(*keys)
            keys.clear()
    if keys:
        await blobs.delete(*keys)
