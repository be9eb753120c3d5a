"""Answers that are pixels: built chunks from the store, everything else as it is made."""

from collections.abc import AsyncGenerator
from typing import Final

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from frameyard.chunk.v1 import chunk_service_pb2 as chunks
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from yard.gateway.edge.objects import NEVER_CHANGES, VARIES, Stored, begun, is_known, stored_answer
from yard.gateway.upstream import pixels
from yard.gateway.upstream.caller import Caller
from yard.gateway.upstream.references import Frames, References
from yard.gateway.upstream.sights import Sight
from yard.runtime import errors

MEDIA_TYPES: Final = {
    media_pb2.CHUNK_FORMAT_ZIP: "application/zip",
    media_pb2.CHUNK_FORMAT_MP4: "video/mp4",
}


async def chunk_answer(
    request: Request, caller: Caller, sight: Sight, frames: FrameRange, quality: chunks.Quality.ValueType
) -> Response:
    """A chunk: from the store where it is built, else while it is built."""
    tag = f'W/"{sight.media.id}-{frames.first}-{frames.last}-{quality}"'
    if is_known(request, tag):
        return Response(status_code=304, headers=_headers(tag))
    references: References = request.app.state.references
    named = Frames(media_id=sight.media.id, first=frames.first, last=frames.last, quality=quality)
    header = references.get(named)
    if header is None:
        header, body = await pixels.chunk(caller, sight, frames, quality, by_reference=True)
        if not header.HasField("blob"):
            return await _made(header, body, tag)
        await body.aclose()
        references.keep(named, header)
    try:
        return await stored_answer(request, _stored(header))
    except errors.NotFound:  # it was evicted just now
        references.forget(named)
        return await _made(*await pixels.chunk(caller, sight, frames, quality, by_reference=False), tag)


def _stored(header: chunks.ChunkHeader) -> Stored:
    return Stored(
        key=header.blob.key,
        size_bytes=header.blob.size_bytes,
        sha256=header.blob.sha256,
        media_type=MEDIA_TYPES[header.format],
        cache_control=NEVER_CHANGES,
    )


async def _made(header: chunks.ChunkHeader, body: AsyncGenerator[bytes], tag: str) -> Response:
    """A chunk as it comes from who makes it."""
    headers = _headers(tag)
    if header.HasField("size_bytes"):
        headers["Content-Length"] = str(header.size_bytes)
    return StreamingResponse(await begun(body), headers=headers, media_type=MEDIA_TYPES[header.format])


async def frame_answer(
    request: Request, caller: Caller, sight: Sight, number: int, quality: chunks.Quality.ValueType
) -> Response:
    """One frame; its media type is what our own decoding found, never what a client said."""
    if not sight.first <= number <= sight.last:
        raise errors.OutOfRange(f"there are frames {sight.first} to {sight.last}, got {number}")
    tag = f'W/"{sight.media.id}-{number}-{quality}"'
    if is_known(request, tag):
        return Response(status_code=304, headers=_headers(tag))
    header, body = await pixels.frame(caller, sight, number, quality)
    headers = _headers(tag) | {"Content-Length": str(header.size_bytes)}
    return StreamingResponse(await begun(body), headers=headers, media_type=header.content_type)


async def preview_answer(request: Request, caller: Caller, sight: Sight) -> Response:
    """A small JPEG of the first frame."""
    tag = f'W/"{sight.media.id}-{sight.first}-preview"'
    if is_known(request, tag):
        return Response(status_code=304, headers=_headers(tag))
    content = await pixels.preview(caller, sight, sight.first)
    return Response(content, headers=_headers(tag), media_type="image/jpeg")


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": NEVER_CHANGES, "Vary": VARIES}
