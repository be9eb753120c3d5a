"""Single files that are taken out of an open upload; the others stay."""

from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media_ingest.handlers.context import Ingest, id_of
from yard.media_ingest.handlers.leftovers import free_leftovers
from yard.media_ingest.handlers.own_uploads import closed, lock_open
from yard.media_ingest.handlers.storing import begin
from yard.media_ingest.store import adding
from yard.media_ingest.store import removing as store
from yard.runtime import errors


async def remove_file(
    ingest: Ingest, request: messages.RemoveUploadFileRequest
) -> messages.RemoveUploadFileResponse:
    """Takes the file out at once, and frees its objects afterwards; streams that bring it are fenced off."""
    upload_id = id_of("upload", request.upload_id)
    async with ingest.db.transaction() as tx:
        await lock_open(tx, upload_id)
        file = await store.lock_file(tx, upload_id, request.file_number)
        if file is None:
            raise errors.NotFound("upload", f"{upload_id}, file {request.file_number}")
        if file.has_objects:
            await adding.leave_objects(tx, upload_id, [file.number])
        if not await store.remove_file(tx, upload_id, file, ingest.expiry()):
            raise closed()
    if file.has_objects:
        begin(free_leftovers(ingest, upload_id))
    return messages.RemoveUploadFileResponse()
