"""Single frames and previews."""

from collections.abc import AsyncIterator

from frameyard.chunk.v1 import chunk_service_pb2 as messages
from yard.chunking.build.jobs import Look
from yard.chunking.domain import Frames, Quality, Rendition
from yard.chunking.handlers.access import visible
from yard.chunking.handlers.content import opened
from yard.chunking.handlers.context import Chunking
from yard.chunking.handlers.selecting import QUALITIES
from yard.runtime import errors

_LOOKS: dict[int, Look] = {messages.FRAME_FORMAT_JPEG: "jpeg", messages.FRAME_FORMAT_PNG: "png"}
_OWN_LOOKS: dict[Quality, Look] = {"compressed": "jpeg", "original": "original"}


async def get_frame(
    chunking: Chunking, request: messages.GetFrameRequest
) -> AsyncIterator[messages.GetFrameResponse]:
    """The header, then the bytes of one picture; nothing of it is kept."""
    _check(request)
    found = await visible(chunking, request.media_id, request.grant)
    found.check(Frames(first=request.frame, last=request.frame))
    quality = QUALITIES[request.quality]
    look = _LOOKS.get(request.format, _OWN_LOOKS[quality])
    job = await chunking.jobs.for_frame(found.media, request.frame, look, quality)
    async with chunking.builder.private(job) as joined:
        picture = await joined.building.picture()
        header = messages.FrameHeader(
            frame=request.frame,
            content_type=picture.content_type,
            width=picture.width,
            height=picture.height,
            size_bytes=joined.building.spool.size_bytes,
            is_corrupt=bool(picture.corrupt),
        )
        yield messages.GetFrameResponse(header=header)
        async for piece in joined.reader:
            yield messages.GetFrameResponse(content=piece)


async def get_preview(chunking: Chunking, request: messages.GetPreviewRequest) -> messages.GetPreviewResponse:
    """A small picture, from the cache if it was asked for before."""
    if request.frame < 0:
        raise errors.InvalidArgument(violations=_negative(request.frame))
    found = await visible(chunking, request.media_id, request.grant)
    frames = Frames(first=request.frame, last=request.frame)
    found.check(frames)
    rendition = Rendition(media_id=found.media.id, quality="preview", form="jpeg", frames=frames)
    async with opened(chunking, found.media, rendition) as content:
        jpeg = b"".join([piece async for piece in content.pieces])
        picture = await content.described()
    return messages.GetPreviewResponse(
        content=jpeg,
        width=picture.width,
        height=picture.height,
        is_corrupt=bool(picture.corrupt_frames),
    )


def _check(request: messages.GetFrameRequest) -> None:
    violations = _negative(request.frame)
    if request.quality not in QUALITIES:
        violations.append(errors.Violation("quality", f"{request.quality} is not known"))
    if request.format not in messages.FrameFormat.values():
        violations.append(errors.Violation("format", f"{request.format} is not known"))
    errors.refuse(violations)


def _negative(frame: int) -> list[errors.Violation]:
    return [] if frame >= 0 else [errors.Violation("frame", f"must be 0 or more, got {frame}")]
