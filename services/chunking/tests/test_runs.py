"""Runs of chunks: what becomes of them when something goes wrong, and of those who ask meanwhile."""

from __future__ import annotations

import dataclasses
import signal
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from frameyard.chunk.v1.chunk_events_pb2 import ChunksBuilt, ChunksFailed
from frameyard.media.v1 import media_pb2
from prometheus_client import REGISTRY
from yard.chunking.build import counting
from yard.chunking.domain import Media
from yard.chunking.handlers.context import Chunking
from yard.chunking.settings import Settings
from yard.chunking.store import media as media_store
from yard.media.synthetic import make_demo_video
from yard.runtime import app, errors
from yard.runtime.db import Database
from yard.testkit.eventually import eventually

from services.chunking.tests.claims import claims
from services.chunking.tests.media_side import MediaSide, Viewer, all_stored, numbers_in_mp4, numbers_in_zip


def video(tmp_path: Path, seconds: int = 20, size: tuple[int, int] = (640, 360)) -> Path:
    return make_demo_video(tmp_path / "demo.mp4", seconds, size)


async def known(db: Database, media: media_pb2.Media) -> Media:
    """As the service has it."""

    async def told() -> Media | bool:
        return await media_store.media_of(db, UUID(media.id)) or False

    found = await eventually(told, timeout_s=10)
    assert isinstance(found, Media)
    return found


async def built(db: Database) -> int:
    return int(await db.fetchval("SELECT count(*) FROM chunk WHERE state = 'built'"))


async def are_some_built(db: Database) -> bool:
    return await built(db) >= 2


def kill_children() -> None:
    """Those that are at work."""
    for child in psutil.Process().children():
        if "workers.child" in " ".join(child.cmdline()):
            child.send_signal(signal.SIGKILL)


async def test_a_child_that_is_killed_costs_the_chunk_in_the_making(
    side: MediaSide, db: Database, tmp_path: Path, ann: Viewer
) -> None:
    media = await side.video(video(tmp_path), use_cache=False, chunk_size=10)
    await eventually(lambda: are_some_built(db), timeout_s=30)
    kill_children()
    [told] = await eventually(lambda: side.told(media), timeout_s=60)
    assert isinstance(told, ChunksBuilt)
    claimed = await claims(db)
    assert sorted(set(claimed)) == list(range(0, media.size, 10))
    assert len(claimed) <= media.size // 10 + 2
    shown = [n for k in range(media.size // 10) for n in numbers_in_zip((await ann.chunk(media, k))[1])]
    assert shown == list(range(media.size))


async def test_a_chunk_that_is_asked_for_is_built_before_its_turn(
    side: MediaSide, db: Database, tmp_path: Path, ann: Viewer
) -> None:
    media = await side.video(video(tmp_path, 20, (1280, 720)), use_cache=False, chunk_size=10)
    await eventually(lambda: are_some_built(db), timeout_s=30)
    _, content = await ann.chunk(media, 59)
    assert numbers_in_zip(content) == list(range(590, 600))
    [told] = await eventually(lambda: side.told(media), timeout_s=60)
    assert isinstance(told, ChunksBuilt)
    assert await claims(db) == list(range(0, media.size, 10))
    rows = await db.fetch("SELECT first_frame FROM chunk ORDER BY built_at")
    order = [row["first_frame"] for row in rows]
    assert order.index(590) < order.index(500)


async def test_who_asks_for_the_chunk_in_the_making_joins_its_run(
    side: MediaSide, db: Database, tmp_path: Path, ann: Viewer
) -> None:
    media = await side.video(video(tmp_path, 10, (1280, 720)), use_cache=False, chunk_size=150)
    await eventually(lambda: _is_begun(db), timeout_s=30)
    assert numbers_in_zip((await ann.chunk(media, 0))[1]) == list(range(150))
    await eventually(lambda: side.told(media), timeout_s=60)
    assert await claims(db) == [0, 150]


async def _is_begun(db: Database) -> bool:
    return bool(await db.fetchval("SELECT count(*) FROM chunk"))


async def test_mp4_chunks_are_made_by_runs(
    side: MediaSide, db: Database, tmp_path: Path, ann: Viewer
) -> None:
    form = media_pb2.CHUNK_FORMAT_MP4
    media = await side.video(
        video(tmp_path, 4, (320, 180)), use_cache=False, chunk_size=36, chunk_format=form
    )
    [told] = await eventually(lambda: side.told(media), timeout_s=60)
    assert isinstance(told, ChunksBuilt)
    shown = [n for k in range(told.chunk_count) for n in numbers_in_mp4((await ann.chunk(media, k))[1])]
    assert shown == list(range(120))
    assert await claims(db) == [0, 36, 72, 108]


async def test_static_media_whose_file_is_gone_says_which(
    side: MediaSide, db: Database, tmp_path: Path
) -> None:
    media = await side.video(video(tmp_path, 2), use_cache=False, tells=False)
    await side.blobs.delete(*[blob.key async for blob in side.blobs.list("uploads/")])
    await side.tell(media)
    [told] = await eventually(lambda: side.told(media), timeout_s=30)
    assert isinstance(told, ChunksFailed)
    fault = errors.from_status(told.error)
    assert isinstance(fault, errors.FailedPrecondition)
    assert fault.metadata["file"] == "demo.mp4"
    assert not await db.fetchval("SELECT count(*) FROM chunk")


async def test_a_chunk_that_takes_too_long_ends_its_run_and_leaves_nothing(
    side: MediaSide, db: Database, running: app.Running[Settings], tmp_path: Path
) -> None:
    media = await known(db, await side.video(video(tmp_path, 10, (1280, 720)), chunk_size=150))
    runtime = running.runtime
    hasty = dataclasses.replace(runtime.settings, chunk_timeout_s=0.2)
    chunking = Chunking.of(_with(runtime, hasty))
    with pytest.raises(errors.WorkerCrashed):
        await chunking.builder.ensure_run(media, list(media.chunks()))
    await chunking.builder.close()
    assert not await db.fetchval("SELECT count(*) FROM chunk")
    assert [blob async for blob in side.blobs.list("chunks/")] == []


def _with(runtime: app.Runtime[Settings], settings: Settings) -> app.Runtime[Settings]:
    """The same with other settings."""
    other = object.__new__(app.Runtime)
    other.__dict__.update(runtime.__dict__, settings=settings, blobs=runtime.blobs, workers=runtime.workers)
    return other


async def test_what_is_built_is_counted(side: MediaSide, db: Database, tmp_path: Path, ann: Viewer) -> None:
    def counted(lane: str) -> float:
        labels = {"form": "zip", "quality": "compressed", "lane": lane}
        return REGISTRY.get_sample_value(counting.FRAMES, labels) or 0.0

    before = counted("interactive"), counted("bulk")
    path = video(tmp_path, 2)
    await ann.chunk(await side.video(path, chunk_size=20), 0)
    await all_stored(db)
    assert counted("interactive") == before[0] + 20
    media = await side.video(path, chunk_size=20, use_cache=False)
    await eventually(lambda: side.told(media), timeout_s=30)
    assert counted("bulk") >= before[1] + 60
