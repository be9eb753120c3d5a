"""Media that is gone, failed or cancelled: its objects, then what rows lead to them."""

from uuid import UUID

from frameyard.media.v1.media_events_pb2 import MediaDeleted
from yard.media_ingest.handlers.context import Ingest, media_prefix, unpacked_prefix
from yard.media_ingest.handlers.copying import end_copies
from yard.media_ingest.handlers.expiry import delete_prefix
from yard.media_ingest.handlers.fetched import free_parts
from yard.media_ingest.handlers.results import results_key
from yard.media_ingest.store import batches as batch_store
from yard.media_ingest.store import media as store
from yard.media_ingest.store import remote as remote_store
from yard.runtime import errors
from yard.runtime.work import Work


async def purge_media(ingest: Ingest, work: Work[MediaDeleted]) -> None:
    """Frees the objects of media once nobody writes them any more."""
    media_id = UUID(work.message.media_id)
    media = await store.media_of(ingest.db, media_id)
    if media is not None:
        indexing = await ingest.runtime.operations.find(ingest.db, media.operation_id)
        if indexing is not None and not indexing.is_final:
            raise errors.Unavailable("the indexing of this media has not ended yet")
        for key, multipart_id in await remote_store.open_parts(ingest.db, media_id):
            await free_parts(ingest.blobs, key, multipart_id)
        await end_copies(ingest, media_id)
        await ingest.blobs.abort_parts(unpacked_prefix(media_id))
        keep = results_key(media_id) if media.state == "FAILED" else ""  # they tell why
        await delete_prefix(ingest.blobs, media_prefix(media_id), keep)
    async with work.finish() as tx:
        await batch_store.delete_batches(tx, media_id)
        await remote_store.delete_files(tx, media_id)
        await store.delete_media(tx, media_id)
