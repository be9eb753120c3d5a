"""Files that are added to an open upload: new ones, and those that begin again or take another's place."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media_ingest.domain.uploads import MOST_FILES, NewFile, parse_files
from yard.media_ingest.handlers.context import Ingest, id_of
from yard.media_ingest.handlers.leftovers import free_leftovers
from yard.media_ingest.handlers.own_uploads import closed, lock_open
from yard.media_ingest.handlers.quota import check_quota
from yard.media_ingest.handlers.storing import begin
from yard.media_ingest.store import adding as store
from yard.media_ingest.store import uploads as upload_store
from yard.media_ingest.store.adding import KnownFile
from yard.runtime import errors
from yard.runtime.db import Transaction

MOST_NAMED = 10


async def add_files(
    ingest: Ingest, request: messages.AddUploadFilesRequest
) -> messages.AddUploadFilesResponse:
    """Adds the files in one step; AlreadyExists names complete ones that may not be replaced."""
    upload_id = id_of("upload", request.upload_id)
    files = parse_files(request.files, ingest.settings.upload_max_bytes)
    async with ingest.db.transaction() as tx:
        upload = await lock_open(tx, upload_id)
        known = await store.lock_known(tx, upload_id, files)
        _check_replaced(files, known, is_allowed=request.replace)
        numbered = _numbered(files, known, await store.next_number(tx, upload_id))
        more = sum(file.size_bytes for file in files) - sum(file.charged_bytes for file in known.values())
        await check_quota(ingest, tx, upload.owner, more)
        has_left = await _write(tx, upload, numbered, known)
        if not await store.grow(tx, upload_id, more, ingest.expiry()):
            raise closed()
    if has_left:
        begin(free_leftovers(ingest, upload_id))
    return messages.AddUploadFilesResponse(files=map(_to_proto, numbered))


async def _write(
    tx: Transaction, upload: upload_store.Upload, files: Sequence[NewFile], known: Mapping[str, KnownFile]
) -> bool:
    """Returns whether objects are left that are to be freed."""
    again = {file.number: file for file in files if file.name in known}
    left = [file.number for file in known.values() if file.has_objects]
    if left:
        await store.leave_objects(tx, upload.id, left)
    if again:
        await store.begin_again(tx, upload.id, again)
    await upload_store.insert_files(tx, upload.id, (file for file in files if file.name not in known))
    return bool(left)


def _check_replaced(files: Sequence[NewFile], known: Mapping[str, KnownFile], *, is_allowed: bool) -> None:
    """An empty file that is told of again is the same."""
    if is_allowed:
        return
    names = [file.name for file in files if _is_in_the_way(file, known.get(file.name))]
    if names:
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        raise errors.AlreadyExists(
            f"{', '.join(names[:MOST_NAMED])}{more}: complete in this upload already",
            reason="UPLOAD_FILE_COMPLETE",
            metadata={"file": names[0]},
        )


def _is_in_the_way(file: NewFile, known: KnownFile | None) -> bool:
    return known is not None and known.is_complete and not (file.is_empty and known.charged_bytes == 0)


def _numbered(files: Sequence[NewFile], known: Mapping[str, KnownFile], first: int) -> list[NewFile]:
    """Known names keep their numbers, new ones get the next."""
    numbered = []
    for file in files:
        if file.name in known:
            number = known[file.name].number
        else:
            number, first = first, first + 1
        numbered.append(replace(file, number=number))
    if first > MOST_FILES:
        raise errors.ResourceExhausted(
            f"an upload has at most {MOST_FILES} files, these would make {first}", reason="UPLOAD_FILES"
        )
    return numbered


def _to_proto(file: NewFile) -> messages.UploadFile:
    return messages.UploadFile(
        number=file.number,
        name=file.name,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        is_complete=file.is_empty,
    )
