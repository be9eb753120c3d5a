"""What the metrics endpoint tells of requests and of the cache, after real requests."""

import asyncio
import dataclasses
from pathlib import Path

import pytest
from yard.chunking.handlers import counting
from yard.chunking.handlers.context import Chunking
from yard.chunking.handlers.evicting import evict
from yard.chunking.settings import Settings
from yard.media.hard_clips import make_clip
from yard.media.synthetic import make_demo_video
from yard.runtime import app

from services.chunking.tests.conftest import ANN, Connect
from services.chunking.tests.counted import Counts, counted, gained
from services.chunking.tests.media_side import MediaSide, Viewer, all_stored


@pytest.fixture
async def before(running: app.Running[Settings]) -> Counts:
    return await counted(running)


async def test_hits_misses_and_joined_requests_are_told_apart(
    side: MediaSide,
    running: app.Running[Settings],
    connect: Connect,
    before: Counts,
    tmp_path: Path,
) -> None:
    media = await side.video(make_demo_video(tmp_path / "demo.mp4", 4, (640, 360)), chunk_size=60)
    viewers = [connect(ANN) for _ in range(4)]
    await asyncio.gather(*(viewer.chunk(media, 1) for viewer in viewers))
    await all_stored(running.runtime.db)
    for _ in range(3):
        await viewers[0].chunk(media, 1)
    await viewers[0].preview(media, 7)
    await all_stored(running.runtime.db)
    await viewers[0].preview(media, 7)
    await viewers[0].frames(media, 3, 5)
    after = await counted(running)
    assert gained(before, after, counting.REQUESTS) == {
        ("chunk", "built"): 1,
        ("chunk", "joined"): 3,
        ("chunk", "hit"): 3,
        ("chunk", "private"): 1,
        ("preview", "built"): 1,
        ("preview", "hit"): 1,
    }


async def test_services_that_fetch_from_the_bucket_are_counted(
    side: MediaSide, running: app.Running[Settings], export: Viewer, before: Counts, tmp_path: Path
) -> None:
    media = await side.video(make_clip("b_frames", tmp_path))
    await export.chunk(media, 1)
    await all_stored(running.runtime.db)
    header, _, _ = await export.whole_chunk(export.request(media, number=1, allow_reference=True))
    assert header.blob.size_bytes
    after = await counted(running)
    expected = {("chunk", "built"): 1, ("chunk", "reference"): 1}
    assert gained(before, after, counting.REQUESTS) == expected


async def test_the_cache_tells_its_length_its_limit_and_what_went(
    side: MediaSide, running: app.Running[Settings], ann: Viewer, before: Counts, tmp_path: Path
) -> None:
    db = running.runtime.db
    media = await side.video(make_clip("b_frames", tmp_path))
    sizes = [len((await ann.chunk(media, number))[1]) for number in (0, 1, 2, 1, 2)][:3]
    await all_stored(db)
    chunking = Chunking.of(running.runtime)
    await evict(chunking)
    full = await counted(running)
    assert full[(counting.CACHE_BYTES,)] == sum(sizes)
    assert full[(counting.CACHE_LIMIT_BYTES,)] == running.runtime.settings.cache_bytes
    await db.execute("UPDATE chunk SET read_until = '-infinity'")
    # Nobody else evicts: the service itself is told of no change.
    small = dataclasses.replace(running.runtime.settings, cache_bytes=sizes[1] + sizes[2])
    running.runtime.settings = small
    assert await evict(chunking) == 1
    after = await counted(running)
    assert gained(before, after, counting.EVICTED) == {(): 1}
    assert gained(before, after, counting.EVICTED_BYTES) == {(): sizes[0]}
    assert after[(counting.CACHE_LIMIT_BYTES,)] == small.cache_bytes
    assert await evict(chunking) == 0
    assert (await counted(running))[(counting.CACHE_BYTES,)] == sizes[1] + sizes[2]
