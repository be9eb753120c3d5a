"""Streams of many small files, as clients send them, and what became of them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable
from uuid import UUID

from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media_ingest.settings import Settings
from yard.media_ingest.store.uploads import given_files
from yard.runtime import app

from services.media_ingest.tests.neighbours import Client

PIECE = 1 << 20

Requests = AsyncIterator[messages.UploadFilesRequest]


def entry(number: int) -> messages.UploadFilesRequest:
    return messages.UploadFilesRequest(entry=messages.UploadFilesEntry(file_number=number))


def content(piece: bytes) -> messages.UploadFilesRequest:
    return messages.UploadFilesRequest(content=piece)


def whole(number: int, body: bytes) -> list[messages.UploadFilesRequest]:
    """A file: its entry, and pieces of 1 MiB."""
    pieces = [content(body[start : start + PIECE]) for start in range(0, len(body), PIECE)]
    return [entry(number), *pieces]


async def stream(upload: messages.Upload, files: Iterable[tuple[int, bytes]]) -> Requests:
    """The messages of a stream of whole files."""
    yield messages.UploadFilesRequest(upload_id=upload.id)
    for number, body in files:
        for request in whole(number, body):
            yield request


async def said(*requests: messages.UploadFilesRequest) -> Requests:
    """Exactly these messages."""
    for request in requests:
        yield request


def bodies(*sizes: int) -> list[bytes]:
    return [os.urandom(size) for size in sizes]


async def opened(client: Client, files: list[bytes]) -> messages.Upload:
    return await client.open({f"{number}.bin": body for number, body in enumerate(files)})


async def send(client: Client, requests: AsyncIterator[messages.UploadFilesRequest]) -> int:
    return int((await client.uploads.UploadFiles(requests)).stored_count)


async def complete(client: Client, upload: messages.Upload) -> list[int]:
    page = messages.GetUploadRequest(id=upload.id, page_size=10_000)
    files = (await client.uploads.GetUpload(page)).upload.files
    return [file.number for file in files if file.received_bytes == file.size_bytes]


async def read(running: app.Running[Settings], upload: messages.Upload) -> list[bytes]:
    """Each file from where its row says that it lies."""
    files = await given_files(running.runtime.db, UUID(upload.id))
    blobs = running.runtime.blobs
    return [
        await blobs.get(file.place.key, offset=file.place.offset, length=file.place.size_bytes)
        for file in files
        if file.place.key
    ]


async def keys(running: app.Running[Settings], upload: messages.Upload) -> list[str]:
    return [found.key async for found in running.runtime.blobs.list(f"uploads/{upload.id}/")]
