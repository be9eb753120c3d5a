"""Bytes that clients send, on their way into an upload: small files together, large ones as they come.

A connection that breaks leaves small files that were whole, and a large one that is not complete.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Final, TypeVar

from frameyard.media.v1 import upload_service_pb2 as uploads
from starlette.requests import ClientDisconnect, Request
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors

R = TypeVar("R")

PIECE_BYTES: Final = 1024 * 1024
SMALL_BYTES: Final = 1024 * 1024
BATCH_BYTES: Final = 8 * 1024 * 1024
BATCH_FILES: Final = 1_000
LONGEST_NAME: Final = 1024
WAITS_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0)

_FIELD = re.compile(r"files\[(\d+)\]\.(\w+)")


async def body_of(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes; Cancelled if the connection breaks before its end."""
    try:
        async for piece in request.stream():
            if piece:
                yield piece
    except ClientDisconnect as fault:
        raise errors.Cancelled("the connection was cut before the end of the body") from fault


def base_name(given: str, field: str) -> str:
    """The last part of a name, which may have folders of the client's computer; InvalidArgument if none."""
    name = given.replace("\\", "/").rpartition("/")[2]
    if not 1 <= len(name) <= LONGEST_NAME or name in (".", "..") or not _is_plain(name):
        raise errors.invalid(field, f"file name {given[:80]!r} is not allowed")
    return name


def _is_plain(name: str) -> bool:
    return all(ord(character) >= 32 and ord(character) != 127 for character in name)


async def add_file(caller: Caller, upload_id: str, file: uploads.NewUploadFile) -> uploads.UploadFile:
    """Announces one file; AlreadyExists if one of its name is complete."""
    request = uploads.AddUploadFilesRequest(upload_id=upload_id, files=[file])
    return (await _added(caller, request))[0]


async def _added(caller: Caller, request: uploads.AddUploadFilesRequest) -> Sequence[uploads.UploadFile]:
    try:
        return (await caller.call(caller.services.uploads.AddUploadFiles, request)).files
    except errors.InvalidArgument as fault:
        raise errors.InvalidArgument(
            violations=[_named(violation, request.files) for violation in fault.violations]
        ) from fault


def _named(violation: errors.Violation, files: Sequence[uploads.NewUploadFile]) -> errors.Violation:
    match = _FIELD.fullmatch(violation.field)
    if match is None:
        return violation
    return errors.Violation(files[int(match[1])].name, f"{match[2]} {violation.description}")


async def send_bytes(
    caller: Caller,
    header: uploads.UploadFileHeader,
    content: AsyncIterator[bytes],
    *,
    tells_end: bool = False,
) -> uploads.UploadFile:
    """Sends bytes of a file from the header's offset on, and answers the file as it is then.

    `tells_end`: the file ends where the content does. What ends the content early is raised once all that has
    come is stored.
    """
    messages = _Messages(header, content, tells_end=tells_end)
    answer = await caller.send(caller.services.uploads.UploadFile, aiter(messages))
    if messages.fault is not None:
        raise messages.fault
    return answer.file


class _Messages:
    """The messages of one stream. What the source raises is kept: gRPC would only say that the call ended."""

    def __init__(
        self, header: uploads.UploadFileHeader, content: AsyncIterator[bytes], *, tells_end: bool
    ) -> None:
        self._header = header
        self._content = content
        self._tells_end = tells_end
        self.fault: errors.YardError | None = None

    async def __aiter__(self) -> AsyncIterator[uploads.UploadFileRequest]:
        yield uploads.UploadFileRequest(header=self._header)
        sent = self._header.offset
        try:
            async for piece in _pieces(self._content):
                yield uploads.UploadFileRequest(content=piece)
                sent += len(piece)
        except errors.YardError as fault:
            self.fault = fault
            return
        if self._tells_end:
            yield uploads.UploadFileRequest(end=uploads.UploadFileEnd(size_bytes=sent))


async def _pieces(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in messages of about a MiB; those that came before an error too."""
    gathered: list[bytes] = []
    size = 0
    try:
        async for piece in content:
            gathered.append(piece)
            size += len(piece)
            if size >= PIECE_BYTES:
                for message in _cut(gathered):
                    yield message
                gathered, size = [], 0
    except errors.YardError:
        for message in _cut(gathered):
            yield message
        raise
    for message in _cut(gathered):
        yield message


def _cut(gathered: list[bytes]) -> Iterator[bytes]:
    """Messages of all that was gathered; a piece may be longer than a message."""
    content = b"".join(gathered)
    if len(content) <= 2 * PIECE_BYTES:
        if content:
            yield content
        return
    for start in range(0, len(content), PIECE_BYTES):
        yield content[start : start + PIECE_BYTES]


class Intake:
    """Files of one body, in their order; at most about ten MiB of them are in memory.

    A body may take longer than a token lasts: `calling` gives the caller anew.
    """

    def __init__(self, calling: Callable[[], Awaitable[Caller]], upload_id: str) -> None:
        self._calling = calling
        self._upload_id = upload_id
        self._waiting: dict[str, bytes] = {}
        self._waiting_bytes = 0

    async def take(self, name: str, content: AsyncIterator[bytes]) -> None:
        """One file; small ones wait for others."""
        head = bytearray()
        async for piece in content:
            head += piece
            if len(head) > SMALL_BYTES:
                await self.flush()
                await self._take_large(name, _following(bytes(head), content))
                return
        await self._take_small(name, bytes(head))

    async def flush(self) -> None:
        """Stores what waits."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, {}, 0
        if not waiting:
            return
        new = [uploads.NewUploadFile(name=name, size_bytes=len(data)) for name, data in waiting.items()]
        request = uploads.AddUploadFilesRequest(upload_id=self._upload_id, files=new)
        added = await self._patiently(lambda caller: _added(caller, request))
        numbered = [(file.number, waiting[file.name]) for file in added if file.size_bytes]
        if numbered:
            await self._patiently(
                lambda caller: caller.send(
                    caller.services.uploads.UploadFiles, _packed(self._upload_id, numbered)
                )
            )

    async def _patiently(self, ask: Callable[[Caller], Awaitable[R]]) -> R:
        """Asks again for some seconds if the service is away: a repeat changes nothing."""
        for wait_s in WAITS_S:
            try:
                return await ask(await self._calling())
            except errors.Unavailable:
                await asyncio.sleep(wait_s)
        return await ask(await self._calling())

    async def _take_small(self, name: str, data: bytes) -> None:
        # A name that waits already is told apart by the upload, with the name.
        if name in self._waiting:
            await self.flush()
        self._waiting[name] = data
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= BATCH_BYTES or len(self._waiting) >= BATCH_FILES:
            await self.flush()

    async def _take_large(self, name: str, content: AsyncIterator[bytes]) -> None:
        new = uploads.NewUploadFile(name=name, size_unknown=True)
        file = await self._patiently(lambda caller: add_file(caller, self._upload_id, new))
        header = uploads.UploadFileHeader(upload_id=self._upload_id, file_number=file.number)
        await send_bytes(await self._calling(), header, content, tells_end=True)


async def _following(head: bytes, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for piece in content:
        yield piece


async def _packed(
    upload_id: str, files: Sequence[tuple[int, bytes]]
) -> AsyncIterator[uploads.UploadFilesRequest]:
    yield uploads.UploadFilesRequest(upload_id=upload_id)
    for number, data in files:
        yield uploads.UploadFilesRequest(entry=uploads.UploadFilesEntry(file_number=number))
        yield uploads.UploadFilesRequest(content=data)
