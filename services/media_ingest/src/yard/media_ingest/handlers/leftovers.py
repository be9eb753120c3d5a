"""Objects of files that began again: freed after the change, and by the collector if that is killed."""

from contextlib import suppress
from uuid import UUID

from yard.media_ingest.handlers.context import Ingest
from yard.media_ingest.store import leftovers as store
from yard.runtime import errors

AT_ONCE = 1_000


async def free_leftovers(ingest: Ingest, upload_id: UUID | None = None) -> None:
    """Those of one upload or of all; may run twice at the same time."""
    while left := await store.left(ingest.db, upload_id, limit=AT_ONCE):
        for key, multipart_id in left:
            if multipart_id is not None:
                with suppress(errors.NotFound):
                    await ingest.blobs.in_parts(key).abort(multipart_id)
        keys = [key for key, _ in left]
        await ingest.blobs.delete(*keys)
        await store.forget(ingest.db, keys)
