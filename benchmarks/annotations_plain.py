"""The straightforward merge: object by object, track by track and frame by frame, as the rules are read.

It knows objects without origins only, which is what it is compared on. Boxes are clipped corner by corner,
each pair of tracks is interpolated anew, and all pairs of a label are looked at.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy.optimize import linear_sum_assignment
from yard.annotations.geometry import rotated_corners, signed_area
from yard.annotations.interpolation import mixed_rotation
from yard.annotations.merge import JobAnnotations
from yard.annotations.model import Keyframe, Shape, Track

Point = tuple[float, float]
Box = Shape | Keyframe
_ROUNDING = 1e-9


def merge_shapes(jobs: Sequence[JobAnnotations]) -> list[Shape]:
    """Rectangles of all jobs, each neighbour's that is the same left out; attributes are not looked at."""
    found = list(jobs[0].annotations.shapes)
    before = _by_place(jobs[0])
    for job in jobs[1:]:
        after = _by_place(job)
        doubled: set[int] = set()
        for place in before.keys() & after.keys():
            others = after[place]
            doubled |= {others[column].id for _, column in _pairs(before[place], others, iou, 0.75)}
        found += [shape for shape in job.annotations.shapes if shape.id not in doubled]
        before = after
    return found


def _by_place(job: JobAnnotations) -> dict[tuple[int, int], list[Shape]]:
    found: dict[tuple[int, int], list[Shape]] = defaultdict(list)
    for shape in job.annotations.shapes:
        found[shape.frame, shape.label_id].append(shape)
    return found


def merge_tracks(jobs: Sequence[JobAnnotations]) -> list[Track]:
    """Tracks of rectangles of all jobs as those of the task."""
    chains: list[list[Track]] = [[track] for track in jobs[0].annotations.tracks]
    ended: list[list[Track]] = []
    for job, after in pairwise(jobs):
        frames = range(after.first, job.last + 1)
        news = {track.id: track for track in after.annotations.tracks}
        growing: list[list[Track]] = []
        for label in sorted({track.label_id for track in after.annotations.tracks}):
            ones = [chain[-1] for chain in chains if chain[-1].label_id == label]
            others = [track for track in after.annotations.tracks if track.label_id == label]
            of = {chain[-1].id: chain for chain in chains}
            for row, column in _pairs(ones, others, lambda a, b: _similarity(a, b, frames), 0.5):  # noqa: B023
                growing.append([*of.pop(ones[row].id), news.pop(others[column].id)])
            chains = list(of.values())
        ended += [_closed(chain, job.last + 1) for chain in chains]
        chains = growing + [[track] for track in news.values()]
    return [_united(chain) for chain in ended + chains]


def _pairs(
    ones: Sequence[Box | Track],
    others: Sequence[Box | Track],
    similarity: Callable[..., float],
    threshold: float,
) -> list[tuple[int, int]]:
    if not ones or not others:
        return []
    matrix = np.array([[similarity(one, other) for other in others] for one in ones])
    accepted = np.where(matrix >= threshold - _ROUNDING, matrix, 0.0)
    rows, columns = linear_sum_assignment(accepted, maximize=True)
    return [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if accepted[i, j] > 0]


def _similarity(one: Track, other: Track, frames: range) -> float:
    total, count = 0.0, 0
    for frame in frames:
        first, second = state_at(one, frame), state_at(other, frame)
        count += first is not None or second is not None
        if first is not None and second is not None:
            total += iou(first, second)
    return total / count if count else 0.0


def state_at(track: Track, frame: int) -> Keyframe | None:
    """The box of a track on a frame, None where it is not visible."""
    before = after = None
    for keyframe in track.keyframes:
        if keyframe.frame <= frame:
            before = keyframe
        else:
            after = keyframe
            break
    if before is None or before.outside:
        return None
    if after is None:
        return replace(before, frame=frame)
    share = (frame - before.frame) / (after.frame - before.frame)
    points = tuple(a + (b - a) * share for a, b in zip(before.points, after.points, strict=True))
    rotation = mixed_rotation(before.rotation, after.rotation, share)
    return replace(before, frame=frame, points=points, rotation=rotation)


def iou(one: Box, other: Box) -> float:
    """Of two rectangles, rotated or not."""
    if one.rotation or other.rotation:
        shared = _clipped(
            rotated_corners(one.points, one.rotation), rotated_corners(other.points, other.rotation)
        )
    else:
        width = min(one.points[2], other.points[2]) - max(one.points[0], other.points[0])
        height = min(one.points[3], other.points[3]) - max(one.points[1], other.points[1])
        shared = max(0.0, width) * max(0.0, height)
    areas = [(box.points[2] - box.points[0]) * (box.points[3] - box.points[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)


def _clipped(subject: list[Point], clip: list[Point]) -> float:
    """Area of the part of one convex outline that lies in another, edge by edge."""
    for start, end in zip(clip, [*clip[1:], clip[0]], strict=True):
        subject = _cut(subject, start, end)
    return abs(signed_area(subject))


def _cut(corners: list[Point], start: Point, end: Point) -> list[Point]:
    dx, dy = end[0] - start[0], end[1] - start[1]
    sides = [dx * (y - start[1]) - dy * (x - start[0]) for x, y in corners]
    kept: list[Point] = []
    for index, corner in enumerate(corners):
        before, side = sides[index - 1], sides[index]
        if (before < 0) != (side < 0):
            x, y = corners[index - 1]
            share = before / (before - side)
            kept.append((x + share * (corner[0] - x), y + share * (corner[1] - y)))
        if side >= 0:
            kept.append(corner)
    return kept


def _closed(chain: list[Track], frame: int) -> list[Track]:
    last = chain[-1].keyframes[-1]
    if last.outside:
        return chain
    end = replace(last, frame=frame, outside=True, attributes={})
    return [*chain[:-1], replace(chain[-1], keyframes=(*chain[-1].keyframes, end))]


def _united(chain: list[Track]) -> Track:
    head = min(chain, key=lambda track: track.keyframes[0].frame)
    keyframes = {keyframe.frame: keyframe for track in reversed(chain) for keyframe in track.keyframes}
    return replace(head, keyframes=tuple(keyframes[frame] for frame in sorted(keyframes)))
