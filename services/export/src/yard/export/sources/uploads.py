"""Uploads whose files are imported."""

from dataclasses import dataclass

from frameyard.media.v1 import upload_service_pb2 as messages
from yard.export.sources.channels import Channels
from yard.runtime import errors
from yard.runtime.blobs import Blobs
from yard.runtime.rpc import translated
from yard.runtime.workers import BlobSource, BytesSource, PartSource, RangeSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A file in the bucket."""

    name: str
    key: str
    offset: int
    size_bytes: int


async def own_file(
    channels: Channels, authorization: str, upload_id: str, *, most_bytes: int
) -> messages.UploadFile:
    """The only file of a finished upload of the caller; InvalidArgument if it has more bytes."""
    request = messages.GetUploadRequest(id=upload_id, page_size=2)
    with translated():
        found = await channels.uploads_for_caller.GetUpload(
            request, metadata=(("authorization", authorization),)
        )
    if found.upload.state != messages.UPLOAD_STATE_FINISHED:
        raise errors.FailedPrecondition(f"upload {upload_id} is not finished", reason="UPLOAD_NOT_FINISHED")
    if len(found.upload.files) != 1:
        raise errors.invalid("upload_id", "must name an upload of one file")
    [file] = found.upload.files
    if file.size_bytes > most_bytes:
        told = f"the file has {file.size_bytes} bytes, at most {most_bytes} are read"
        raise errors.invalid("upload_id", told)
    return file


async def located(channels: Channels, upload_id: str) -> Located:
    """Where that file lies; NotFound once the upload is gone."""
    request = messages.LocateUploadFileRequest(upload_id=upload_id)
    with translated():
        found = await channels.uploads.LocateUploadFile(request)
    return Located(name=found.name, key=found.key, offset=found.offset, size_bytes=found.size_bytes)


def source_of(blobs: Blobs, file: Located) -> RangeSource:
    """Its bytes by range."""
    if not file.key:
        return BytesSource(b"")
    whole = BlobSource(blobs, file.key, file.offset + file.size_bytes)
    return PartSource(whole, file.offset, file.size_bytes) if file.offset else whole
