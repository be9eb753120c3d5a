from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from yard.media.gop_runs import covering_run, is_whole_run
from yard.media.video_index import UNKNOWN, VideoIndex

GROUPS = (0, 12, 24, 60)
FRAMES = 70


def index(**changes: Any) -> VideoIndex:
    """Groups of 12, 12, 36 and 10 frames, 40 units of time apart, from 7 on."""
    whole = VideoIndex(
        pts=np.arange(FRAMES, dtype=np.int64) * 40 + 7,
        keyframes=np.array([(frame * 40 + 7, frame * 40, UNKNOWN) for frame in GROUPS], dtype=np.int64),
        time_base=Fraction(1, 1000),
        frame_rate=Fraction(25),
        stream_index=0,
        width=320,
        height=240,
        rotation=0,
        container="mov,mp4,m4a,3gp,3g2,mj2",
        codec="h264",
        pixel_format="yuv420p",
        colorspace=2,
        color_range=1,
        color_primaries=2,
        color_trc=2,
        is_open_gop=False,
        is_broken=False,
        discarded=0,
    )
    return replace(whole, **changes)


@pytest.mark.parametrize(
    ("wanted", "run"),
    [
        ((0, 0), (0, 11)),
        ((11, 11), (0, 11)),
        ((11, 12), (0, 23)),
        ((12, 23), (12, 23)),
        ((24, 59), (24, 59)),
        ((23, 24), (12, 59)),
        ((69, 69), (60, 69)),
        ((0, 69), (0, 69)),
    ],
)
def test_the_smallest_run_of_groups_is_found(wanted: tuple[int, int], run: tuple[int, int]) -> None:
    assert covering_run(index(), 0, *wanted, FRAMES) == run


def test_frames_count_from_the_start_of_the_task() -> None:
    assert covering_run(index(), 12, 0, 3, 58) == (0, 11)
    assert covering_run(index(), 10, 2, 5, 60) == (2, 13)


@pytest.mark.parametrize("wanted", [(5, 0, 3, 65), (0, 25, 30, 59), (0, 3, 70, 70), (0, 5, 4, 70)])
def test_runs_never_leave_the_task(wanted: tuple[int, int, int, int]) -> None:
    start, first, last, size = wanted
    found = covering_run(index(), start, first, last, size)
    assert found is None


@pytest.mark.parametrize(
    "fault",
    [
        {"rotation": 90},
        {"is_open_gop": True},
        {"is_broken": True},
        {"matching": "order"},
        {"container": "mpegts"},
        {"container": "avi"},
        {"codec": "mjpeg"},
    ],
)
def test_what_cannot_be_copied_has_no_runs(fault: dict[str, Any]) -> None:
    assert covering_run(index(**fault), 0, 12, 23, FRAMES) is None


def test_a_key_frame_that_is_not_shown_starts_no_run() -> None:
    cut = index(pts=np.arange(3, FRAMES, dtype=np.int64) * 40 + 7)
    assert covering_run(cut, 0, 0, 3, cut.frames) is None
    assert covering_run(cut, 0, 9, 9, cut.frames) == (9, 20)


def test_whole_runs_end_before_a_key_frame_or_with_the_video() -> None:
    found = {(a, b) for a in range(FRAMES) for b in range(a, FRAMES) if is_whole_run(index(), a, b)}
    edges = (*GROUPS, FRAMES)
    assert found == {(a, b - 1) for a in edges for b in edges if a < b}
