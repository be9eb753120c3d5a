"""Bytes of one file: stored while they arrive, so that a cut costs little.

A file of more than one part is a multipart upload of its object. What lies behind the last whole part when a
stream ends is kept as an object of its own, and the next stream reads it back. Small files are written in one
piece. The stream that came last is the writer; what an earlier one does afterwards counts for nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media_ingest.domain.uploads import PIECE_BYTES
from yard.media_ingest.handlers.context import Ingest, id_of
from yard.media_ingest.handlers.receiver import Receiver, replaced
from yard.media_ingest.store import receiving as store
from yard.media_ingest.store.receiving import ReceivedFile
from yard.runtime import auth, errors, ids, telemetry

T = TypeVar("T")

_log = telemetry.log(__name__)


async def receive(
    ingest: Ingest, requests: AsyncIterator[messages.UploadFileRequest]
) -> messages.UploadFileResponse:
    """Takes one stream; a stream that is cut leaves what it has brought."""
    header = await _header(requests)
    receiver = await _open(ingest, header)
    try:
        async for request in requests:
            receiver.take(_content(request))
            if receiver.has_part:
                await _to_the_end(receiver.store_part())
    except asyncio.CancelledError:
        _begin(receiver.rescue())
        raise
    # A client that has gone away looks like one that has sent all, and we are cancelled a moment later.
    return messages.UploadFileResponse(file=_to_proto(await _to_the_end(receiver.finish())))


_begun: set[asyncio.Task[Any]] = set()


async def end_storing() -> None:
    """Waits for what is still stored of streams that were cut."""
    if _begun:
        await asyncio.wait(_begun)


async def _to_the_end(storing: Coroutine[Any, Any, T]) -> T:
    """Goes on when the call is cancelled: half stored is the worst state to be in."""
    return await asyncio.shield(_begin(storing))


def _begin(storing: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    task = asyncio.create_task(storing)
    _begun.add(task)
    task.add_done_callback(_ended)
    return task


def _ended(task: asyncio.Task[Any]) -> None:
    _begun.discard(task)
    if not task.cancelled() and (fault := task.exception()) is not None:
        _log.info("upload_not_stored", error=repr(fault))


async def _header(requests: AsyncIterator[messages.UploadFileRequest]) -> messages.UploadFileHeader:
    async for request in requests:
        if request.WhichOneof("part") == "header":
            return request.header
        break
    raise errors.invalid("header", "must be the first message of the stream")


def _content(request: messages.UploadFileRequest) -> bytes:
    if request.WhichOneof("part") != "content":
        raise errors.invalid("content", "must be in every message but the first")
    if not 1 <= len(request.content) <= PIECE_BYTES:
        raise errors.invalid("content", f"must be 1 to {PIECE_BYTES} bytes, got {len(request.content)}")
    return request.content


async def _open(ingest: Ingest, header: messages.UploadFileHeader) -> Receiver:
    """Becomes the writer of the file, at its end."""
    upload_id = id_of("upload", header.upload_id)
    found = await store.find(ingest.db, upload_id, header.file_number, auth.current().subject)
    if found is None:
        raise errors.NotFound("upload", f"{upload_id}, file {header.file_number}")
    file, state = found
    if state != "OPEN":
        raise errors.FailedPrecondition("the upload is closed", reason="UPLOAD_FINISHED")
    if header.offset != file.received_bytes:
        raise _wrong_offset(header, file)
    writer = ids.uuid7()
    claimed = await store.claim(ingest.db, file, writer)
    if claimed is None:
        raise replaced(file)
    tail = await ingest.blobs.get(claimed.tail_key) if claimed.tail_key else b""
    return Receiver(ingest, claimed, writer, tail)


def _wrong_offset(header: messages.UploadFileHeader, file: ReceivedFile) -> errors.OutOfRange:
    return errors.OutOfRange(
        f"{file.name}: expected offset {file.received_bytes}, got {header.offset}",
        reason="UPLOAD_OFFSET",
        metadata={"file": file.name, "received_bytes": str(file.received_bytes)},
    )


def _to_proto(file: ReceivedFile) -> messages.UploadFile:
    return messages.UploadFile(
        number=file.number,
        name=file.name,
        size_bytes=file.size_bytes,
        sha256=file.declared_sha256,
        received_bytes=file.received_bytes,
    )
