"""Chunks that are made before their reader asks for them."""

import dataclasses
from pathlib import Path

import pytest
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from yard.chunking.handlers import counting
from yard.chunking.settings import Settings
from yard.media.hard_clips import make_clip
from yard.media.synthetic import make_demo_video
from yard.runtime import app
from yard.runtime.db import Database
from yard.testkit.eventually import eventually

from services.chunking.tests.claims import LOG_CLAIMS, claims
from services.chunking.tests.counted import Counts, counted, gained
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


async def test_who_reads_through_a_service_finds_the_next_chunks_too(
    media: media_pb2.Media, ann: Viewer, export: Viewer, db: Database
) -> None:
    anns, bens = ann.grant(media), dataclasses.replace(ann, user_id=2).grant(media)
    for grant, number, there in (
        (anns, 4, {4, 5, 6}),
        (bens, 1, {1, 2, 3, 4, 5, 6}),
        (anns, 5, {1, 2, 3, 4, 5, 6, 7}),  # forwards, though somebody else is further back
    ):
        header, _ = await export.chunk(media, number, grant=grant, allow_reference=True)
        assert header.HasField("blob") == (number == 5)
        await until_built(db, *sorted(there))


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


async def asked_for(db: Database) -> list[int]:
    """Numbers of all chunks that were begun so far, once nothing is being made any more."""
    await all_stored(db)
    return [first // CHUNK for first in await claims(db)]


async def test_never_more_than_two_are_made_ahead(
    media: media_pb2.Media, ann: Viewer, running: app.Running[Settings], db: Database
) -> None:
    await db.execute(LOG_CLAIMS)
    before = await counted(running)
    for number, known in ((0, 3), (1, 4), (2, 5), (2, 5), (3, 6)):
        await ann.chunk(media, number)
        await until_built(db, *range(known))
        assert await asked_for(db) == list(range(known))
    for number, lowest in ((9, 9), (8, 6), (7, 6)):
        await ann.chunk(media, number)
        await until_built(db, *range(6), *range(lowest, COUNT))
        assert await asked_for(db) == [*range(6), *range(lowest, COUNT)]
    made = gained(before, await counted(running), counting.AHEAD)
    assert made[("made",)] >= 6


async def test_it_stops_while_others_wait_for_a_process(
    side: MediaSide,
    media: media_pb2.Media,
    ann: Viewer,
    running: app.Running[Settings],
    db: Database,
    tmp_path: Path,
) -> None:
    await ann.chunk(media, 0, grant=ann.grant(media, first=0, last=CHUNK - 1))
    await all_stored(db)
    await db.execute(LOG_CLAIMS)
    long = await side.video(make_demo_video(tmp_path / "demo.mp4", 10, (960, 540)))
    request = ann.request(long, frames=FrameRange(first=1, last=299), format=media_pb2.CHUNK_FORMAT_MP4)
    calls = [ann.stub.GetChunk(request) for _ in range(running.runtime.settings.worker_processes + 2)]
    await eventually(lambda: running.runtime.workers_waiting >= 2, timeout_s=10)
    before = await counted(running)
    # It is there already; the two behind it are not.
    await ann.chunk(media, 0)
    grown = await eventually(lambda: _given_up(running, before), timeout_s=10)
    assert grown == 2
    for call in calls:
        call.cancel()
    await eventually(lambda: not running.runtime.workers_waiting, timeout_s=10)
    assert await asked_for(db) == []


async def _given_up(running: app.Running[Settings], before: Counts) -> float:
    return gained(before, await counted(running), counting.AHEAD).get(("given_up",), 0.0)


async def test_static_tasks_have_nothing_made_ahead(
    side: MediaSide, ann: Viewer, running: app.Running[Settings], db: Database, tmp_path: Path
) -> None:
    before = await counted(running)
    media = await side.video(make_clip("b_frames", tmp_path), use_cache=False, chunk_size=4)
    for number in range(10):
        await ann.chunk(media, number)
    await eventually(lambda: side.told(media), timeout_s=30)
    await all_stored(db)
    assert gained(before, await counted(running), counting.AHEAD) == {}
