"""Uploads of the caller; those of others are absent."""

from uuid import UUID

from yard.media_ingest.handlers.context import Ingest
from yard.media_ingest.store import receiving, uploads
from yard.media_ingest.store.receiving import ReceivedFile
from yard.runtime import auth, errors
from yard.runtime.db import Transaction


async def lock_open(tx: Transaction, upload_id: UUID) -> uploads.Upload:
    """An upload that still takes files; the caller's others wait until the end, for the sake of the quota."""
    owner = auth.current().subject
    await uploads.lock_owner(tx, owner)
    upload = await uploads.upload_of(tx, upload_id, owner)
    if upload is None:
        raise errors.NotFound("upload", upload_id)
    if upload.state != "OPEN":
        raise closed()
    return upload


async def file_of(ingest: Ingest, upload_id: UUID, number: int) -> tuple[ReceivedFile, str]:
    """A file with the state of its upload."""
    found = await receiving.find(ingest.db, upload_id, number, auth.current().subject)
    if found is None:
        raise errors.NotFound("upload", f"{upload_id}, file {number}")
    return found


def closed() -> errors.FailedPrecondition:
    """A finished upload stays as it is."""
    return errors.FailedPrecondition("the upload is closed", reason="UPLOAD_FINISHED")
