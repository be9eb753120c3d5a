"""Files to the platform: several at once, and on from where it was cut."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from frameyard.media.v1 import upload_service_pb2 as uploads
from yard.client.client import Client, request_id
from yard.client.failures import ClientError, translated

PIECE_BYTES = 1 << 20
FILES_AT_ONCE = 4
MOST_CUTS_IN_A_ROW = 8
_CUTS = {"UNAVAILABLE", "OUT_OF_RANGE", "ABORTED"}

OnBytes = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """A file on this machine; `name` is what the platform calls it, with folders."""

    path: Path
    name: str
    size_bytes: int


def local_files(paths: Sequence[Path]) -> list[LocalFile]:
    """The files themselves and all files below directories, by name; ClientError names what is not there."""
    found: list[LocalFile] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(entry for entry in path.rglob("*") if entry.is_file())
            found += [_local_file(entry, entry.relative_to(path.parent).as_posix()) for entry in inside]
        elif path.is_file():
            found.append(_local_file(path, path.name))
        else:
            raise ClientError(f"{path}: no such file", code="NOT_FOUND")
    if not found:
        raise ClientError("there is no file to upload", code="INVALID_ARGUMENT")
    return found


async def upload(client: Client, files: Sequence[LocalFile], on_bytes: OnBytes = lambda _: None) -> str:
    """Uploads and closes; returns the id of the finished upload. `on_bytes` gets the length of each piece."""
    new = [uploads.NewUploadFile(name=file.name, size_bytes=file.size_bytes) for file in files]
    request = uploads.CreateUploadRequest(files=new, request_id=request_id())
    created = (await client.call(client.uploads.CreateUpload, request)).upload
    return await resume(client, created.id, files, on_bytes)


async def resume(
    client: Client, upload_id: str, files: Sequence[LocalFile], on_bytes: OnBytes = lambda _: None
) -> str:
    """Sends what an open upload of these files still lacks, and closes it."""
    by_name = {file.name: file for file in files}
    token = ""
    while True:
        request = uploads.GetUploadRequest(id=upload_id, page_token=token)
        page = await client.call(client.uploads.GetUpload, request)
        await _send_page(_Sending(client, upload_id, on_bytes), page.upload.files, by_name)
        token = page.next_page_token
        if not token:
            break
    await client.call(client.uploads.FinishUpload, uploads.FinishUploadRequest(id=upload_id))
    return upload_id


class _Sending:
    """The way of single files into one upload."""

    def __init__(self, client: Client, upload_id: str, on_bytes: OnBytes) -> None:
        self._client = client
        self._upload_id = upload_id
        self._on_bytes = on_bytes
        self._slots = asyncio.Semaphore(FILES_AT_ONCE)

    async def send(self, local: LocalFile, remote: uploads.UploadFile) -> None:
        """Sends the rest of a file; a cut that made no progress counts against the file."""
        async with self._slots:
            self._on_bytes(remote.received_bytes)
            cuts = 0
            while remote.received_bytes < remote.size_bytes:
                received = remote.received_bytes
                try:
                    remote = await self._attempt(local, remote)
                except ClientError as fault:
                    cuts += 1
                    if fault.code not in _CUTS or cuts > MOST_CUTS_IN_A_ROW:
                        raise
                    remote = await self._ask(remote)
                if remote.received_bytes > received:
                    cuts = 0

    async def _attempt(self, local: LocalFile, remote: uploads.UploadFile) -> uploads.UploadFile:
        header = uploads.UploadFileHeader(
            upload_id=self._upload_id, file_number=remote.number, offset=remote.received_bytes
        )
        metadata = await self._client.session.metadata()
        with local.path.open("rb") as file, translated():
            requests = self._requests(header, file)
            answer = await self._client.uploads.UploadFile(requests, metadata=metadata)
        return answer.file

    async def _requests(
        self, header: uploads.UploadFileHeader, file: BinaryIO
    ) -> AsyncIterator[uploads.UploadFileRequest]:
        yield uploads.UploadFileRequest(header=header)
        file.seek(header.offset)
        while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
            yield uploads.UploadFileRequest(content=piece)
            self._on_bytes(len(piece))

    async def _ask(self, remote: uploads.UploadFile) -> uploads.UploadFile:
        """The file as the platform has it: its page is found by its number."""
        token = ""
        while True:
            request = uploads.GetUploadRequest(id=self._upload_id, page_token=token)
            page = await self._client.call(self._client.uploads.GetUpload, request)
            for file in page.upload.files:
                if file.number == remote.number:
                    return file
            token = page.next_page_token
            if not token:
                raise ClientError(f"{remote.name}: not in the upload any more", code="NOT_FOUND")


async def _send_page(
    sending: _Sending, remotes: Sequence[uploads.UploadFile], by_name: Mapping[str, LocalFile]
) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for remote in remotes:
                group.create_task(sending.send(_same_file(by_name.get(remote.name), remote), remote))
    except BaseExceptionGroup as faults:
        raise faults.exceptions[0] from None


def _same_file(local: LocalFile | None, remote: uploads.UploadFile) -> LocalFile:
    if local is None or local.size_bytes != remote.size_bytes:
        raise ClientError(
            f"{remote.name}: not the file of {remote.size_bytes} bytes that the upload was opened for",
            code="FAILED_PRECONDITION",
        )
    return local


def _local_file(path: Path, name: str) -> LocalFile:
    return LocalFile(path=path, name=name, size_bytes=path.stat().st_size)
