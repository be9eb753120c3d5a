"""Many small files in one stream, which the platform stores together."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from frameyard.media.v1 import upload_service_pb2 as uploads
from yard.client.client import Client
from yard.client.failures import ClientError, translated
from yard.client.local_files import LocalFile
from yard.client.patience import Patience
from yard.client.told import OnBytes, Told

PIECE_BYTES = 1 << 20
PAGE = 10_000
LARGEST_PACKED_BYTES = 8 << 20
"""Larger files go alone: after a cut, they go on where they stopped."""

CUTS = frozenset({"UNAVAILABLE", "OUT_OF_RANGE", "ABORTED"})
"""Faults after which a transfer goes on from what has arrived."""

Pair = tuple[LocalFile, uploads.UploadFile]


async def send_packed(client: Client, upload_id: str, pairs: Sequence[Pair], on_bytes: OnBytes) -> None:
    """Sends whole files; after a cut those that are not stored yet. A cut without progress counts."""
    told, patience = Told(on_bytes), Patience(CUTS)
    stored, left = 0, list(pairs)
    while left:
        entries = _Entries(upload_id, left, told, stored)
        try:
            await _attempt(client, entries)
        except ClientError as fault:
            await patience.after(fault)
        else:
            return
        still = await _lacking(client, upload_id, left)
        if len(still) < len(left):
            patience.has_progressed()
        stored += sum(local.size_bytes for local, _ in left) - sum(local.size_bytes for local, _ in still)
        left = still
        told.is_at(stored)


async def _attempt(client: Client, entries: "_Entries") -> None:
    metadata = await client.session.metadata()
    try:
        with translated():
            await client.uploads.UploadFiles(entries.requests(), metadata=metadata)
    finally:
        if entries.fault is not None:
            raise entries.fault


async def _lacking(client: Client, upload_id: str, pairs: Sequence[Pair]) -> list[Pair]:
    """Those of the files that the platform has not stored."""
    waiting = {remote.number: (local, remote) for local, remote in pairs}
    last, token = max(waiting), ""
    while True:
        request = uploads.GetUploadRequest(id=upload_id, page_size=PAGE, page_token=token)
        page = await client.call(client.uploads.GetUpload, request)
        for file in page.upload.files:
            if file.received_bytes == file.size_bytes:
                waiting.pop(file.number, None)
        token = page.next_page_token
        if not token or page.upload.files[-1].number >= last:
            return list(waiting.values())


class _Entries:
    """The messages of one stream; what is wrong with a file here ends it, and is kept as `fault`."""

    def __init__(self, upload_id: str, pairs: Sequence[Pair], told: Told, position: int) -> None:
        self._upload_id = upload_id
        self._pairs = pairs
        self._told = told
        self._position = position
        self.fault: ClientError | OSError | None = None

    async def requests(self) -> AsyncIterator[uploads.UploadFilesRequest]:
        """The upload, then each file with its declared bytes."""
        yield uploads.UploadFilesRequest(upload_id=self._upload_id)
        try:
            for local, remote in self._pairs:
                yield uploads.UploadFilesRequest(entry=uploads.UploadFilesEntry(file_number=remote.number))
                async for piece in _pieces(local, remote.size_bytes):
                    yield uploads.UploadFilesRequest(content=piece)
                    self._position += len(piece)
                    self._told.is_at(self._position)
        except (ClientError, OSError) as fault:
            self.fault = fault


async def _pieces(local: LocalFile, size_bytes: int) -> AsyncIterator[bytes]:
    """Exactly so many bytes: a file that has grown since is cut there, ClientError if it has shrunk."""
    if size_bytes <= PIECE_BYTES:
        content = await asyncio.to_thread(_head, local, size_bytes)
        _check(local, len(content), size_bytes)
        yield content
        return
    left = size_bytes
    with local.path.open("rb") as file:
        while left:
            piece = await asyncio.to_thread(file.read, min(PIECE_BYTES, left))
            _check(local, len(piece), min(PIECE_BYTES, left))
            left -= len(piece)
            yield piece


def _head(local: LocalFile, size_bytes: int) -> bytes:
    with local.path.open("rb") as file:
        return file.read(size_bytes)


def _check(local: LocalFile, found: int, expected: int) -> None:
    if found < expected:
        message = f"{local.path}: is shorter than the {local.size_bytes} bytes of the upload"
        raise ClientError(message, code="FAILED_PRECONDITION")
