"""Where the frames of media lie, read from its plan by ranges and remembered for a while."""

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from uuid import UUID

from yard.chunking.domain import Frames, Media
from yard.media.errors import MediaError
from yard.media.index_block import ImageAddress, decode_frames, decode_video
from yard.media.plan import TRAILER_BYTES, Block, PlanHead, decode_head, head_range
from yard.media.video_index import VideoIndex
from yard.runtime import errors
from yard.runtime.blobs import Blobs

HEADS = 64
VIDEO_BLOCKS = 16
VIDEO_INDEXES = 16
IMAGE_BLOCKS = 8
ENDS = 64
END_BYTES = 1 << 16
"""Of a plan: its head and, in one read with it, the index of most videos."""

K = TypeVar("K")
V = TypeVar("V")


class _Recent(Generic[K, V]):
    """The values used last; one that is being loaded is loaded once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[K, asyncio.Future[V]] = OrderedDict()

    async def get(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """The value, loaded if it is not there; a fault is not remembered."""
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = asyncio.ensure_future(load())
            found.add_done_callback(lambda done: self._settle(key, done))
        self._values.move_to_end(key)
        while len(self._values) > self._limit:
            self._values.popitem(last=False)
        return await asyncio.shield(found)

    def _settle(self, key: K, done: asyncio.Future[V]) -> None:
        if (done.cancelled() or done.exception() is not None) and self._values.get(key) is done:
            del self._values[key]


class Plans:
    """Plans of the bucket; a plan that does not say what its event said ends in DataLoss."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._ends: _Recent[UUID, bytes] = _Recent(ENDS)
        self._heads: _Recent[UUID, PlanHead] = _Recent(HEADS)
        self._videos: _Recent[UUID, bytes] = _Recent(VIDEO_BLOCKS)
        self._indexes: _Recent[UUID, VideoIndex] = _Recent(VIDEO_INDEXES)
        self._images: _Recent[tuple[UUID, int], list[ImageAddress]] = _Recent(IMAGE_BLOCKS)

    async def head(self, media: Media) -> PlanHead:
        """Sources, blocks and selection."""
        return await self._heads.get(media.id, lambda: self._load_head(media))

    async def video_block(self, media: Media) -> bytes:
        """The index of a video, still encoded."""
        return await self._videos.get(media.id, lambda: self._load_video(media))

    async def video_index(self, media: Media) -> VideoIndex:
        """The index of a video: frames and key frames of its source."""

        async def load() -> VideoIndex:
            return await _decoded(decode_video, await self.video_block(media))

        return await self._indexes.get(media.id, load)

    async def addresses(self, media: Media, frames: Frames) -> list[ImageAddress]:
        """Where images lie, in order."""
        head = await self.head(media)
        found: list[ImageAddress] = []
        number = bisect_right(head.blocks, frames.first, key=lambda block: block.first) - 1
        for block in head.blocks[max(0, number) :]:
            if block.first > frames.last:
                break
            images = await self._image_block(media, block)
            found += images[max(0, frames.first - block.first) : frames.last + 1 - block.first]
        if len(found) != len(frames):
            raise errors.DataLoss(f"the plan of media {media.id} has {len(found)} of {len(frames)} frames")
        return found

    async def _image_block(self, media: Media, block: Block) -> list[ImageAddress]:
        async def load() -> list[ImageAddress]:
            return await _decoded(decode_frames, await self._range(media, block.offset, block.length))

        return await self._images.get((media.id, block.first), load)

    async def _load_head(self, media: Media) -> PlanHead:
        size = media.plan_size_bytes
        trailer = await self._range(media, size - TRAILER_BYTES, TRAILER_BYTES)
        offset, length = await _decoded(lambda content: head_range(content, size), trailer)
        head = await _decoded(decode_head, await self._range(media, offset, length))
        if (head.kind, head.size) != (media.kind, media.size):
            raise errors.DataLoss(f"the plan of media {media.id} has {head.size} frames, not {media.size}")
        return head

    async def _load_video(self, media: Media) -> bytes:
        [block] = (await self.head(media)).blocks
        return await self._range(media, block.offset, block.length)

    async def _range(self, media: Media, offset: int, length: int) -> bytes:
        start = max(0, media.plan_size_bytes - END_BYTES)
        if offset < start:
            return await self._blobs.get(media.plan_key, offset=offset, length=length)

        async def load() -> bytes:
            return await self._blobs.get(media.plan_key, offset=start, length=END_BYTES)

        end = await self._ends.get(media.id, load)
        return end[offset - start : offset - start + length]


D = TypeVar("D")


async def _decoded(decode: Callable[[bytes], D], content: bytes) -> D:
    try:
        return await asyncio.to_thread(decode, content)
    except MediaError as fault:
        raise errors.DataLoss(f"the plan cannot be read: {fault}") from fault
