"""Chunks that are made before their reader asks for them."""

import dataclasses
from pathlib import Path

import pytest
from frameyard.media.v1 import media_pb2
from yard.chunking.settings import Settings
from yard.media.hard_clips import make_clip
from yard.runtime import app
from yard.runtime.db import Database
from yard.testkit.eventually import eventually

from services.chunking.tests.media_side import MediaSide, Viewer, all_stored

CHUNK = 4
COUNT = 10


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, read_ahead=2)


@pytest.fixture
async def media(side: MediaSide, tmp_path: Path) -> media_pb2.Media:
    return await side.video(make_clip("b_frames", tmp_path, frames=CHUNK * COUNT), chunk_size=CHUNK)


@pytest.fixture
def db(running: app.Running[Settings]) -> Database:
    return running.runtime.db


async def built(db: Database) -> list[int]:
    """Numbers of the chunks that are built."""
    rows = await db.fetch("SELECT first_frame FROM chunk WHERE state = 'built' ORDER BY first_frame")
    return [row["first_frame"] // CHUNK for row in rows]


async def until_built(db: Database, *numbers: int) -> None:
    async def are_there() -> bool:
        return await built(db) == list(numbers)

    await eventually(are_there, timeout_s=30)


async def test_a_reader_finds_the_next_chunks_in_both_directions(
    media: media_pb2.Media, ann: Viewer, db: Database
) -> None:
    await ann.chunk(media, 5)
    await until_built(db, 5, 6, 7)
    header, _ = await ann.chunk(media, 6)
    assert header.HasField("size_bytes")
    await until_built(db, 5, 6, 7, 8)
    await ann.chunk(media, 5)
    await until_built(db, 3, 4, 5, 6, 7, 8)
    assert (await ann.chunk(media, 4))[0].HasField("size_bytes")
    await until_built(db, 2, 3, 4, 5, 6, 7, 8)


async def test_it_ends_where_the_grant_ends(media: media_pb2.Media, ann: Viewer, db: Database) -> None:
    grant = ann.grant(media, first=8, last=17)
    await ann.chunk(media, 2, grant=grant)
    await until_built(db, 2, 3)  # frames 12 to 15; of the next chunk only two are granted
    await ann.chunk(media, COUNT - 1)
    await all_stored(db)
    await until_built(db, 2, 3, COUNT - 1)


async def test_who_jumps_has_no_more_made_than_two_a_jump(
    media: media_pb2.Media, ann: Viewer, db: Database
) -> None:
    for number in (0, 9, 3, 7, 1):
        await ann.chunk(media, number)
    await all_stored(db)
    assert {0, 9, 3, 7, 1} <= set(await built(db))
    rows = await db.fetch("SELECT quality, form FROM chunk")
    assert {(row["quality"], row["form"]) for row in rows} == {("compressed", "zip")}


async def test_chunks_that_are_kept_are_not_made_ahead(
    side: MediaSide, ann: Viewer, db: Database, tmp_path: Path
) -> None:
    media = await side.video(make_clip("b_frames", tmp_path), use_cache=False, chunk_size=10)
    await eventually(lambda: side.told(media), timeout_s=30)
    await ann.chunk(media, 0)
    await ann.chunk(media, 1, format=media_pb2.CHUNK_FORMAT_MP4)

    async def ahead() -> bool:
        rows = await db.fetch("SELECT first_frame FROM chunk WHERE form = 'mp4' ORDER BY first_frame")
        return [row["first_frame"] for row in rows] == [10, 20, 30]

    await eventually(ahead, timeout_s=30)
    assert await db.fetchval("SELECT count(*) FROM chunk WHERE form = 'zip'") == 4
