"""Many small files in one stream: whole, in any order, and complete as soon as their pack is stored.

A kill costs the pack that was on its way, a cut that the service lives through only the file that was.
Streams need no order among each other: of two that bring one file, the first that stores it has brought it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media_ingest.domain.uploads import LARGEST_PACKED_BYTES, MOST_FILES, PIECE_BYTES
from yard.media_ingest.handlers.context import Ingest, id_of
from yard.media_ingest.handlers.counting import received_by_upload
from yard.media_ingest.handlers.draining import drain
from yard.media_ingest.handlers.own_uploads import closed
from yard.media_ingest.handlers.packer import Packer
from yard.media_ingest.handlers.storing import begin, to_the_end
from yard.media_ingest.store import packs as store
from yard.media_ingest.store.packs import AwaitedFile
from yard.runtime import auth, errors

Requests = AsyncIterator[messages.UploadFilesRequest]

PAGE = 1_000
MOST_PAGES = 8


async def receive_files(ingest: Ingest, requests: Requests) -> messages.UploadFilesResponse:
    """Takes one stream; a stream that is cut or wrong leaves the whole files that came before."""
    try:
        return await _receive(ingest, requests)
    except errors.YardError:
        await drain(requests)
        raise


async def _receive(ingest: Ingest, requests: Requests) -> messages.UploadFilesResponse:
    stream = _Stream(aiter(requests))
    upload_id = await _open(ingest, await stream.upload_id())
    packer = Packer(ingest, upload_id)
    try:
        count = await _take_all(stream, _Awaited(ingest, upload_id), packer)
    except asyncio.CancelledError:
        begin(packer.rescue())
        raise
    except errors.YardError:
        with suppress(errors.YardError):
            await to_the_end(packer.flush())
        raise
    await to_the_end(packer.flush())
    return messages.UploadFilesResponse(stored_count=count)


async def _take_all(stream: "_Stream", awaited: "_Awaited", packer: Packer) -> int:
    """Packs what is not complete yet; returns how many different files have come."""
    seen: set[int] = set()
    while (number := await stream.next_file()) is not None:
        file = await awaited.file(number)
        _check(file)
        if file.is_complete or number in seen:
            async for _ in stream.content(file):
                pass
        else:
            await packer.add(file, stream.content(file))
        seen.add(number)
    return len(seen)


async def _open(ingest: Ingest, text: str) -> UUID:
    upload_id = id_of("upload", text)
    state = await store.state_of(ingest.db, upload_id, auth.current().subject)
    if state is None:
        raise errors.NotFound("upload", upload_id)
    if state != "OPEN":
        raise closed()
    return upload_id


def _check(file: AwaitedFile) -> None:
    if file.size_unknown:
        raise errors.invalid(
            "entry.file_number", f"{file.name} has a length that its end tells: send it with UploadFile"
        )
    if file.size_bytes > LARGEST_PACKED_BYTES:
        raise errors.invalid(
            "entry.file_number",
            f"{file.name} has more than {LARGEST_PACKED_BYTES} bytes: send it with UploadFile",
        )
    if file.is_begun and not file.is_complete:
        raise errors.FailedPrecondition(
            f"{file.name} has begun to arrive another way: go on with it",
            reason="UPLOAD_BEGUN",
            metadata={"file": file.name},
        )


class _Stream:
    """The messages of a stream by their order: the upload, then entries, each with its declared bytes."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._last: AwaitedFile | None = None

    async def upload_id(self) -> str:
        """The first message."""
        request = await anext(self._requests, None)
        if request is None or request.WhichOneof("part") != "upload_id":
            raise errors.invalid("upload_id", "must be the first message of the stream")
        return request.upload_id

    async def next_file(self) -> int | None:
        """Number of the file that begins now; None at the end of the stream."""
        request = await anext(self._requests, None)
        if request is None:
            return None
        if (part := request.WhichOneof("part")) == "entry":
            return request.entry.file_number
        if part == "content" and self._last is not None:
            raise _wrong_length(self._last, "more")
        raise errors.invalid("entry", "must come before the bytes of a file")

    async def content(self, file: AwaitedFile) -> AsyncIterator[bytes]:
        """Exactly the declared bytes."""
        self._last = file
        left = file.size_bytes
        while left:
            piece = await self._piece(file)
            left -= len(piece)
            if left < 0:
                raise _wrong_length(file, "more")
            yield piece

    async def _piece(self, file: AwaitedFile) -> bytes:
        request = await anext(self._requests, None)
        if request is None or request.WhichOneof("part") != "content":
            raise _wrong_length(file, "fewer")
        if not 1 <= len(request.content) <= PIECE_BYTES:
            raise errors.invalid("content", f"must be 1 to {PIECE_BYTES} bytes, got {len(request.content)}")
        received_by_upload.inc(len(request.content))
        return request.content


class _Awaited:
    """Files by number, read in pages of neighbours; a bounded number of pages is kept."""

    def __init__(self, ingest: Ingest, upload_id: UUID) -> None:
        self._ingest = ingest
        self._upload_id = upload_id
        self._pages: dict[int, dict[int, AwaitedFile]] = {}

    async def file(self, number: int) -> AwaitedFile:
        """NotFound if the upload has no such file."""
        page = number // PAGE
        if page not in self._pages and 0 <= number < MOST_FILES:
            await self._read(page)
        file = self._pages.get(page, {}).get(number)
        if file is None:
            raise errors.NotFound("upload", f"{self._upload_id}, file {number}")
        return file

    async def _read(self, page: int) -> None:
        if len(self._pages) == MOST_PAGES:
            del self._pages[next(iter(self._pages))]
        files = await store.awaited_files(self._ingest.db, self._upload_id, first=page * PAGE, limit=PAGE)
        self._pages[page] = {file.number: file for file in files}


def _wrong_length(file: AwaitedFile, how: str) -> errors.InvalidArgument:
    description = f"{file.name} was declared with {file.size_bytes} bytes, {how} have come"
    return errors.invalid("content", description)
