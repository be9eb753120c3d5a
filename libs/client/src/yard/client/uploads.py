"""Files to the platform: several at once, and on from where it was cut."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import BinaryIO

from frameyard.media.v1 import upload_service_pb2 as uploads
from yard.client.client import Client, request_id
from yard.client.direct import DirectParts
from yard.client.failures import ClientError, Violation, translated
from yard.client.local_files import LocalFile, local_files, sha256_of
from yard.client.packs import CUTS, LARGEST_PACKED_BYTES, Pair, send_packed
from yard.client.patience import Patience
from yard.client.told import OnBytes, Told

__all__ = ["LocalFile", "OnBytes", "create", "delete", "local_files", "resume", "upload", "used_up"]

PIECE_BYTES = 1 << 20
FILES_AT_ONCE = 4
PAGE = 10_000
_FILE_FIELD = re.compile(r"files\[(\d+)\]\.\w+")


async def create(client: Client, files: Sequence[LocalFile]) -> str:
    """Opens an upload of the files and returns its id; a fault of a file carries the file's name.

    Checksums go with it, so that what changes on the way or between two attempts is refused at the end.
    """
    digests = await asyncio.to_thread(lambda: [sha256_of(file) for file in files])
    new = [
        uploads.NewUploadFile(name=file.name, size_bytes=file.size_bytes, sha256=digest)
        for file, digest in zip(files, digests, strict=True)
    ]
    request = uploads.CreateUploadRequest(files=new, request_id=request_id())
    try:
        return (await client.call(client.uploads.CreateUpload, request)).upload.id
    except ClientError as fault:
        raise _with_names(fault, files) from fault


async def upload(
    client: Client, files: Sequence[LocalFile], on_bytes: OnBytes = lambda _: None, *, direct: bool = False
) -> str:
    """Uploads and closes; returns the id of the finished upload. `on_bytes` gets the length of each piece.

    See `resume` for `direct`.
    """
    return await resume(client, await create(client, files), files, on_bytes, direct=direct)


async def resume(
    client: Client,
    upload_id: str,
    files: Sequence[LocalFile],
    on_bytes: OnBytes = lambda _: None,
    *,
    direct: bool = False,
) -> str:
    """Sends what an open upload of these files still lacks, and closes it.

    `on_bytes` first gets what had arrived before; what must be sent again is taken back. With `direct`, files
    of more than 8 MiB go to the store itself, unless they have begun to arrive the other way.
    """
    by_name = {file.name: file for file in files}
    sending = _Sending(client, upload_id, on_bytes, direct=direct)
    token = ""
    while True:
        request = uploads.GetUploadRequest(id=upload_id, page_size=PAGE, page_token=token)
        page = await client.call(client.uploads.GetUpload, request)
        await _send_page(sending, page.upload.files, by_name)
        token = page.next_page_token
        if not token:
            break
    await client.call(client.uploads.FinishUpload, uploads.FinishUploadRequest(id=upload_id))
    return upload_id


async def delete(client: Client, upload_id: str) -> None:
    """Drops an upload and its bytes."""
    await client.call(client.uploads.DeleteUpload, uploads.DeleteUploadRequest(id=upload_id))


@asynccontextmanager
async def used_up(client: Client, upload_id: str) -> AsyncIterator[None]:
    """Drops the upload after what is done within, also if that fails."""
    try:
        yield
    finally:
        # What cannot be dropped now expires.
        with suppress(ClientError):
            await delete(client, upload_id)


class _Sending:
    """The way of single files into one upload."""

    def __init__(self, client: Client, upload_id: str, on_bytes: OnBytes, *, direct: bool) -> None:
        self._client = client
        self._upload_id = upload_id
        self._on_bytes = on_bytes
        self._slots = asyncio.Semaphore(FILES_AT_ONCE)
        self._direct = DirectParts(client, upload_id, on_bytes) if direct else None

    async def send(self, local: LocalFile, remote: uploads.UploadFile) -> None:
        """Sends the rest of a file; a cut that made no progress counts against the file."""
        async with self._slots:
            if self._direct is not None and remote.received_bytes == 0 and not _fits_pack(remote):
                await self._direct.send(local, remote)
                return
            told = Told(self._on_bytes)
            patience = Patience(CUTS)
            told.is_at(remote.received_bytes)
            while remote.received_bytes < remote.size_bytes:
                received = remote.received_bytes
                try:
                    remote = await self._attempt(local, remote, told)
                    _check_progress(local, remote, received)
                except ClientError as fault:
                    await patience.after(fault)
                    remote = await self._ask(remote)
                if remote.received_bytes > received:
                    patience.has_progressed()
                told.is_at(remote.received_bytes)

    async def send_packed(self, pairs: Sequence[Pair]) -> None:
        """Sends many small files in one stream."""
        async with self._slots:
            await send_packed(self._client, self._upload_id, pairs, self._on_bytes)

    async def _attempt(self, local: LocalFile, remote: uploads.UploadFile, told: Told) -> uploads.UploadFile:
        header = uploads.UploadFileHeader(
            upload_id=self._upload_id, file_number=remote.number, offset=remote.received_bytes
        )
        metadata = await self._client.session.metadata()
        with local.path.open("rb") as file, translated():
            requests = _requests(header, file, remote.size_bytes, told)
            answer = await self._client.uploads.UploadFile(requests, metadata=metadata)
        return answer.file

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


async def _requests(
    header: uploads.UploadFileHeader, file: BinaryIO, size_bytes: int, told: Told
) -> AsyncIterator[uploads.UploadFileRequest]:
    """The bytes from the offset to the declared length: a file that has grown since is cut there."""
    yield uploads.UploadFileRequest(header=header)
    position = header.offset
    file.seek(position)
    while piece := await asyncio.to_thread(file.read, min(PIECE_BYTES, size_bytes - position)):
        yield uploads.UploadFileRequest(content=piece)
        position += len(piece)
        told.is_at(position)


async def _send_page(
    sending: _Sending, remotes: Sequence[uploads.UploadFile], by_name: Mapping[str, LocalFile]
) -> None:
    pairs = [(_same_file(by_name.get(remote.name), remote), remote) for remote in remotes]
    packed = [pair for pair in pairs if _fits_pack(pair[1])]
    single = [pair for pair in pairs if len(packed) < 2 or not _fits_pack(pair[1])]
    try:
        async with asyncio.TaskGroup() as group:
            if len(packed) >= 2:
                group.create_task(sending.send_packed(packed))
            for local, remote in single:
                group.create_task(sending.send(local, remote))
    except BaseExceptionGroup as faults:
        raise faults.exceptions[0] from None


def _fits_pack(remote: uploads.UploadFile) -> bool:
    """Whether nothing has come of a file that is small enough for a stream of many."""
    return remote.received_bytes == 0 < remote.size_bytes <= LARGEST_PACKED_BYTES


def _check_progress(local: LocalFile, remote: uploads.UploadFile, received: int) -> None:
    if remote.received_bytes <= received:
        message = f"{local.path}: is shorter than the {remote.size_bytes} bytes of the upload"
        raise ClientError(message, code="FAILED_PRECONDITION")


def _same_file(local: LocalFile | None, remote: uploads.UploadFile) -> LocalFile:
    if local is None or local.size_bytes != remote.size_bytes:
        raise ClientError(
            f"{remote.name}: not the file of {remote.size_bytes} bytes that the upload was opened for",
            code="FAILED_PRECONDITION",
        )
    return local


def _with_names(fault: ClientError, files: Sequence[LocalFile]) -> ClientError:
    """Fields such as files[3].size_bytes mean nothing to who gave names."""

    def named(violation: Violation) -> Violation:
        match = _FILE_FIELD.fullmatch(violation.field)
        name = files[int(match[1])].name if match else violation.field
        return Violation(field=name, description=violation.description)

    violations = tuple(map(named, fault.violations))
    return ClientError(fault.message, code=fault.code, violations=violations, hint=fault.hint)
