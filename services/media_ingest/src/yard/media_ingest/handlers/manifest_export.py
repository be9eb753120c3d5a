"""Media as manifest.jsonl, from which a task like it can be made: streamed from the blocks of its plan."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import numpy as np
from frameyard.media.v1 import media_pb2
from frameyard.media.v1 import media_service_pb2 as messages
from yard.media.index_block import FrameColumns, decode_columns, decode_video
from yard.media.manifest import (
    ManifestImage,
    ManifestKeyframe,
    ManifestVideo,
    image_lines,
    write_images,
    write_video,
)
from yard.media.plan import TRAILER_BYTES, PlanHead, decode_head, head_range
from yard.media.video_index import VideoIndex
from yard.media_ingest.handlers.access import whole_media
from yard.media_ingest.handlers.context import Ingest
from yard.media_ingest.store.media import MediaRow
from yard.runtime import errors
from yard.runtime.blobs import BlobRef
from yard.runtime.streams import rechunk

PIECE_BYTES = 1 << 20


async def export_manifest(
    ingest: Ingest, request: messages.ExportManifestRequest
) -> AsyncIterator[messages.ExportManifestResponse]:
    """The lines of all source frames; those that are not selected are not described."""
    media = await whole_media(ingest, request.media_id, request.grant)
    if media.state != "READY":
        raise errors.FailedPrecondition(f"the media is {media.state.lower()}", reason="MEDIA_NOT_READY")
    head = await _head(ingest, BlobRef.from_proto(media.summary.plan))
    is_video = media.summary.kind == media_pb2.MEDIA_KIND_VIDEO
    pieces = _of_video(ingest, media, head) if is_video else _of_images(ingest, media, head)
    async for piece in rechunk(pieces, PIECE_BYTES):
        yield messages.ExportManifestResponse(content=piece)


async def _of_video(ingest: Ingest, media: MediaRow, head: PlanHead) -> AsyncIterator[bytes]:
    [block], [source] = head.blocks, head.sources
    content = await ingest.blobs.get(media.summary.plan.key, offset=block.offset, length=block.length)
    index = await asyncio.to_thread(decode_video, content)
    name = source.name.rpartition("/")[2]
    video = ManifestVideo(name=name, width=index.width, height=index.height, frames=index.frames)
    async for piece in _in_thread(write_video(video, _keyframes(index))):
        yield piece


def _keyframes(index: VideoIndex) -> Iterator[ManifestKeyframe]:
    """Those that are shown."""
    times = np.intersect1d(index.keyframes[:, 0], index.pts)
    for number in np.searchsorted(index.pts, times).tolist():
        yield ManifestKeyframe(number=number, pts=int(index.pts[number]))


async def _of_images(ingest: Ingest, media: MediaRow, head: PlanHead) -> AsyncIterator[bytes]:
    """One block in memory at a time; the lines of frames around the selected ones are empty."""
    yield b"".join(write_images([]))
    number = 0
    for block in head.blocks:
        content = await ingest.blobs.get(media.summary.plan.key, offset=block.offset, length=block.length)
        columns = await asyncio.to_thread(decode_columns, content)
        async for piece in _in_thread(image_lines(_images(columns, number))):
            yield piece
        number = int(columns.columns["order"][-1]) + 1
    yield b"{}\n" * (media.summary.source_frames - number)


def _images(frames: FrameColumns, number: int) -> Iterator[ManifestImage | None]:
    """The images of a block, after the frames from `number` on that are not selected."""
    numbers, widths, heights = (frames.columns[name].tolist() for name in ("order", "width", "height"))
    for order, width, height, name in zip(numbers, widths, heights, frames.names, strict=True):
        for _ in range(number, order):
            yield None
        yield ManifestImage(name=name.decode("utf-8", "replace"), width=width, height=height)
        number = order + 1


async def _head(ingest: Ingest, plan: BlobRef) -> PlanHead:
    trailer = await ingest.blobs.get(plan.key, offset=plan.size_bytes - TRAILER_BYTES, length=TRAILER_BYTES)
    offset, length = head_range(trailer, plan.size_bytes)
    return decode_head(await ingest.blobs.get(plan.key, offset=offset, length=length))


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
