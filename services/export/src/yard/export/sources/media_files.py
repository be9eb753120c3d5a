"""The files that media was made of, with their bytes: out of the bucket by range, or out of the stream."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import NamedTuple

from frameyard.media.v1.media_pb2 import DataSpec
from frameyard.media.v1.media_service_pb2 import MediaFile, StreamMediaFilesRequest
from yard.export.sources.channels import Channels
from yard.runtime import errors
from yard.runtime.blobs import Blobs
from yard.runtime.rpc import translated

RUN_BYTES = 8_388_608
BLOCK_BYTES = 1_048_576


class Begun(NamedTuple):
    """The parameters of media, and the length of all its files."""

    data: DataSpec
    total_bytes: int


async def parameters_and_files(
    channels: Channels, blobs: Blobs, media_id: str, *, without_remote: bool
) -> AsyncGenerator[Begun | MediaFile | bytes]:
    """What it begins with, then each file followed by its bytes in pieces.

    Small files that lie one behind the other in one object are read together.
    """
    request = StreamMediaFilesRequest(media_id=media_id, without_remote=without_remote)
    run: list[MediaFile] = []
    with translated():
        async for part in channels.media.StreamMediaFiles(request):
            if part.HasField("file") and (part.file.key or not part.file.size_bytes):
                if not _goes_on(run, part.file):
                    async for each in _read(blobs, run):
                        yield each
                    run = []
                run.append(part.file)
                continue
            async for each in _read(blobs, run):
                yield each
            run = []
            if part.HasField("data"):
                yield Begun(part.data, part.total_bytes)
            else:
                yield part.file if part.HasField("file") else part.content
        async for each in _read(blobs, run):
            yield each


def _goes_on(run: list[MediaFile], file: MediaFile) -> bool:
    if not run:
        return True
    last = run[-1]
    is_next = file.key == last.key and file.offset == last.offset + last.size_bytes
    return is_next and file.offset + file.size_bytes - run[0].offset <= RUN_BYTES


async def _read(blobs: Blobs, run: list[MediaFile]) -> AsyncGenerator[MediaFile | bytes]:
    if not run:
        return
    first, last = run[0], run[-1]
    total = last.offset + last.size_bytes - first.offset
    if total > RUN_BYTES:
        yield first
        async with aclosing(_streamed(blobs, first)) as pieces:
            async for piece in pieces:
                yield piece
        return
    content = await _range(blobs, first.key, first.offset, total) if total else b""
    for file in run:
        yield file
        begin = file.offset - first.offset
        if file.size_bytes:
            yield content[begin : begin + file.size_bytes]


async def _streamed(blobs: Blobs, file: MediaFile) -> AsyncGenerator[bytes]:
    async for block in blobs.stream(file.key, offset=file.offset, length=file.size_bytes, chunk=BLOCK_BYTES):
        yield block


async def _range(blobs: Blobs, key: str, offset: int, length: int) -> bytes:
    content = await blobs.get(key, offset=offset, length=length)
    if len(content) != length:
        raise errors.DataLoss(f"blob {key} is shorter than it was", metadata={"key": key})
    return content
