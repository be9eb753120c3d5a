"""Chunks on demand and in advance: one builder each, in the whole fleet."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest
from frameyard.chunk.v1.chunk_events_pb2 import ChunksBuilt, ChunksFailed
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from frameyard.operation.v1 import operation_pb2
from yard.chunking.service import SERVICE
from yard.chunking.settings import Settings
from yard.media.claims import CLAIMED
from yard.media.hard_clips import FRAMES, make_clip
from yard.media.synthetic import make_demo_video
from yard.runtime import app, errors, rpc
from yard.runtime.db import Database
from yard.testkit.eventually import eventually

from services.chunking.tests.claims import claims
from services.chunking.tests.conftest import ADMIN, ANN, Connect
from services.chunking.tests.media_side import MediaSide, Picture, Viewer, all_stored, numbers_in_zip
from services.chunking.tests.test_images import PICTURES, SIZE


@pytest.fixture
async def other(running: app.Running[Settings], settings: Settings) -> AsyncIterator[app.Running[Settings]]:
    """A second replica."""
    async with app.serving(SERVICE, settings) as other:
        yield other


async def keys(side: MediaSide, prefix: str) -> list[str]:
    return sorted([blob.key.removeprefix(prefix) async for blob in side.blobs.list(prefix)])


async def test_one_chunk_is_built_once_for_all_who_ask(
    side: MediaSide,
    db: Database,
    other: app.Running[Settings],
    connect: Connect,
    tmp_path: Path,
) -> None:
    media = await side.video(make_demo_video(tmp_path / "demo.mp4", 4, (640, 360)), chunk_size=60)
    here = [connect(ANN) for _ in range(4)]
    there = [connect(ANN, other.address) for _ in range(4)]
    answers = await asyncio.gather(*(viewer.chunk(media, 1) for viewer in (*here, *there)))
    contents = {content for _, content in answers}
    assert len(contents) == 1
    assert numbers_in_zip(contents.pop()) == list(range(60, 120))
    assert await claims(db) == [60]
    assert await keys(side, "chunks/") == [f"{media.id}/compressed/zip/60-119"]
    await all_stored(db)
    header, _ = await here[0].chunk(media, 1)
    assert header.size_bytes == len(answers[0][1])
    assert await claims(db) == [60]


async def test_the_first_frame_leaves_before_the_last_is_encoded(
    side: MediaSide, db: Database, ann: Viewer, tmp_path: Path
) -> None:
    media = await side.video(make_demo_video(tmp_path / "demo.mp4", 10, (960, 540)), chunk_size=300)
    call = ann.stub.GetChunk(ann.request(media, number=0))
    parts = aiter(call)
    assert not (await anext(parts)).header.HasField("size_bytes")
    assert (await anext(parts)).content.startswith(b"PK\x03\x04")
    assert await db.fetchval("SELECT state FROM chunk") == "building"
    call.cancel()
    # The build goes on for whoever comes next.
    await eventually(lambda: _state_is(db, "built"), timeout_s=60)
    assert numbers_in_zip((await ann.chunk(media, 0))[1]) == list(range(300))
    assert len(await claims(db)) == 1


async def _state_is(db: Database, state: str) -> bool:
    return bool(await db.fetchval("SELECT state FROM chunk") == state)


async def test_a_caller_who_leaves_ends_what_was_for_him_alone(
    side: MediaSide, ann: Viewer, tmp_path: Path
) -> None:
    media = await side.video(make_demo_video(tmp_path / "demo.mp4", 10, (960, 540)))
    calls = [ann.stub.GetChunk(ann.request(media, frames=FrameRange(first=1, last=299))) for _ in range(4)]
    for call in calls[:2]:
        await anext(aiter(call))
    for call in calls:
        call.cancel()
    assert numbers_in_zip((await ann.frames(media, 3, 5))[1]) == [3, 4, 5]


async def test_a_builder_that_was_lost_is_replaced(
    side: MediaSide, db: Database, ann: Viewer, tmp_path: Path
) -> None:
    media = await side.video(make_clip("b_frames", tmp_path))
    await ann.chunk(media, 0)
    await all_stored(db)
    await db.execute("UPDATE chunk SET state = 'building', lease_until = now() - interval '1 second'")
    assert numbers_in_zip((await ann.chunk(media, 0))[1]) == list(range(10))
    await eventually(lambda: _state_is(db, "built"))


async def test_what_the_bucket_has_lost_is_built_again(
    side: MediaSide, db: Database, ann: Viewer, tmp_path: Path
) -> None:
    media = await side.video(make_clip("b_frames", tmp_path))
    _, content = await ann.chunk(media, 2)
    await all_stored(db)
    await side.blobs.delete(f"chunks/{media.id}/compressed/zip/20-29")
    assert (await ann.chunk(media, 2))[1] == content
    assert await claims(db) == [20, 20]


async def test_a_lost_source_is_said_without_its_key(side: MediaSide, ann: Viewer, tmp_path: Path) -> None:
    media = await side.video(make_clip("b_frames", tmp_path))
    await side.blobs.delete(*[blob.key async for blob in side.blobs.list("uploads/")])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ann.chunk(media, 0)
    fault = rpc.errors_from_rpc(refused.value)
    assert isinstance(fault, errors.Unavailable)
    assert fault.message == "b_frames.mp4 is not in the bucket any more"
    assert fault.metadata["file"] == "b_frames.mp4"


async def test_static_media_is_built_in_advance_and_kept(
    side: MediaSide, connect: Connect, running: app.Running[Settings], tmp_path: Path
) -> None:
    ann = connect(ANN)
    media = await side.video(make_clip("open_gop", tmp_path), use_cache=False, chunk_size=15)
    [told] = await eventually(lambda: side.told(media), timeout_s=30)
    assert isinstance(told, ChunksBuilt)
    assert (told.task_id, told.chunk_count) == (media.task_id, 3)
    assert await keys(side, f"chunks/{media.id}/compressed/zip/") == ["0-14", "15-29", "30-39"]
    status = await ann.status(media)
    assert (status.chunk_count, status.built_count, status.chunk_size, status.use_cache) == (3, 3, 15, False)
    operation = await operation_of(running, connect, status.operation)
    assert (operation.kind, operation.target, operation.progress) == ("build_chunks", "tasks/7", 1.0)
    assert operation.state == operation_pb2.OPERATION_STATE_SUCCEEDED
    await all_stored(running.runtime.db)
    contents = [await ann.chunk(media, number) for number in range(3)]
    assert sum(header.size_bytes for header, _ in contents) == told.size_bytes
    assert [n for _, content in contents for n in numbers_in_zip(content)] == list(range(FRAMES))
    assert await running.runtime.db.fetchval("SELECT bool_and(is_kept) FROM chunk")


async def test_static_media_with_a_broken_image_is_built_with_a_placeholder(
    side: MediaSide, connect: Connect, running: app.Running[Settings]
) -> None:
    ann = connect(ANN)
    broken = Picture(name="bad.png", content=b"\x89PNG\r\n\x1a\nnothing", size=SIZE)
    media = await side.images([*PICTURES[:4], broken, *PICTURES[5:]], chunk_size=2, use_cache=False)
    [told] = await eventually(lambda: side.told(media), timeout_s=30)
    assert isinstance(told, ChunksBuilt)
    assert numbers_in_zip((await ann.chunk(media, 3))[1]) == [6, 7]
    db = running.runtime.db
    assert await db.fetchval("SELECT corrupt_frames FROM chunk WHERE first_frame = 4") == [4]
    [row] = await db.fetch("SELECT frame, reason FROM corrupt_frame")
    assert row["frame"] == 4
    assert "bad.png" in row["reason"]


async def test_static_media_that_lies_says_so_and_has_the_rest_built(
    side: MediaSide, connect: Connect, running: app.Running[Settings]
) -> None:
    ann = connect(ANN)
    pictures = [*PICTURES[:2], *PICTURES[4:8]]
    wrong = (SIZE[0] + 1, SIZE[1])
    lies = Picture(name="lies.png", content=PICTURES[2].content, size=wrong, orientation=CLAIMED)
    media = await side.images([*pictures[:2], lies, *pictures[2:]], chunk_size=2, use_cache=False)
    [told] = await eventually(lambda: side.told(media), timeout_s=30)
    assert isinstance(told, ChunksFailed)
    fault = errors.from_status(told.error)
    assert fault.metadata["file"] == "lies.png"
    operation = await operation_of(running, connect, (await ann.status(media)).operation)
    assert operation.state == operation_pb2.OPERATION_STATE_FAILED
    assert (await ann.status(media)).built_count == 3


async def test_media_on_demand_has_no_build(
    side: MediaSide, db: Database, ann: Viewer, tmp_path: Path
) -> None:
    media = await side.video(make_clip("b_frames", tmp_path))
    await ann.chunk(media, 3)
    await all_stored(db)
    status = await ann.status(media)
    assert (status.chunk_count, status.built_count, status.operation, status.use_cache) == (4, 1, "", True)


async def test_what_was_made_goes_with_its_media(
    side: MediaSide, db: Database, ann: Viewer, tmp_path: Path
) -> None:
    clip = make_clip("b_frames", tmp_path)
    gone = await side.video(clip, use_cache=False)
    stays = await side.video(clip)
    await eventually(lambda: side.told(gone), timeout_s=30)
    for media in (gone, stays):
        await ann.preview(media, 5)
        await ann.chunk(media, 1)
    await all_stored(db)
    await side.delete(gone)
    await eventually(lambda: _is_forgotten(db, gone), timeout_s=30)
    assert await keys(side, "chunks/") == [f"{stays.id}/compressed/zip/10-19"]
    assert await keys(side, "previews/") == [f"{stays.id}/5"]
    assert await db.fetchval("SELECT count(*) FROM chunk WHERE media_id::text <> $1", stays.id) == 0
    assert numbers_in_zip((await ann.chunk(stays, 1))[1]) == list(range(10, 20))


async def test_media_that_goes_while_it_is_built_leaves_nothing(
    side: MediaSide, db: Database, ann: Viewer, tmp_path: Path
) -> None:
    video = make_demo_video(tmp_path / "demo.mp4", 8, (640, 360))
    media = await side.video(video, use_cache=False, chunk_size=20)
    await eventually(lambda: _has_built(ann, media), timeout_s=30)
    await side.delete(media)
    await eventually(lambda: _is_forgotten(db, media), timeout_s=30)
    await eventually(lambda: _is_empty(side), timeout_s=30)
    assert await db.fetchval("SELECT count(*) FROM chunk") == 0
    await eventually(lambda: _is_cancelled(db), timeout_s=30)
    assert side.told(media) == []


async def _is_cancelled(db: Database) -> bool:
    return bool(await db.fetchval("SELECT state FROM operation") == "CANCELLED")


async def _has_built(ann: Viewer, media: media_pb2.Media) -> bool:
    return (await ann.status(media)).built_count > 0


async def _is_forgotten(db: Database, media: media_pb2.Media) -> bool:
    return not await db.fetchval("SELECT true FROM media_plan WHERE id::text = $1", media.id)


async def _is_empty(side: MediaSide) -> bool:
    return await keys(side, "chunks/") == []


async def operation_of(
    running: app.Running[Settings], connect: Connect, name: str
) -> operation_pb2.Operation:
    operations = running.runtime.operations
    return await operations.get(operations.parse(name), ADMIN)
