"""Files of an archive into an upload: on from where it was cut, whole packs of small ones in one stream."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from frameyard.export.v1.backup_pb2 import BackupFile
from frameyard.media.v1 import upload_service_pb2 as messages
from yard.export.sources.archived import Archived
from yard.export.sources.making import Maker
from yard.runtime import errors

_PAGE: Final = 10_000
MOST_FILES: Final = 100_000
"""In one request."""
_LARGEST_PACKED: Final = 16_777_216

OnBytes = Callable[[int], Awaitable[None]]


class Given(NamedTuple):
    """A file, and where it lies in the archive."""

    file: BackupFile
    offset: int
    raw_length: int


class Sending:
    """The files of one upload; `on_bytes` is told of the length of each piece."""

    def __init__(self, maker: Maker, archived: Archived, upload_id: str, on_bytes: OnBytes) -> None:
        self._maker = maker
        self._uploads = maker.channels.uploads
        self._archived = archived
        self._upload_id = upload_id
        self._on_bytes = on_bytes

    async def add(self, files: Sequence[Given], first: int) -> None:
        """Announces more files, the number of the first being this, unless that was done before."""
        known = messages.GetUploadFileRequest(upload_id=self._upload_id, file_number=first)
        try:
            await self._maker.call(self._uploads.GetUploadFile, known)
        except errors.NotFound:
            request = messages.AddUploadFilesRequest(upload_id=self._upload_id, files=map(announced, files))
            await self._maker.call(self._uploads.AddUploadFiles, request)

    async def send(self, given: AsyncIterator[Given]) -> None:
        """Sends what is missing of all files, which come in the order of their numbers, and closes."""
        token = ""
        while True:
            request = messages.GetUploadRequest(id=self._upload_id, page_size=_PAGE, page_token=token)
            page = await self._maker.call(self._uploads.GetUpload, request)
            if page.upload.state == messages.UPLOAD_STATE_FINISHED:
                return
            await self._send_page([(file, await anext(given)) for file in page.upload.files])
            token = page.next_page_token
            if not token:
                break
        await self._maker.call(self._uploads.FinishUpload, messages.FinishUploadRequest(id=self._upload_id))

    async def _send_page(self, pairs: Sequence[tuple[messages.UploadFile, Given]]) -> None:
        left = [pair for pair in pairs if pair[0].received_bytes < pair[0].size_bytes]
        small = [pair for pair in left if pair[0].size_bytes <= _LARGEST_PACKED]
        if small:
            await self._maker.call(self._uploads.UploadFiles, self._packed(small))
        for file, given in left:
            if file.size_bytes > _LARGEST_PACKED:
                await self._maker.call(self._uploads.UploadFile, self._single(file, given))

    async def _packed(
        self, pairs: Sequence[tuple[messages.UploadFile, Given]]
    ) -> AsyncIterator[messages.UploadFilesRequest]:
        yield messages.UploadFilesRequest(upload_id=self._upload_id)
        for file, given in pairs:
            entry = messages.UploadFilesEntry(file_number=file.number)
            yield messages.UploadFilesRequest(entry=entry)
            async for piece in self._content(given):
                yield messages.UploadFilesRequest(content=piece)

    async def _single(
        self, file: messages.UploadFile, given: Given
    ) -> AsyncIterator[messages.UploadFileRequest]:
        header = messages.UploadFileHeader(
            upload_id=self._upload_id, file_number=file.number, offset=file.received_bytes
        )
        yield messages.UploadFileRequest(header=header)
        async for piece in self._content(given, after=file.received_bytes):
            yield messages.UploadFileRequest(content=piece)

    async def _content(self, given: Given, *, after: int = 0) -> AsyncIterator[bytes]:
        size = given.file.size_bytes
        async for piece in self._archived.member(given.offset, given.raw_length, size, after=after):
            yield piece
            await self._on_bytes(len(piece))


def announced(given: Given) -> messages.NewUploadFile:
    """A file as an upload is told of it; its checksum is checked there."""
    file = given.file
    return messages.NewUploadFile(name=file.name, size_bytes=file.size_bytes, sha256=file.sha256)
