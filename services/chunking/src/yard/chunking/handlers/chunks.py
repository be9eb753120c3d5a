"""Chunks, and any range of frames."""

from collections.abc import AsyncIterator

from frameyard.chunk.v1 import chunk_service_pb2 as messages
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from yard.chunking.domain import MOST_FRAMES, Form, Frames, Media, Quality, Rendition, weight
from yard.chunking.handlers.access import visible
from yard.chunking.handlers.content import opened
from yard.chunking.handlers.context import Chunking
from yard.chunking.store import chunks as store
from yard.chunking.store.chunks import Built
from yard.runtime import auth, clock, errors

WINDOW_BYTES = 64 << 20
"""Of a range that is built for one call: smaller ones free their process however slow the caller is."""

QUALITIES: dict[int, Quality] = {
    messages.QUALITY_UNSPECIFIED: "compressed",
    messages.QUALITY_COMPRESSED: "compressed",
    messages.QUALITY_ORIGINAL: "original",
}
_FORMS: dict[int, Form | None] = {
    media_pb2.CHUNK_FORMAT_UNSPECIFIED: None,
    media_pb2.CHUNK_FORMAT_ZIP: "zip",
    media_pb2.CHUNK_FORMAT_MP4: "mp4",
}
_FORMATS: dict[Form, media_pb2.ChunkFormat.ValueType] = {
    "zip": media_pb2.CHUNK_FORMAT_ZIP,
    "mp4": media_pb2.CHUNK_FORMAT_MP4,
}


async def get_chunk(
    chunking: Chunking, request: messages.GetChunkRequest
) -> AsyncIterator[messages.GetChunkResponse]:
    """The header, then the bytes; a range that is no chunk of the media is built for this call alone."""
    _check(request)
    found = await visible(chunking, request.media_id, request.grant)
    media = found.media
    frames = _frames(request, media)
    found.check(frames)
    rendition = Rendition(
        media_id=media.id,
        quality=QUALITIES[request.quality],
        form=_form(request, media),
        frames=frames,
    )
    if not _is_stored(media, rendition):
        parts = _of_private(chunking, media, rendition)
    elif (built := await _referable(chunking, request, rendition)) is not None:
        yield messages.GetChunkResponse(
            header=_header(rendition, built.width, built.height, built, is_ref=True)
        )
        return
    else:
        parts = _of_stored(chunking, media, rendition)
    async for part in parts:
        yield part


async def _of_stored(
    chunking: Chunking, media: Media, rendition: Rendition
) -> AsyncIterator[messages.GetChunkResponse]:
    async with opened(chunking, media, rendition) as content:
        if content.built is not None:
            width, height = content.built.width, content.built.height
        else:
            width, height = await _first_size(chunking, media, rendition)
        yield messages.GetChunkResponse(header=_header(rendition, width, height, content.built))
        async for piece in content.pieces:
            yield messages.GetChunkResponse(content=piece)


async def _of_private(
    chunking: Chunking, media: Media, rendition: Rendition
) -> AsyncIterator[messages.GetChunkResponse]:
    job = await chunking.jobs.for_rendition(media, rendition)
    width, height = await _first_size(chunking, media, rendition)
    async with chunking.builder.private(job, window=WINDOW_BYTES) as joined:
        yield messages.GetChunkResponse(header=_header(rendition, width, height))
        async for piece in joined.reader:
            yield messages.GetChunkResponse(content=piece)


def _check(request: messages.GetChunkRequest) -> None:
    """All that is wrong in the request itself."""
    violations: list[errors.Violation] = []
    if request.quality not in QUALITIES:
        violations.append(errors.Violation("quality", f"{request.quality} is not known"))
    if request.format not in _FORMS:
        violations.append(errors.Violation("format", f"{request.format} is not known"))
    match request.WhichOneof("selection"):
        case None:
            violations.append(errors.Violation("selection", "number or frames is needed"))
        case "number" if request.number < 0:
            violations.append(errors.Violation("number", f"must be 0 or more, got {request.number}"))
        case "frames":
            violations += _range_violations(request.frames)
    if violations:
        raise errors.InvalidArgument(violations=violations)


def _range_violations(frames: FrameRange) -> list[errors.Violation]:
    if frames.first < 0:
        return [errors.Violation("frames.first", f"must be 0 or more, got {frames.first}")]
    if frames.last < frames.first:
        return [errors.Violation("frames.last", f"must not be before the first, got {frames.last}")]
    if (count := frames.last - frames.first + 1) > MOST_FRAMES:
        return [errors.Violation("frames", f"at most {MOST_FRAMES} frames at a time, got {count}")]
    return []


def _frames(request: messages.GetChunkRequest, media: Media) -> Frames:
    if request.WhichOneof("selection") == "number":
        return media.chunk(request.number)
    return Frames(first=request.frames.first, last=request.frames.last)


def _form(request: messages.GetChunkRequest, media: Media) -> Form:
    form = _FORMS[request.format]
    if form == "mp4" and media.kind == "images":
        raise errors.invalid("format", "images come as zip only")
    return form or media.form


def _is_stored(media: Media, rendition: Rendition) -> bool:
    """Originals of images are in the bucket already: a second copy in a zip is not worth its space."""
    is_copy = media.kind == "images" and rendition.quality == "original"
    return media.is_chunk(rendition.frames) and not is_copy


async def _referable(
    chunking: Chunking, request: messages.GetChunkRequest, rendition: Rendition
) -> Built | None:
    """What a service may fetch from the bucket itself."""
    if not request.allow_reference or not auth.current().is_service:
        return None
    return await store.use(chunking.db, rendition, weight(clock.now()))


async def _first_size(chunking: Chunking, media: Media, rendition: Rendition) -> tuple[int, int]:
    if media.kind == "video":
        return media.width, media.height
    first = Frames(first=rendition.frames.first, last=rendition.frames.first)
    [address] = await chunking.plans.addresses(media, first)
    return address.width, address.height


def _header(
    rendition: Rendition, width: int, height: int, built: Built | None = None, *, is_ref: bool = False
) -> messages.ChunkHeader:
    header = messages.ChunkHeader(
        frames=FrameRange(first=rendition.frames.first, last=rendition.frames.last),
        format=_FORMATS[rendition.form],
        width=width,
        height=height,
    )
    if built is not None:
        header.size_bytes = built.blob.size_bytes
    if built is not None and is_ref:
        header.blob.CopyFrom(built.blob.to_proto())
    return header
