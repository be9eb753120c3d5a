"""Merging the jobs of a task, and interpolating its tracks, beside the straightforward ways.

Where the straightforward way would take minutes it does a part and the time is scaled; the row says so.
"""

import gc
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final

from yard.annotations.arrays import KeyframeArrays
from yard.annotations.interpolation import Path
from yard.annotations.joining import join_each
from yard.annotations.labels import Label, LabelSchema
from yard.annotations.merge import JobAnnotations, merge
from yard.annotations.model import ShapeKind, Track
from yard.runtime import clock

from benchmarks import annotations_plain
from benchmarks.annotations_cases import LABELS, Scene, as_shapes, as_tracks
from benchmarks.chunking_process import measured
from benchmarks.report import Aim, Row, row

PUBLISHED: Final = Scene(frames=790, segment=30, overlap=5, objects=58)
LONG: Final = Scene(frames=50_000, segment=500, overlap=5, objects=1000, spacing=100)
SCHEMA: Final = LabelSchema([Label(id=number, name=f"label {number}") for number in range(1, LABELS + 1)])
_PART_JOBS: Final = 3
_PART_GROUPS: Final = 20
_BLOCK_FRAMES: Final = 1000
_REPETITIONS: Final = 3

Timed = tuple[list[float], list[float]]


def measure_merge() -> list[Row]:
    """The published case: 790 frames, 32 jobs, overlap 5, 55,000 boxes."""
    aim = Aim(of="ours", relation="<", value=2)
    rows = []
    for name, scene in (("shapes", PUBLISHED), ("turned shapes", replace(PUBLISHED, turned=True))):
        jobs = as_shapes(scene)
        ours, plain = _alternating(lambda: merge(jobs, SCHEMA), lambda: annotations_plain.merge_shapes(jobs))  # noqa: B023
        rows.append(row(f"merge 55,000 boxes of 32 jobs, {name}", "s", ours, plain, aim))
    jobs = as_tracks(PUBLISHED)
    ours, plain = _alternating(lambda: merge(jobs, SCHEMA), lambda: annotations_plain.merge_tracks(jobs))
    return [*rows, row("merge 55,000 boxes of 32 jobs, tracks", "s", ours, plain, aim)]


def measure_long_merge() -> list[Row]:
    """1,000 tracks over 50,000 frames, drawn job by job and written at the level of the task."""
    aim = Aim(of="ours", relation="<", value=5)
    jobs = as_tracks(LONG)
    scale = (len(jobs) - 1) / (_PART_JOBS - 1)
    ours, plain = _alternating(
        lambda: merge(jobs, SCHEMA), lambda: annotations_plain.merge_tracks(jobs[:_PART_JOBS]), once=True
    )
    name = f"merge 1,000 tracks over 50,000 frames, {len(jobs)} jobs"
    part = f"(baseline: {_PART_JOBS} jobs, scaled)"
    rows = [row(f"{name} {part}", "s", ours, [taken * scale for taken in plain], aim)]
    jobs = as_tracks(LONG, origins=True)
    ours, plain = _alternating(lambda: merge(jobs, SCHEMA), lambda: _join_part(jobs))
    part = f"(baseline: {_PART_GROUPS} tracks, scaled)"
    scale = LONG.objects / _PART_GROUPS
    return [*rows, row(f"{name}, one origin each {part}", "s", ours, [taken * scale for taken in plain], aim)]


def measure_merge_memory() -> list[Row]:
    """What merging takes on top of the objects, beside what these take, in a process of its own."""
    rows = []
    for name, case in (("55,000 shapes", "published"), ("1,000 tracks over 50,000 frames", "long")):
        before = measured(f"{__name__}:hold", {"case": case})
        after = measured(f"{__name__}:hold_and_merge", {"case": case})
        none = measured(f"{__name__}:hold", {"case": "none"})
        objects = before.peak_mib - none.peak_mib
        metric = f"memory to merge {name} (baseline: the objects)"
        rows.append(row(metric, "MiB", [max(0.0, after.peak_mib - before.peak_mib)], [objects]))
    return rows


def measure_interpolation() -> list[Row]:
    """States of 1,000 tracks on 1,000 frames, as arrays and one by one."""
    tracks = list(
        chain.from_iterable(job.annotations.tracks for job in as_tracks(replace(LONG, frames=1000))[:1])
    )
    last = _BLOCK_FRAMES - 1
    ours, plain = _alternating(lambda: _as_arrays(tracks, last), lambda: _one_by_one(tracks[:100], last))
    states = len(tracks) * _BLOCK_FRAMES / 1e6
    rates = [states / taken for taken in ours], [states / 10 / taken for taken in plain]
    return [row("interpolate tracks of boxes", "M states/s", *rates)]


def hold(case: str) -> int:
    """Makes the objects of a case; their number."""
    return sum(len(job.annotations) for job in _jobs(case))


def hold_and_merge(case: str) -> int:
    """Makes the objects of a case and merges them; their number."""
    return len(merge(_jobs(case), SCHEMA).annotations)


def _jobs(case: str) -> list[JobAnnotations]:
    if case == "published":
        return as_shapes(PUBLISHED)
    return as_tracks(LONG) if case == "long" else []


def _as_arrays(tracks: Sequence[Track], last: int) -> None:
    for _ in KeyframeArrays(tracks, ShapeKind.RECTANGLE).blocks(0, last):
        pass


def _one_by_one(tracks: Sequence[Track], last: int) -> None:
    for track in tracks:
        path = Path(track)
        for frame in range(last + 1):
            path.at(frame)


def _join_part(jobs: Sequence[JobAnnotations]) -> None:
    """Joins some tracks of the task out of their copies, one after the other."""
    windows = [job.window for job in jobs]
    for number in range(_PART_GROUPS):
        copies = [(place, job.annotations.tracks[number]) for place, job in enumerate(jobs)]
        join_each(copies, windows)


def _alternating(ours: Callable[[], Any], baseline: Callable[[], Any], *, once: bool = False) -> Timed:
    """Times of both in turn; the baseline once only where it takes long."""
    taken: Timed = ([], [])
    for repetition in range(_REPETITIONS):
        taken[0].append(_time(ours))
        if not (once and repetition):
            taken[1].append(_time(baseline))
    return taken


def _time(work: Callable[[], Any]) -> float:
    gc.collect()
    began = clock.monotonic()
    work()
    return clock.monotonic() - began
