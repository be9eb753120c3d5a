"""Chunks, and any range of frames."""

from collections.abc import AsyncIterator
from dataclasses import replace

from frameyard.chunk.v1 import chunk_service_pb2 as messages
from frameyard.common.v1.common_pb2 import FrameRange
from yard.chunking.domain import MOST_FRAMES, Frames, Media, Rendition, weight
from yard.chunking.handlers import counting
from yard.chunking.handlers.access import Visible, visible
from yard.chunking.handlers.content import opened
from yard.chunking.handlers.context import Chunking
from yard.chunking.handlers.selecting import FORMATS, check, selected
from yard.chunking.store import chunks as store
from yard.chunking.store.chunks import Built
from yard.media.gop_runs import covering_run
from yard.runtime import auth, clock

WINDOW_BYTES = 64 << 20
"""Of a range that is built for one call: smaller ones free their process however slow the caller is."""


async def get_chunk(
    chunking: Chunking, request: messages.GetChunkRequest
) -> AsyncIterator[messages.GetChunkResponse]:
    """Header, bytes, trailer; a range that is no chunk of the media is built for this call alone."""
    check(request)
    found = await visible(chunking, request.media_id, request.grant)
    wanted = selected(request, found.media)
    found.check(wanted.frames)
    rendition = wanted
    if request.HasField("exact") and not request.exact:
        rendition = await _whole_groups(chunking, found, wanted)
    offset = wanted.frames.first - rendition.frames.first
    if request.picture_format == messages.FRAME_FORMAT_PNG and found.media.kind == "video":
        parts = _of_private(chunking, found.media, wanted, is_png=True)
    elif rendition == wanted and not _is_stored(found.media, rendition):
        parts = _of_private(chunking, found.media, rendition)
    elif (built := await _referable(chunking, request, rendition)) is not None:
        chunking.ahead.asked(found, rendition)
        parts = _of_reference(rendition, built, offset)
    else:
        parts = _of_stored(chunking, found, rendition, offset)
    async for part in parts:
        yield part


async def _whole_groups(chunking: Chunking, found: Visible, wanted: Rendition) -> Rendition:
    """The source's own groups of pictures around the wanted frames, if the caller may see all of them.

    All ranges within the same groups share one rendition, which is cached as a chunk is.
    """
    media = found.media
    if (media.kind, wanted.quality, wanted.form) != ("video", "original", "mp4"):
        return wanted
    head = await chunking.plans.head(media)
    if head.step != 1:
        return wanted
    index = await chunking.plans.video_index(media)
    run = covering_run(index, head.start, wanted.frames.first, wanted.frames.last, media.size)
    if run is None:
        return wanted
    frames = Frames(first=run[0], last=run[1])
    if len(frames) > MOST_FRAMES or not found.covers(frames):
        return wanted
    return replace(wanted, frames=frames)


async def _of_reference(
    rendition: Rendition, built: Built, offset: int
) -> AsyncIterator[messages.GetChunkResponse]:
    counting.requests.labels("chunk", "reference").inc()
    header = _header(rendition, built.width, built.height, built, offset=offset)
    header.blob.CopyFrom(built.blob.to_proto())
    yield messages.GetChunkResponse(header=header)
    yield _trailer(built.blob.size_bytes, built.corrupt_frames)


async def _of_stored(
    chunking: Chunking, found: Visible, rendition: Rendition, offset: int
) -> AsyncIterator[messages.GetChunkResponse]:
    media = found.media
    async with opened(chunking, media, rendition) as content:
        if content.built is not None:
            width, height = content.built.width, content.built.height
            chunking.ahead.asked(found, rendition)
        else:
            width, height = await _first_size(chunking, media, rendition)
        yield messages.GetChunkResponse(
            header=_header(rendition, width, height, content.built, offset=offset)
        )
        size_bytes = 0
        async for piece in content.pieces:
            size_bytes += len(piece)
            yield messages.GetChunkResponse(content=piece)
        # Not before: the chunk that somebody waits for has the machine for itself.
        if content.built is None:
            chunking.ahead.asked(found, rendition)
        yield _trailer(size_bytes, (await content.described()).corrupt_frames)


async def _of_private(
    chunking: Chunking, media: Media, rendition: Rendition, *, is_png: bool = False
) -> AsyncIterator[messages.GetChunkResponse]:
    counting.requests.labels("chunk", "private").inc()
    jobs = chunking.jobs
    job = await (jobs.for_pngs if is_png else jobs.for_rendition)(media, rendition)
    width, height = await _first_size(chunking, media, rendition)
    async with chunking.builder.private(job, window=WINDOW_BYTES) as joined:
        yield messages.GetChunkResponse(header=_header(rendition, width, height))
        async for piece in joined.reader:
            yield messages.GetChunkResponse(content=piece)
        picture = await joined.building.picture()
        yield _trailer(joined.building.spool.size_bytes, picture.corrupt_frames)


def _is_stored(media: Media, rendition: Rendition) -> bool:
    """Originals of images are in the bucket already: a second copy in a zip is not worth its space."""
    is_copy = media.kind == "images" and rendition.quality == "original"
    return media.is_chunk(rendition.frames) and not is_copy


async def _referable(
    chunking: Chunking, request: messages.GetChunkRequest, rendition: Rendition
) -> Built | None:
    """What a service may fetch from the bucket itself; it is protected for some seconds more."""
    if not request.allow_reference or not auth.current().is_service:
        return None
    if (known := chunking.knowing.built(rendition)) is not None:
        return known
    asked_at = clock.monotonic()
    found = await store.use(chunking.db, rendition, weight(clock.now()))
    if found is not None:
        chunking.knowing.used(rendition, found, asked_at)
    return found


async def _first_size(chunking: Chunking, media: Media, rendition: Rendition) -> tuple[int, int]:
    if media.kind == "video":
        return media.width, media.height
    first = Frames(first=rendition.frames.first, last=rendition.frames.first)
    [address] = await chunking.plans.addresses(media, first)
    return address.width, address.height


def _header(
    rendition: Rendition, width: int, height: int, built: Built | None = None, *, offset: int = 0
) -> messages.ChunkHeader:
    header = messages.ChunkHeader(
        frames=FrameRange(first=rendition.frames.first, last=rendition.frames.last),
        format=FORMATS[rendition.form],
        width=width,
        height=height,
        first_frame_offset=offset,
    )
    if built is not None:
        header.size_bytes = built.blob.size_bytes
    return header


def _trailer(size_bytes: int, corrupt_frames: tuple[int, ...]) -> messages.GetChunkResponse:
    return messages.GetChunkResponse(
        trailer=messages.ChunkTrailer(size_bytes=size_bytes, corrupt_frames=corrupt_frames)
    )
