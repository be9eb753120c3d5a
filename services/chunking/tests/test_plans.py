"""Where frames lie, as plans tell it: read in few pieces."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal
from uuid import UUID

import pytest
from yard.chunking.build.plans import END_BYTES, Plans
from yard.chunking.domain import Frames, Media
from yard.chunking.settings import Settings
from yard.media.hard_clips import FRAMES, make_clip
from yard.media.index_block import ImageAddress, encode_frames, encode_video
from yard.media.plan import Source, encode_plan
from yard.media.video_index import index_video
from yard.runtime import ids
from yard.runtime.blobs import Blobs

SOURCE = Source(key="uploads/1", name="source", size_bytes=1, sha256="0" * 64)


@pytest.fixture
async def blobs(settings: Settings) -> AsyncIterator[Blobs]:
    blobs = Blobs.connect(settings)
    yield blobs
    await blobs.close()


async def planned(blobs: Blobs, kind: Literal["images", "video"], blocks: list[bytes], size: int) -> Media:
    plan = b"".join(encode_plan(kind, [SOURCE], blocks, size=size))
    blob = await blobs.put(f"plans/{ids.uuid7()}", plan)
    return Media(
        id=UUID(int=1),
        task_id=7,
        kind=kind,
        size=size,
        width=0,
        height=0,
        image_quality=70,
        chunk_size=36,
        form="zip",
        use_cache=True,
        plan_key=blob.key,
        plan_size_bytes=blob.size_bytes,
        operation_id=None,
    )


async def test_head_and_index_of_a_video_come_in_one_read(blobs: Blobs, tmp_path: Path) -> None:
    content = make_clip("b_frames", tmp_path).read_bytes()
    block = encode_video(index_video(io.BytesIO(content), "film"))
    media = await planned(blobs, "video", [block], FRAMES)
    plans = Plans(blobs)
    assert (await plans.head(media)).sources == (SOURCE,)
    await blobs.delete(media.plan_key)
    assert await plans.video_block(media) == block
    assert (await plans.video_index(media)).frames == FRAMES


async def test_long_plans_are_read_where_the_frames_are_told(blobs: Blobs) -> None:
    names = [f"{ids.uuid7().hex}.jpg" for _ in range(12_000)]
    addresses = [ImageAddress(order=order, name=name) for order, name in enumerate(names)]
    blocks = [encode_frames(addresses[first : first + 6_000]) for first in (0, 6_000)]
    media = await planned(blobs, "images", blocks, len(addresses))
    assert media.plan_size_bytes > END_BYTES + len(blocks[0])
    plans = Plans(blobs)
    for frames in (
        Frames(first=0, last=2),
        Frames(first=5_998, last=6_001),
        Frames(first=11_999, last=11_999),
    ):
        found = await plans.addresses(media, frames)
        assert [address.name for address in found] == names[frames.first : frames.last + 1]
