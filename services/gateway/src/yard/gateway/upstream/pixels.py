"""Chunks, frames and previews as streams: what comes first, then bytes."""

from collections.abc import AsyncGenerator

from frameyard.chunk.v1 import chunk_service_pb2 as chunks
from frameyard.common.v1.common_pb2 import FrameRange
from yard.gateway.upstream.caller import Caller
from yard.gateway.upstream.sights import Sight
from yard.runtime import errors, rpc


async def chunk(
    caller: Caller,
    sight: Sight,
    frames: FrameRange,
    quality: chunks.Quality.ValueType,
    *,
    by_reference: bool,
) -> tuple[chunks.ChunkHeader, AsyncGenerator[bytes]]:
    """Header and bytes of a chunk; with `by_reference` no bytes where the header tells the object.

    A reference is only for the gateway itself: the frames must be within the sight.
    """
    if not sight.first <= frames.first <= frames.last <= sight.last:
        raise errors.OutOfRange("these frames are not among those that may be seen")
    request = chunks.GetChunkRequest(media_id=sight.media.id, grant=sight.grant, quality=quality)
    size = sight.media.data.chunk_size
    number = frames.first // size
    if frames.first == number * size and frames.last == min((number + 1) * size, sight.media.size) - 1:
        request.number = number
    else:
        request.frames.CopyFrom(frames)
    if by_reference:
        request.allow_reference = True
        messages = _as_service(caller, request)
    else:
        messages = caller.stream(caller.services.chunks.GetChunk, request)
    first = await anext(messages)
    return first.header, _content(messages)


async def frame(
    caller: Caller, sight: Sight, number: int, quality: chunks.Quality.ValueType
) -> tuple[chunks.FrameHeader, AsyncGenerator[bytes]]:
    """Header and bytes of a frame."""
    request = chunks.GetFrameRequest(
        media_id=sight.media.id, grant=sight.grant, frame=number, quality=quality
    )
    messages = caller.stream(caller.services.chunks.GetFrame, request)
    first = await anext(messages)
    return first.header, _content(messages)


async def preview(caller: Caller, sight: Sight, number: int) -> bytes:
    """A small JPEG of a frame."""
    request = chunks.GetPreviewRequest(media_id=sight.media.id, grant=sight.grant, frame=number)
    return (await caller.call(caller.services.chunks.GetPreview, request)).content


async def _as_service(
    caller: Caller, request: chunks.GetChunkRequest
) -> AsyncGenerator[chunks.GetChunkResponse]:
    call = caller.services.chunks_as_service.GetChunk(request)
    try:
        with rpc.translated():
            async for message in call:
                yield message
    finally:
        call.cancel()


async def _content(
    messages: AsyncGenerator[chunks.GetChunkResponse] | AsyncGenerator[chunks.GetFrameResponse],
) -> AsyncGenerator[bytes]:
    try:
        async for message in messages:
            if message.WhichOneof("part") == "content":
                yield message.content
    finally:
        await messages.aclose()
