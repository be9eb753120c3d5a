"""Bytes of one file: stored while they arrive, so that a cut costs little.

A file of more than one part is a multipart upload of its object. What lies behind the last part when a stream
ends is another part if it is long enough; else it is kept as an object of its own, and the next stream reads
it back. Small files are written in one piece. The stream that came last is the writer; what an earlier one
does afterwards counts for nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media_ingest.domain.uploads import PIECE_BYTES
from yard.media_ingest.handlers.context import Ingest, id_of
from yard.media_ingest.handlers.counting import received_by_upload
from yard.media_ingest.handlers.draining import drain
from yard.media_ingest.handlers.own_uploads import closed, file_of
from yard.media_ingest.handlers.receiver import Receiver, replaced
from yard.media_ingest.handlers.storing import begin, to_the_end
from yard.media_ingest.store import direct
from yard.media_ingest.store import receiving as store
from yard.media_ingest.store.receiving import ReceivedFile
from yard.media_ingest.store.uploads import ListedFile
from yard.runtime import errors, ids


async def receive(
    ingest: Ingest, requests: AsyncIterator[messages.UploadFileRequest]
) -> messages.UploadFileResponse:
    """Takes one stream; a stream that is cut leaves what it has brought."""
    try:
        return await _receive(ingest, requests)
    except errors.YardError:
        await drain(requests)
        raise


async def _receive(
    ingest: Ingest, requests: AsyncIterator[messages.UploadFileRequest]
) -> messages.UploadFileResponse:
    header = await _header(requests)
    receiver = await _open(ingest, header)
    end: int | None = None
    try:
        async for request in requests:
            if end is not None:
                raise errors.invalid("end", "must be the last message of the stream")
            if request.WhichOneof("part") == "end":
                end = request.end.size_bytes
                continue
            receiver.take(_content(request))
            if receiver.has_part:
                await receiver.store_part()
    except asyncio.CancelledError:
        begin(receiver.rescue())
        raise
    # A client that has gone away looks like one that has sent all, and we are cancelled a moment later.
    return messages.UploadFileResponse(file=to_proto(await to_the_end(receiver.finish(end))))


async def _header(requests: AsyncIterator[messages.UploadFileRequest]) -> messages.UploadFileHeader:
    async for request in requests:
        if request.WhichOneof("part") == "header":
            return request.header
        break
    raise errors.invalid("header", "must be the first message of the stream")


def _content(request: messages.UploadFileRequest) -> bytes:
    if request.WhichOneof("part") != "content":
        raise errors.invalid("content", "must be in every message but the first, and the end of the file")
    if not 1 <= len(request.content) <= PIECE_BYTES:
        raise errors.invalid("content", f"must be 1 to {PIECE_BYTES} bytes, got {len(request.content)}")
    received_by_upload.inc(len(request.content))
    return request.content


async def _open(ingest: Ingest, header: messages.UploadFileHeader) -> Receiver:
    """Becomes the writer of the file, at its end."""
    upload_id = id_of("upload", header.upload_id)
    file, state = await file_of(ingest, upload_id, header.file_number)
    if state != "OPEN":
        raise closed()
    if header.offset != file.received_bytes:
        raise _wrong_offset(header, file)
    writer = ids.uuid7()
    claimed = await store.claim(ingest.db, file, writer)
    if claimed is None:
        raise replaced(file)
    if claimed.is_direct:
        claimed = await _without_parts_of_client(ingest, claimed, writer)
    tail = await ingest.blobs.get(claimed.tail_key) if claimed.tail_key else b""
    return Receiver(ingest, claimed, writer, tail)


async def _without_parts_of_client(ingest: Ingest, file: ReceivedFile, writer: UUID) -> ReceivedFile:
    """What the client has sent to the store by itself counts for nothing: the stream came later."""
    if not await direct.leave(ingest.db, file, writer):
        raise replaced(file)
    if file.blob_key is not None and file.multipart_id is not None:
        with suppress(errors.NotFound):
            await ingest.blobs.in_parts(file.blob_key).abort(file.multipart_id)
    return replace(file, blob_key=None, multipart_id=None, is_direct=False)


def _wrong_offset(header: messages.UploadFileHeader, file: ReceivedFile) -> errors.OutOfRange:
    return errors.OutOfRange(
        f"{file.name}: expected offset {file.received_bytes}, got {header.offset}",
        reason="UPLOAD_OFFSET",
        metadata={"file": file.name, "received_bytes": str(file.received_bytes)},
    )


def to_proto(file: ReceivedFile | ListedFile) -> messages.UploadFile:
    """The file as the API shows it."""
    return messages.UploadFile(
        number=file.number,
        name=file.name,
        size_bytes=file.size_bytes,
        sha256=file.declared_sha256,
        received_bytes=file.received_bytes,
        is_complete=file.is_complete,
    )
