"""Tasks with kept chunks become cached ones, and the other way round."""

import asyncio
import dataclasses
from pathlib import Path
from uuid import UUID

import pytest
from frameyard.chunk.v1.chunk_events_pb2 import ChunksBuilt
from frameyard.media.v1 import media_pb2
from yard.chunking.domain import Media
from yard.chunking.handlers.context import Chunking
from yard.chunking.handlers.evicting import evict
from yard.chunking.settings import Settings
from yard.chunking.store import media as store
from yard.media.hard_clips import make_clip
from yard.media.synthetic import make_demo_video
from yard.runtime import app
from yard.runtime.db import Database, Transaction
from yard.testkit.eventually import eventually

from services.chunking.tests.claims import LOG_CLAIMS, claims
from services.chunking.tests.media_side import MediaSide, Viewer, all_stored, numbers_in_zip


async def until_cached(ann: Viewer, media: media_pb2.Media, use_cache: bool) -> None:
    async def is_so() -> bool:
        return (await ann.status(media)).use_cache is use_cache

    await eventually(is_so, timeout_s=30)


async def forms(db: Database) -> list[str]:
    return [row["form"] for row in await db.fetch("SELECT form FROM chunk ORDER BY form, first_frame")]


async def test_kept_chunks_are_evicted_only_after_the_switch(
    side: MediaSide, ann: Viewer, running: app.Running[Settings], tmp_path: Path
) -> None:
    db = running.runtime.db
    stays = await side.video(make_clip("b_frames", tmp_path), use_cache=False)
    changes = await side.video(make_clip("open_gop", tmp_path), use_cache=False)
    await eventually(lambda: side.told(stays) and side.told(changes), timeout_s=30)
    await side.set_use_cache(changes, True)
    await until_cached(ann, changes, True)
    assert (await ann.status(changes)).operation == ""
    assert (await ann.status(changes)).built_count == 4
    running.runtime.settings = dataclasses.replace(running.runtime.settings, cache_bytes=0)
    await db.execute("UPDATE chunk SET read_until = '-infinity'")
    await evict(Chunking.of(running.runtime))

    async def has_gone() -> bool:
        rows = await db.fetch("SELECT DISTINCT media_id::text AS id FROM chunk")
        return [row["id"] for row in rows] == [stays.id]

    await eventually(has_gone, timeout_s=30)
    assert await db.fetchval("SELECT count(*) FROM chunk WHERE is_kept") == 4
    assert numbers_in_zip((await ann.chunk(changes, 1))[1]) == list(range(10, 20))


async def test_cached_chunks_are_kept_and_the_others_built(
    side: MediaSide, ann: Viewer, running: app.Running[Settings], tmp_path: Path
) -> None:
    db = running.runtime.db
    media = await side.video(make_clip("b_frames", tmp_path))
    await ann.chunk(media, 2)
    await ann.chunk(media, 0, format=media_pb2.CHUNK_FORMAT_MP4)
    await all_stored(db)
    await side.set_use_cache(media, False)
    [told] = await eventually(lambda: side.told(media), timeout_s=30)
    assert isinstance(told, ChunksBuilt)
    assert (await ann.status(media)).operation.startswith("chunking/")
    assert await forms(db) == ["mp4", *["zip"] * 4]
    kept = await db.fetch("SELECT form FROM chunk WHERE is_kept")
    assert [row["form"] for row in kept] == ["zip"] * 4
    assert await db.fetchval("SELECT count(*) FROM chunk WHERE first_frame = 20") == 1


async def test_the_switch_ends_the_building(
    side: MediaSide, ann: Viewer, running: app.Running[Settings], tmp_path: Path
) -> None:
    db = running.runtime.db
    video = make_demo_video(tmp_path / "demo.mp4", 8, (640, 360))
    media = await side.video(video, use_cache=False, chunk_size=10)

    async def has_built() -> bool:
        return (await ann.status(media)).built_count > 0

    await eventually(has_built, timeout_s=30)
    await asyncio.gather(*(side.set_use_cache(media, True) for _ in range(2)))
    await until_cached(ann, media, True)

    async def is_cancelled() -> bool:
        return bool(await db.fetchval("SELECT state FROM operation") == "CANCELLED")

    await eventually(is_cancelled, timeout_s=30)

    async def is_quiet() -> bool:
        states = await db.fetchval("SELECT count(*) FROM work WHERE state IN ('queued', 'running')")
        return not states

    await eventually(is_quiet, timeout_s=30)
    await all_stored(db)
    assert side.told(media) == []
    assert (await ann.status(media)).built_count < (await ann.status(media)).chunk_count
    assert not await db.fetchval("SELECT count(*) FROM chunk WHERE is_kept")


async def test_media_that_is_told_later_is_waited_for(side: MediaSide, ann: Viewer, tmp_path: Path) -> None:
    media = await side.video(make_clip("b_frames", tmp_path), tells=False)
    await side.set_use_cache(media, False)
    media.task_id = 8  # events of one task are handled in their order
    await side.tell(media)
    [told] = await eventually(lambda: side.told(media), timeout_s=30)
    assert told.chunk_count == 4
    assert not (await ann.status(media)).use_cache


async def test_media_that_is_told_while_the_switch_looks_for_it_is_not_missed(
    side: MediaSide,
    ann: Viewer,
    running: app.Running[Settings],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    media = await side.video(make_clip("b_frames", tmp_path), tells=False)
    look = store.media_of

    async def look_too_early(source: Database | Transaction, media_id: UUID, **how: bool) -> Media | None:
        found = await look(source, media_id, **how)
        if found is None and not await store.is_known(running.runtime.db, media_id):
            media.task_id = 8
            await side.tell(media)
            await eventually(lambda: store.is_known(running.runtime.db, media_id))
        return found

    monkeypatch.setattr(store, "media_of", look_too_early)
    await side.set_use_cache(media, False)
    await eventually(lambda: side.told(media), timeout_s=30)
    assert not (await ann.status(media)).use_cache


async def test_there_and_back_each_chunk_is_there_once_and_none_in_use_is_lost(
    side: MediaSide, ann: Viewer, running: app.Running[Settings], tmp_path: Path
) -> None:
    db = running.runtime.db
    await db.execute(LOG_CLAIMS)
    media = await side.video(make_clip("b_frames", tmp_path), use_cache=False)
    await eventually(lambda: side.told(media), timeout_s=30)
    await side.set_use_cache(media, True)
    await until_cached(ann, media, True)
    running.runtime.settings = dataclasses.replace(running.runtime.settings, cache_bytes=0)
    await db.execute("UPDATE chunk SET read_until = '-infinity' WHERE first_frame <> 20")
    await evict(Chunking.of(running.runtime))
    # Chunk 2 was read a moment ago and stays.
    assert numbers_in_zip((await ann.chunk(media, 2))[1]) == list(range(20, 30))
    await eventually(lambda: _firsts_are(db, [20]), timeout_s=10)
    await side.set_use_cache(media, False)
    await eventually(lambda: len(side.told(media)) == 2, timeout_s=30)
    await evict(Chunking.of(running.runtime))
    assert await claims(db) == [0, 0, 10, 10, 20, 30, 30]
    assert await _firsts_are(db, [0, 10, 20, 30])
    assert await db.fetchval("SELECT bool_and(is_kept AND state = 'built') FROM chunk")
    keys = [blob.key async for blob in side.blobs.list(f"chunks/{media.id}/")]
    assert len(keys) == 4
    shown = [n for k in range(4) for n in numbers_in_zip((await ann.chunk(media, k))[1])]
    assert shown == list(range(40))


async def _firsts_are(db: Database, firsts: list[int]) -> bool:
    rows = await db.fetch("SELECT first_frame FROM chunk ORDER BY first_frame")
    return [row["first_frame"] for row in rows] == firsts
