from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from frameyard.media.v1 import media_pb2
from yard.media.index_block import ImageAddress, decode_frames, decode_video
from yard.media.plan import TRAILER_BYTES, PlanHead, decode_head, head_range
from yard.media.video_index import VideoIndex
from yard.runtime import app


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What chunking would read."""

    head: PlanHead
    blocks: tuple[bytes, ...]

    @property
    def video(self) -> VideoIndex:
        [block] = self.blocks
        return decode_video(block)

    @property
    def images(self) -> list[ImageAddress]:
        return [address for block in self.blocks for address in decode_frames(block)]

    @property
    def names(self) -> list[str]:
        return [address.name for address in self.images]


async def read_plan(running: app.Running[Any], media: media_pb2.Media) -> Plan:
    """By ranges, as its readers do."""
    blobs, plan = running.runtime.blobs, media.plan
    trailer = await blobs.get(plan.key, offset=plan.size_bytes - TRAILER_BYTES, length=TRAILER_BYTES)
    offset, length = head_range(trailer, plan.size_bytes)
    head = decode_head(await blobs.get(plan.key, offset=offset, length=length))
    blocks = [await blobs.get(plan.key, offset=block.offset, length=block.length) for block in head.blocks]
    return Plan(head=head, blocks=tuple(blocks))
