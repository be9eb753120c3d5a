"""What media is and what its frames are called, for those who may see them."""

import asyncio

from frameyard.media.v1 import media_pb2
from frameyard.media.v1 import media_service_pb2 as messages
from yard.media.index_block import decode_columns
from yard.media.selection import FrameSelection
from yard.media_ingest.handlers.access import visible_media
from yard.media_ingest.handlers.context import Ingest
from yard.media_ingest.store import media as store
from yard.media_ingest.store.media import MediaRow
from yard.runtime import errors, paging

PAGE = 1_000
LARGEST_PAGE = 10_000


async def get_media(ingest: Ingest, request: messages.GetMediaRequest) -> messages.GetMediaResponse:
    """The summary of media."""
    media, _ = await visible_media(ingest, request.media_id, request.grant)
    return messages.GetMediaResponse(media=media.summary)


async def list_frames(ingest: Ingest, request: messages.ListFramesRequest) -> messages.ListFramesResponse:
    """One page of frames by relative number."""
    limit = paging.size(request.page_size, default=PAGE, largest=LARGEST_PAGE)
    bound = _bound(request)
    after = paging.decode_number(request.page_token, bound)
    _check_range(request)
    media, (lowest, highest) = await visible_media(ingest, request.media_id, request.grant)
    if media.state != "READY":
        raise errors.FailedPrecondition(f"the media is {media.state.lower()}", reason="MEDIA_NOT_READY")
    last_one = media.summary.size - 1
    if request.first > last_one and highest >= last_one:
        raise errors.OutOfRange(f"frame {request.first} is past the last one, {last_one}")
    if not lowest <= request.first <= highest or (request.HasField("last") and request.last > highest):
        raise errors.NotFound("media", request.media_id)
    highest = min(highest, last_one)
    first = request.first if after is None else max(request.first, after + 1)
    last = min(highest, request.last) if request.HasField("last") else highest
    stop = min(last, first + limit - 1)
    frames = await _frames(ingest, media, first, stop)
    return messages.ListFramesResponse(
        frames=frames, next_page_token=paging.encode([stop], bound) if stop < last else ""
    )


def _bound(request: messages.ListFramesRequest) -> messages.ListFramesRequest:
    """What a page token belongs to: grants are renewed between pages."""
    bound = messages.ListFramesRequest()
    bound.CopyFrom(request)
    bound.ClearField("grant")
    return bound


def _check_range(request: messages.ListFramesRequest) -> None:
    if request.first < 0:
        raise errors.invalid("first", f"must be 0 or more, got {request.first}")
    if request.HasField("last") and request.last < request.first:
        raise errors.invalid("last", f"must not be before the first, got {request.last}")


async def _frames(ingest: Ingest, media: MediaRow, first: int, last: int) -> list[media_pb2.FrameInfo]:
    data = media.summary.data
    selection = FrameSelection(start=data.start_frame, stop=data.stop_frame, step=data.frame_step)
    if media.summary.kind == media_pb2.MEDIA_KIND_VIDEO:
        return [_of_video(media, frame, selection.absolute(frame)) for frame in range(first, last + 1)]
    frames: list[media_pb2.FrameInfo] = []
    while first <= last:
        block, content = await _block(ingest, media, first)
        end = min(last + 1, block.first + block.frames)
        part = slice(first - block.first, end - block.first)
        frames += await asyncio.to_thread(_of_images, content, part, range(first, end), selection)
        first = end
    return frames


async def _block(ingest: Ingest, media: MediaRow, frame: int) -> tuple[store.FrameBlock, bytes]:
    block = await store.block_of(ingest.db, media.id, frame)
    if block is None:
        raise errors.DataLoss(f"frame {frame} of media {media.id} lies in no block")
    return block, await ingest.blobs.get(media.summary.plan.key, offset=block.offset, length=block.length)


def _of_images(
    block: bytes, part: slice, numbers: range, selection: FrameSelection
) -> list[media_pb2.FrameInfo]:
    """The frames `numbers`, which are the rows `part` of the block: no other row is looked at."""
    found = decode_columns(block)
    sizes = (found.columns[side][part].tolist() for side in ("width", "height"))
    return [
        media_pb2.FrameInfo(
            frame=frame,
            source_frame=selection.absolute(frame),
            name=name.decode("utf-8", "surrogatepass"),
            width=width,
            height=height,
        )
        for frame, name, width, height in zip(numbers, found.names[part], *sizes, strict=True)
    ]


def _of_video(media: MediaRow, frame: int, source_frame: int) -> media_pb2.FrameInfo:
    return media_pb2.FrameInfo(
        frame=frame,
        source_frame=source_frame,
        name=f"frame_{source_frame:06d}",
        width=media.summary.width,
        height=media.summary.height,
    )
