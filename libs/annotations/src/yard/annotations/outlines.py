"""Morphing of polygons and polylines, whose vertices are matched by their offset along the outline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Section:
    """A run of pairs from several vertices of one side; points nearer than the threshold are thinned."""

    begin: int
    end: int
    threshold: float


class OutlineMatch:
    """Which vertices of two outlines belong together; costs n * m once, then n + m a frame."""

    def __init__(self, before: Sequence[float], after: Sequence[float], *, is_closed: bool) -> None:
        self._is_closed = is_closed
        left, right = (_vertices(points, is_closed=is_closed) for points in (before, after))
        partners = _partners(_offsets(left), _offsets(right))
        pairs = [(one, other) for one, others in enumerate(partners) for other in others]
        self._left = left[[one for one, _ in pairs]]
        self._right = right[[other for _, other in pairs]]
        self._sections = tuple(_sections(partners, left, right))

    def at(self, share: float) -> tuple[float, ...]:
        """The outline after a share 0..1 of the way."""
        mixed = self._left + (self._right - self._left) * share
        kept = np.concatenate([_thinned(mixed[s.begin : s.end], s.threshold) for s in self._sections])
        if self._is_closed and len(kept) > 1:
            kept = kept[:-1]
        return tuple(kept.ravel().tolist())


def _vertices(points: Sequence[float], *, is_closed: bool) -> Floats:
    vertices = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    return np.vstack([vertices, vertices[:1]]) if is_closed else vertices


def _offsets(vertices: Floats) -> Floats:
    """Share of the outline's length before each vertex; even shares if it has no length."""
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(vertices, axis=0).T))])
    if lengths[-1] <= 0:
        return np.linspace(0.0, 1.0, len(vertices))
    offsets: Floats = lengths / lengths[-1]
    return offsets


def _partners(left: Floats, right: Floats) -> list[list[int]]:
    """Vertices of the right outline for each of the left one; every vertex of both has a partner."""
    distance = np.abs(left[:, None] - right[None, :])
    nearest_right, nearest_left = distance.argmin(axis=1), distance.argmin(axis=0)
    partners = [[int(other)] for other in nearest_right]
    for other in sorted(set(range(len(right))) - set(nearest_right.tolist())):
        partners[int(nearest_left[other])].append(other)
    return [sorted(others) for others in partners]


def _sections(partners: list[list[int]], left: Floats, right: Floats) -> Iterable[_Section]:
    """Runs of left vertices with one common partner, and single left vertices with several partners."""
    place = index = 0
    while index < len(partners):
        others = partners[index]
        if len(others) > 1:
            yield _Section(place, place + len(others), _threshold(right[others]))
            place += len(others)
            index += 1
            continue
        end = index + 1
        while end < len(partners) and partners[end] == others:
            end += 1
        yield _Section(place, place + end - index, _threshold(left[index:end]))
        place += end - index
        index = end


def _threshold(source: Floats) -> float:
    length = float(np.hypot(*np.diff(source, axis=0).T).sum()) if len(source) > 1 else 0.0
    return length / (2 * len(source))


def _thinned(points: Floats, threshold: float) -> Floats:
    """First and last point, and between them those at least the threshold away from the last kept one."""
    if len(points) < 2:
        return points
    kept = [points[0]]
    for point in points[1:-1]:
        if np.hypot(*(point - kept[-1])) >= threshold:
            kept.append(point)
    if len(kept) == 1 and np.hypot(*(points[-1] - kept[0])) < threshold:
        middle: Floats = (kept[0] + points[-1])[None, :] / 2
        return middle
    return np.vstack([*kept, points[-1]])
