"""Streams of many small files, as clients send them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from frameyard.media.v1 import upload_service_pb2 as messages

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
