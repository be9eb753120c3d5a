"""What the task service asks for: media is wanted, no longer wanted, or gone for good."""

import secrets
from uuid import UUID

from frameyard.media.v1 import media_pb2
from frameyard.media.v1.media_events_pb2 import MediaDeleted, MediaFailed
from frameyard.task.v1.task_events_pb2 import MediaRequestCancelled, MediaRequested, TaskPurged
from yard.media_ingest.handlers.context import INDEX_MEDIA, PURGE_MEDIA, SERVICE_NAME, Ingest
from yard.media_ingest.store import media as store
from yard.media_ingest.store import uploads as upload_store
from yard.media_ingest.store.media import MediaRow
from yard.runtime import clock, errors
from yard.runtime.bus import Event
from yard.runtime.db import Lane, Transaction
from yard.runtime.operations import Operation

SMALL_BYTES = 64 * 1024 * 1024
"""Media up to this size is indexed before larger media: somebody waits for it."""


async def request_media(ingest: Ingest, tx: Transaction, event: Event[MediaRequested]) -> None:
    """Notes the media, holds its uploads and enqueues the indexing, which checks everything else."""
    request = event.message
    media_id = UUID(request.media_id)
    operation_id = await ingest.runtime.operations.create(
        tx, kind=INDEX_MEDIA, target=f"media/{media_id}", owner=f"service:{SERVICE_NAME}"
    )
    media = _new_media(request, media_id, operation_id)
    if not await store.insert_media(tx, media):
        raise errors.Poison(f"media {media_id} was asked for twice")
    await _hold_uploads(tx, media)
    await tx.enqueue(
        request,
        kind=INDEX_MEDIA,
        owner=media.owner,
        lane=await _lane(tx, media_id),
        operation_id=operation_id,
        unique=f"{INDEX_MEDIA}/{media_id}",
    )


async def cancel_request(ingest: Ingest, tx: Transaction, event: Event[MediaRequestCancelled]) -> None:
    """Stops the indexing; media that is ready already goes as with its task."""
    media = await store.media_of(tx, UUID(event.message.media_id), lock=True)
    if media is None:
        return
    if media.state == "READY":
        await _purge(ingest, tx, media)
    elif media.state == "INDEXING":
        await store.set_state(tx, media, "CANCELLED")
        await ingest.runtime.operations.cancel(tx, media.operation_id)
        await upload_store.release_uploads(tx, media.id, ingest.expiry())
        await _free(tx, media)


async def purge_task(ingest: Ingest, tx: Transaction, event: Event[TaskPurged]) -> None:
    """Lets all media go that the task has ever asked for."""
    for media in await store.media_of_task(tx, event.message.task_id):
        await _purge(ingest, tx, media)


async def note_failure(ingest: Ingest, tx: Transaction, media_id: UUID, error: errors.YardError) -> None:
    """Media that cannot be indexed: tells so once, and leaves the uploads to their owner."""
    media = await store.media_of(tx, media_id, lock=True)
    if media is None or media.state != "INDEXING":
        return
    await store.set_state(tx, media, "FAILED")
    await upload_store.release_uploads(tx, media.id, ingest.expiry())
    failed = MediaFailed(media_id=str(media.id), task_id=media.task_id, error=errors.to_status(error))
    await tx.emit(failed, key=str(media.task_id))
    await _free(tx, media)


async def note_cancel(ingest: Ingest, tx: Transaction, operation: Operation) -> None:
    """An administrator has cancelled the indexing itself: the task must hear of it."""
    media_id = UUID(operation.target.removeprefix("media/"))
    await note_failure(ingest, tx, media_id, errors.Cancelled("indexing was cancelled"))


async def _purge(ingest: Ingest, tx: Transaction, media: MediaRow) -> None:
    """Hides media and tells so; its objects are deleted by work of their own."""
    await store.set_state(tx, media, "DELETED")
    await ingest.runtime.operations.cancel(tx, media.operation_id)
    await upload_store.release_uploads(tx, media.id, clock.now())
    await tx.emit(MediaDeleted(media_id=str(media.id), task_id=media.task_id), key=str(media.task_id))
    await _free(tx, media)


async def _free(tx: Transaction, media: MediaRow) -> None:
    """Enqueues the deletion of all objects, after every change that makes them useless."""
    message = MediaDeleted(media_id=str(media.id), task_id=media.task_id)
    await tx.enqueue(message, kind=PURGE_MEDIA)


def _new_media(request: MediaRequested, media_id: UUID, operation_id: UUID) -> MediaRow:
    created_at = clock.now()
    summary = media_pb2.Media(id=str(media_id), task_id=request.task_id, state=media_pb2.MEDIA_STATE_INDEXING)
    summary.create_time.FromDatetime(created_at)
    has_seed = request.data.HasField("random_seed")
    return MediaRow(
        id=media_id,
        task_id=request.task_id,
        user_id=request.user_id,
        state="INDEXING",
        spec=request.data,
        seed=request.data.random_seed if has_seed else secrets.randbits(31),
        operation=request.operation,
        operation_id=operation_id,
        summary=summary,
        created_at=created_at,
    )


async def _hold_uploads(tx: Transaction, media: MediaRow) -> None:
    """Uploads that are not there, not finished or not the user's stay unheld: indexing says so."""
    for upload_id in sorted(upload_ids(media.spec)):
        if await upload_store.use_upload(tx, upload_id, media.owner):
            await store.note_use(tx, media.id, upload_id)


def upload_ids(spec: media_pb2.DataSpec) -> list[UUID]:
    """The named uploads in order, without repeats; names that are no UUID are left out."""
    found: dict[UUID, None] = {}
    for source in spec.sources:
        try:
            found[UUID(source.upload.upload_id)] = None
        except ValueError:
            continue
    return list(found)


async def _lane(tx: Transaction, media_id: UUID) -> Lane:
    return "interactive" if await store.used_bytes(tx, media_id) <= SMALL_BYTES else "bulk"
