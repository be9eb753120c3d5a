"""Uploads from their creation to their end; files are added by `adding`, bytes taken by `receiving`."""

from uuid import UUID

from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media_ingest.domain.uploads import MOST_FILES, parse_upload
from yard.media_ingest.handlers.arranging import arrange
from yard.media_ingest.handlers.context import Ingest, id_of
from yard.media_ingest.handlers.own_uploads import file_of
from yard.media_ingest.handlers.quota import check_quota
from yard.media_ingest.handlers.receiving import to_proto as file_to_proto
from yard.media_ingest.store import uploads as store
from yard.runtime import auth, clock, errors, ids, paging
from yard.runtime.db import Transaction
from yard.runtime.idempotency import once

PAGE = 1_000
LARGEST_PAGE = 10_000

_STATES = {
    "OPEN": messages.UPLOAD_STATE_OPEN,
    "FINISHED": messages.UPLOAD_STATE_FINISHED,
}


async def create_upload(
    ingest: Ingest, request: messages.CreateUploadRequest
) -> messages.CreateUploadResponse:
    """Opens an upload for the caller, or finds that of the slot.

    ResourceExhausted if that is more than one user may have open.
    """
    async with ingest.db.transaction() as tx:
        return await once(
            tx,
            request.request_id,
            request,
            messages.CreateUploadResponse,
            lambda: _create(ingest, tx, request),
        )


async def get_upload(ingest: Ingest, request: messages.GetUploadRequest) -> messages.GetUploadResponse:
    """The upload with one page of its files."""
    limit = paging.size(request.page_size, default=PAGE, largest=LARGEST_PAGE)
    after = paging.decode_number(request.page_token, request, largest=MOST_FILES)
    upload = await (_last_in_slot(ingest, request) if request.slot else _own(ingest, request.id))
    files = await store.list_files(
        ingest.db, upload.id, after=-1 if after is None else after, limit=limit + 1
    )
    token = paging.encode([files[limit - 1].number], request) if len(files) > limit else ""
    return messages.GetUploadResponse(upload=to_proto(upload, files[:limit]), next_page_token=token)


async def get_file(ingest: Ingest, request: messages.GetUploadFileRequest) -> messages.GetUploadFileResponse:
    """One file with its received length, at a cost that does not grow with the upload."""
    upload_id = id_of("upload", request.upload_id)
    file, state = await file_of(ingest, upload_id, request.file_number)
    return messages.GetUploadFileResponse(file=file_to_proto(file), state=_STATES[state])


async def finish_upload(
    ingest: Ingest, request: messages.FinishUploadRequest
) -> messages.FinishUploadResponse:
    """Closes a complete upload and puts its files in order.

    FailedPrecondition names the first file that lacks bytes, InvalidArgument each name of the order that is
    not that of one file.
    """
    upload_id = id_of("upload", request.id)
    async with ingest.db.transaction() as tx:
        upload = await _lock(tx, upload_id)
        if upload.state == "OPEN":
            await _check_complete(tx, upload_id)
        if request.order and not upload.uses:
            await arrange(tx, upload_id, request.order)
        if upload.state == "OPEN":
            await store.finish_upload(tx, upload_id)
    return messages.FinishUploadResponse(upload=to_proto(await _own(ingest, request.id), []))


async def delete_upload(ingest: Ingest, request: messages.DeleteUploadRequest) -> UUID:
    """Hides an upload from now on; returns what is to be freed. FailedPrecondition if media needs it."""
    upload_id = id_of("upload", request.id)
    async with ingest.db.transaction() as tx:
        upload = await _lock(tx, upload_id)
        if upload.uses:
            raise errors.FailedPrecondition(
                "the upload is attached to a task and goes with it", reason="UPLOAD_IN_USE"
            )
        await store.mark_deleted(tx, upload_id)
    return upload_id


async def locate_file(
    ingest: Ingest, request: messages.LocateUploadFileRequest
) -> messages.LocateUploadFileResponse:
    """Where a file of a finished upload lies; NotFound for everybody but services."""
    found = None
    if auth.current().is_service:
        upload_id = id_of("upload", request.upload_id)
        found = await store.finished_file(ingest.db, upload_id, request.file_number)
    if found is None:
        raise errors.NotFound("upload", request.upload_id[:64])
    return messages.LocateUploadFileResponse(
        name=found.name,
        key=found.place.key,
        offset=found.place.offset,
        size_bytes=found.size_bytes,
        sha256=found.sha256,
    )


def to_proto(upload: store.Upload, files: list[store.ListedFile]) -> messages.Upload:
    """The upload as the API shows it."""
    message = messages.Upload(
        id=str(upload.id), state=_STATES[upload.state], slot=upload.slot, files=map(file_to_proto, files)
    )
    message.create_time.FromDatetime(upload.created_at)
    message.expire_time.FromDatetime(upload.expires_at)
    return message


async def _create(
    ingest: Ingest, tx: Transaction, request: messages.CreateUploadRequest
) -> messages.CreateUploadResponse:
    files = parse_upload(request, ingest.settings.upload_max_bytes)
    owner = auth.current().subject
    await store.lock_owner(tx, owner)
    upload = await _in_slot(ingest, tx, owner, request.slot) if request.slot else None
    if upload is None:
        await check_quota(ingest, tx, owner, sum(file.size_bytes for file in files))
        upload = store.Upload(
            id=ids.uuid7(),
            owner=owner,
            state="OPEN",
            uses=0,
            slot=request.slot,
            created_at=clock.now(),
            expires_at=ingest.expiry(),
        )
        await store.insert_upload(tx, upload, files)
    listed = await store.list_files(tx, upload.id, limit=PAGE)
    return messages.CreateUploadResponse(upload=to_proto(upload, listed))


async def _in_slot(ingest: Ingest, tx: Transaction, owner: str, slot: str) -> store.Upload | None:
    """The caller's open upload there; new ones are made under the lock of the owner: there are never two."""
    found = await store.in_slot(tx, owner, slot, clock.now(), ingest.expiry())
    return None if found is None else await store.upload_of(tx, found, owner)


async def _check_complete(tx: Transaction, upload_id: UUID) -> None:
    file = await store.first_incomplete(tx, upload_id)
    if file is not None:
        whole = "an unknown number of" if file.size_unknown else file.size_bytes
        raise errors.FailedPrecondition(
            f"{file.name}: {file.received_bytes} of {whole} bytes have arrived",
            reason="UPLOAD_INCOMPLETE",
            metadata={"file": file.name, "received_bytes": str(file.received_bytes)},
        )


async def _last_in_slot(ingest: Ingest, request: messages.GetUploadRequest) -> store.Upload:
    if request.id:
        raise errors.invalid("slot", "must be empty where the id names the upload")
    found = await store.last_in_slot(ingest.db, auth.current().subject, request.slot, clock.now())
    if found is None:
        raise errors.NotFound("upload", request.slot)
    return await _own(ingest, str(found))


async def _own(ingest: Ingest, text: str) -> store.Upload:
    upload = await store.upload_of(ingest.db, id_of("upload", text), auth.current().subject)
    if upload is None:
        raise errors.NotFound("upload", text)
    return upload


async def _lock(tx: Transaction, upload_id: UUID) -> store.Upload:
    upload = await store.upload_of(tx, upload_id, auth.current().subject, lock=True)
    if upload is None:
        raise errors.NotFound("upload", upload_id)
    return upload
