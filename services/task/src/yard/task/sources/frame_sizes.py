"""Sizes of image frames, from the plan of the media in the bucket."""

import asyncio
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final, Generic, TypeVar

from yard.media.errors import MediaError
from yard.media.index_block import decode_frames
from yard.media.plan import TRAILER_BYTES, Block, decode_head, head_range
from yard.runtime import errors
from yard.runtime.blobs import BlobRef, Blobs

# A block of 10,000 frames is kept as 80 kB, so that all of them are 5 MB.
KEPT_BLOCKS: Final = 64
KEPT_PLANS: Final = 64

K = TypeVar("K")
V = TypeVar("V")
Sizes = tuple["array[int]", "array[int]"]


class FrameSizes:
    """Reads only the blocks of a plan that are asked for, and keeps those that were used last."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._plans: Kept[str, tuple[Block, ...]] = Kept(KEPT_PLANS)
        self._sizes: Kept[str, Sizes] = Kept(KEPT_BLOCKS)

    async def of(self, plan: BlobRef, frames: Iterable[int]) -> Mapping[int, tuple[int, int]]:
        """Width and height, pixels, of those of the frames whose size is known."""
        wanted = sorted(set(frames))
        found: dict[int, tuple[int, int]] = {}
        if not wanted:
            return found
        try:
            for block in await self._blocks(plan):
                inside = [frame for frame in wanted if block.first <= frame < block.first + block.count]
                if inside:
                    widths, heights = await self._block(plan, block)
                    places = ((frame, frame - block.first) for frame in inside)
                    found |= {frame: (widths[place], heights[place]) for frame, place in places}
        except (MediaError, errors.NotFound, errors.OutOfRange) as fault:
            raise errors.DataLoss(f"the plan {plan.key} cannot be read: {fault}") from fault
        return {frame: size for frame, size in found.items() if all(size)}

    async def _blocks(self, plan: BlobRef) -> tuple[Block, ...]:
        blocks = self._plans.get(plan.key)
        if blocks is None:
            trailer = await self._read(plan, max(0, plan.size_bytes - TRAILER_BYTES), TRAILER_BYTES)
            head = await self._read(plan, *head_range(trailer, plan.size_bytes))
            blocks = (await asyncio.to_thread(decode_head, head)).blocks
            self._plans.put(plan.key, blocks)
        return blocks

    async def _block(self, plan: BlobRef, block: Block) -> Sizes:
        key = f"{plan.key}/{block.first}"
        sizes = self._sizes.get(key)
        if sizes is None:
            content = await self._read(plan, block.offset, block.length)
            sizes = await asyncio.to_thread(_sizes_in, content)
            self._sizes.put(key, sizes)
        return sizes

    async def _read(self, plan: BlobRef, offset: int, length: int) -> bytes:
        return await self._blobs.get(plan.key, offset=offset, length=length)


def _sizes_in(block: bytes) -> Sizes:
    frames = decode_frames(block)
    return array("I", (frame.width for frame in frames)), array("I", (frame.height for frame in frames))


class Kept(Generic[K, V]):
    """The values that were used last, by key."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, which counts as used."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        """Adds a value, or takes the place of the one that is there."""
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._most:
            self._values.popitem(last=False)

    def drop(self, key: K) -> None:
        """Forgets a value, if there is one."""
        self._values.pop(key, None)
