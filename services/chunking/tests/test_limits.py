"""Limits of memory and time of a chunk, and children that are killed: nothing half made is ever seen."""

from __future__ import annotations

import dataclasses
import signal
from pathlib import Path

import numpy as np
import psutil
import pytest
from frameyard.media.v1 import media_pb2
from PIL import Image
from yard.chunking.service import SERVICE
from yard.chunking.settings import Settings
from yard.media.hard_clips import make_clip
from yard.media.synthetic import make_demo_video
from yard.runtime import app, errors
from yard.runtime.db import Database
from yard.testkit.eventually import eventually
from yard.testkit.refusals import refused

from services.chunking.tests.conftest import ANN, Connect
from services.chunking.tests.media_side import (
    MediaSide,
    Picture,
    Viewer,
    all_stored,
    numbers_in_mp4,
    numbers_in_zip,
)

FORMS = {media_pb2.CHUNK_FORMAT_ZIP: numbers_in_zip, media_pb2.CHUNK_FORMAT_MP4: numbers_in_mp4}
LARGE = (8_000, 8_000)


def children() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "workers.child" in " ".join(each.cmdline())]


async def test_a_child_waits_for_the_first_viewer(settings: Settings) -> None:
    async with app.serving(SERVICE, settings):
        await eventually(lambda: len(children()) == 1, timeout_s=30)


async def is_nothing_left(side: MediaSide, db: Database) -> bool:
    rows = await db.fetchval("SELECT count(*) FROM chunk")
    return not rows and not [blob async for blob in side.blobs.list("chunks/")]


@pytest.mark.parametrize("form", FORMS)
async def test_a_4k_chunk_stays_below_the_limit_of_memory(
    side: MediaSide, ann: Viewer, tmp_path: Path, form: media_pb2.ChunkFormat.ValueType
) -> None:
    video = make_demo_video(tmp_path / "4k.mp4", 1, (3840, 2160), fps=20)
    media = await side.video(video, chunk_size=20)
    assert FORMS[form]((await ann.chunk(media, 0, format=form))[1]) == list(range(20))


async def test_a_child_that_is_killed_leaves_nothing_and_the_next_request_makes_the_chunk(
    side: MediaSide, ann: Viewer, running: app.Running[Settings], tmp_path: Path
) -> None:
    db = running.runtime.db
    media = await side.video(make_demo_video(tmp_path / "demo.mp4", 10, (960, 540)), chunk_size=300)
    call = aiter(ann.stub.GetChunk(ann.request(media, number=0)))
    await anext(call)
    assert (await anext(call)).content
    assert await db.fetchval("SELECT state FROM chunk") == "building"
    for child in children():
        child.send_signal(signal.SIGKILL)
    fault = await refused(_rest(call))
    assert isinstance(fault, errors.WorkerCrashed)
    assert fault.metadata["file"] == "demo.mp4"
    await eventually(lambda: is_nothing_left(side, db), timeout_s=10)
    assert numbers_in_zip((await ann.chunk(media, 0))[1]) == list(range(300))
    await all_stored(db)


async def _rest(call: object) -> None:
    async for part in call:  # type: ignore[attr-defined]
        assert not part.HasField("trailer")


async def test_a_decoder_that_does_not_end_fails_its_chunk_alone(
    side: MediaSide, settings: Settings, connect: Connect, tmp_path: Path
) -> None:
    video = make_demo_video(tmp_path / "slow.mp4", 10, (1280, 720))
    hasty = dataclasses.replace(settings, chunk_timeout_s=0.5)
    async with app.serving(SERVICE, hasty) as other:
        media = await side.video(video, chunk_size=300)
        viewer = connect(ANN, other.address)
        fault = await refused(viewer.chunk(media, 0))
        assert isinstance(fault, errors.WorkerCrashed)
        assert "slow.mp4" in fault.message
        assert fault.metadata["file"] == "slow.mp4"
        await eventually(lambda: is_nothing_left(side, other.runtime.db), timeout_s=10)
        short = await side.video(make_clip("b_frames", tmp_path))
        assert numbers_in_zip((await viewer.chunk(short, 0))[1]) == list(range(10))
        await all_stored(other.runtime.db)


async def test_a_source_that_eats_memory_fails_its_chunk_alone_and_is_named(
    side: MediaSide, settings: Settings, connect: Connect, tmp_path: Path
) -> None:
    bomb, small = tmp_path / "bomb.png", tmp_path / "small.png"
    Image.fromarray(np.zeros((LARGE[1], LARGE[0], 3), np.uint8)).save(bomb)
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(small)
    pictures = [
        Picture(name="small.png", content=small.read_bytes(), size=(20, 20)),
        Picture(name="bomb.png", content=bomb.read_bytes(), size=LARGE),
    ]
    tight = dataclasses.replace(settings, worker_memory_mib=256)
    async with app.serving(SERVICE, tight) as other:
        media = await side.images(pictures, chunk_size=1)
        viewer = connect(ANN, other.address)
        fault = await refused(viewer.chunk(media, 1))
        assert isinstance(fault, errors.WorkerCrashed)
        assert "memory" in fault.message
        assert fault.metadata["file"] == "bomb.png"
        await eventually(lambda: is_nothing_left(side, other.runtime.db), timeout_s=10)
        header, _ = await viewer.chunk(media, 0)
        assert (header.width, header.height) == (20, 20)
        await all_stored(other.runtime.db)
