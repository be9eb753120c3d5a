"""How media is split into runs."""

import dataclasses
import itertools
from fractions import Fraction
from uuid import UUID

import numpy as np
import pytest
from yard.chunking.build.run_plan import image_runs, video_runs
from yard.chunking.domain import Frames, Media
from yard.media.selection import FrameSelection
from yard.media.video_index import VideoIndex

MEDIA = Media(
    id=UUID(int=1),
    task_id=7,
    kind="video",
    size=1800,
    width=1920,
    height=1080,
    image_quality=70,
    chunk_size=36,
    form="zip",
    use_cache=False,
    plan_key="",
    plan_size_bytes=0,
    operation_id=None,
)


def index(frames: int, group: int) -> VideoIndex:
    """A key frame in each group; a frame lasts 10."""
    pts = np.arange(frames, dtype=np.int64) * 10
    keys = pts[::group]
    return VideoIndex(
        pts=pts,
        keyframes=np.stack([keys, keys, keys], axis=1),
        time_base=Fraction(1, 300),
        frame_rate=Fraction(30),
        stream_index=0,
        width=1920,
        height=1080,
        rotation=0,
        container="mov",
        codec="h264",
        pixel_format="yuv420p",
        colorspace=1,
        color_range=1,
        color_primaries=1,
        color_trc=1,
        is_open_gop=False,
        is_broken=False,
        discarded=0,
    )


def check(runs: list[Frames], media: Media) -> None:
    """Every frame in one run, and every run of whole chunks."""
    assert runs[0].first == 0
    assert runs[-1].last == media.size - 1
    assert all(before.last + 1 == after.first for before, after in itertools.pairwise(runs))
    assert all(run.first % media.chunk_size == 0 for run in runs)


@pytest.mark.parametrize("group", [1, 7, 30, 100])
def test_runs_begin_where_little_is_decoded_in_vain(group: int) -> None:
    runs = list(video_runs(MEDIA, index(1800, group), FrameSelection()))
    check(runs, MEDIA)
    assert len(runs) >= 3
    assert all(len(run) >= 300 for run in runs)
    assert all(run.first % group < 36 for run in runs)


def test_a_video_without_key_frames_is_one_run() -> None:
    assert list(video_runs(MEDIA, index(1800, 1800), FrameSelection())) == [Frames(first=0, last=1799)]


def test_start_and_step_move_the_key_frames() -> None:
    media = dataclasses.replace(MEDIA, size=1000, chunk_size=10)
    runs = list(video_runs(media, index(3100, 45), FrameSelection(start=9, step=3)))
    check(runs, media)
    assert len(runs) > 1
    # 9 + 3 * first lies on a key frame.
    assert all((9 + 3 * run.first) % 45 < 30 for run in runs[1:])


@pytest.mark.parametrize("size", [400, 540, 900])
def test_a_short_video_is_shared(size: int) -> None:
    media = dataclasses.replace(MEDIA, size=size)
    runs = list(video_runs(media, index(size, 30), FrameSelection()))
    check(runs, media)
    assert len(runs) >= 2
    assert max(map(len, runs)) <= size / 2 + 36
    assert min(map(len, runs)) >= 90


def test_a_video_of_a_few_chunks_is_one_run() -> None:
    media = dataclasses.replace(MEDIA, size=150)
    assert list(video_runs(media, index(150, 12), FrameSelection())) == [Frames(first=0, last=149)]


def test_long_media_has_a_bounded_number_of_runs() -> None:
    video = dataclasses.replace(MEDIA, size=1_000_000)
    assert len(list(video_runs(video, index(1_000_000, 30), FrameSelection()))) <= 1_000
    images = dataclasses.replace(MEDIA, kind="images", size=1_000_000)
    runs = list(image_runs(images))
    check(runs, images)
    assert len(runs) <= 1_100


@pytest.mark.parametrize("chunk_size", [1, 36, 500])
def test_runs_of_images_are_whole_chunks(chunk_size: int) -> None:
    media = dataclasses.replace(MEDIA, kind="images", size=1001, chunk_size=chunk_size)
    runs = list(image_runs(media))
    check(runs, media)
    assert max(map(len, runs)) <= max(96, chunk_size)
