import dataclasses
from pathlib import Path
from uuid import UUID

import pytest
from frameyard.media.v1 import media_pb2
from yard.chunking.handlers.context import Chunking
from yard.chunking.handlers.evicting import evict
from yard.chunking.settings import Settings
from yard.chunking.store import chunks as store
from yard.chunking.store.media import media_of
from yard.media.hard_clips import make_clip
from yard.runtime import app
from yard.runtime.db import Database
from yard.testkit.eventually import eventually

from services.chunking.tests.media_side import MediaSide, Viewer, all_stored, numbers_in_zip


@pytest.fixture
def chunking(running: app.Running[Settings]) -> Chunking:
    return Chunking.of(running.runtime)


async def cached(db: Database) -> dict[int, int]:
    """Length by first frame."""
    rows = await db.fetch("SELECT first_frame, size_bytes FROM chunk ORDER BY first_frame")
    return {row["first_frame"]: row["size_bytes"] for row in rows}


async def limit(running: app.Running[Settings], size_bytes: int) -> None:
    running.runtime.settings = dataclasses.replace(running.runtime.settings, cache_bytes=size_bytes)


async def no_longer_read(db: Database) -> None:
    await db.execute("UPDATE chunk SET read_until = '-infinity'")


async def first_frames(db: Database) -> list[int]:
    return list(await cached(db))


async def test_the_least_popular_goes_first(
    side: MediaSide, ann: Viewer, running: app.Running[Settings], chunking: Chunking, tmp_path: Path
) -> None:
    db = running.runtime.db
    media = await side.video(make_clip("b_frames", tmp_path))
    for number in (0, 1, 2, 3, 1, 1, 3):
        await ann.chunk(media, number)
    await all_stored(db)
    sizes = await cached(db)
    await limit(running, sizes[10] + sizes[30])
    assert await evict(chunking) == 0  # they may still be read
    await no_longer_read(db)
    await evict(chunking)

    async def have_gone() -> bool:
        return await first_frames(db) == [10, 30]

    await eventually(have_gone)
    keys = [blob.key async for blob in side.blobs.list(f"chunks/{media.id}/compressed/zip/")]
    assert [key.rpartition("/")[2] for key in keys] == ["10-19", "30-39"]
    assert numbers_in_zip((await ann.chunk(media, 0))[1]) == list(range(10))


async def test_old_uses_fade(
    side: MediaSide, ann: Viewer, running: app.Running[Settings], chunking: Chunking, tmp_path: Path
) -> None:
    db = running.runtime.db
    media = await side.video(make_clip("b_frames", tmp_path))
    for number in (0, 0, 0, 0, 0, 1):
        await ann.chunk(media, number)
    await all_stored(db)
    # Ten half-lives ago.
    await db.execute("UPDATE chunk SET score = score - 10 * ln(2) WHERE first_frame = 0")
    await limit(running, (await cached(db))[10])
    await no_longer_read(db)
    await evict(chunking)

    async def has_gone() -> bool:
        return await first_frames(db) == [10]

    await eventually(has_gone)


async def test_what_is_kept_is_not_cached(
    side: MediaSide, ann: Viewer, running: app.Running[Settings], chunking: Chunking, tmp_path: Path
) -> None:
    db = running.runtime.db
    media = await side.video(make_clip("b_frames", tmp_path), use_cache=False)
    await eventually(lambda: side.told(media), timeout_s=30)
    await ann.chunk(media, 0, format=media_pb2.CHUNK_FORMAT_MP4)
    await ann.preview(media, 0)
    await all_stored(db)
    await limit(running, 0)
    await no_longer_read(db)
    await evict(chunking)

    async def only_kept() -> bool:
        rows = await db.fetch("SELECT form FROM chunk")
        return [row["form"] for row in rows] == ["zip"] * 4

    await eventually(only_kept)
    assert [blob.key async for blob in side.blobs.list("previews/")] == []


async def test_what_is_read_stays_protected(
    side: MediaSide, ann: Viewer, running: app.Running[Settings], tmp_path: Path
) -> None:
    db = running.runtime.db
    media = await side.video(make_clip("b_frames", tmp_path))
    await ann.chunk(media, 0)
    await ann.chunk(media, 1)
    await all_stored(db)
    await no_longer_read(db)
    chunking = Chunking.of(running.runtime)
    known = await media_of(db, UUID(media.id))
    assert known is not None
    await store.keep_reading(db, [next(known.chunks())])
    await limit(running, 0)
    await evict(chunking)

    async def only_the_read_one() -> bool:
        return await first_frames(db) == [0]

    await eventually(only_the_read_one)
