"""Keyframes of many tracks as arrays, so that all of them are interpolated at once.

For kinds that move linearly: rectangles, ellipses and cuboids, one kind of object at a time. A row of
`values` has the numbers of `points`, then the rotation. The results are those of `interpolation.Path`, to the
bit.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray
from yard.annotations.model import Keyframe, ShapeKind, Track

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

NUMBERS = {ShapeKind.RECTANGLE: 4, ShapeKind.ELLIPSE: 4, ShapeKind.CUBOID: 16}
"""Kinds that move linearly, and how many numbers their points have."""
_frame_of = attrgetter("frame")


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """States of n tracks on f frames."""

    values: Floats
    """(n, f, numbers + 1); before its first keyframe a track waits there."""
    visible: Flags
    """(n, f); False before the first keyframe and where the object is outside."""
    place: Ints
    """(n, f); position in the track of the keyframe that holds, -1 before the first."""


class KeyframeArrays:
    """The keyframes of some tracks, of those alone that decide the frames first..last if these are given."""

    def __init__(
        self, tracks: Sequence[Track], kind: ShapeKind, *, first: int | None = None, last: int | None = None
    ) -> None:
        spans = [_span(track.keyframes, first, last) for track in tracks]
        keyframes = list(
            chain.from_iterable(
                track.keyframes[begin:end] for track, (begin, end) in zip(tracks, spans, strict=True)
            )
        )
        self._skipped: Ints = np.fromiter((begin for begin, _ in spans), dtype=np.int64, count=len(spans))
        counts = (end - begin for begin, end in spans)
        self._begin: Ints = np.fromiter(accumulate(counts, initial=0), dtype=np.int64, count=len(spans) + 1)
        self._frame: Ints = np.fromiter(map(_frame_of, keyframes), dtype=np.int64, count=len(keyframes))
        self._outside = np.fromiter((k.outside for k in keyframes), dtype=np.bool_, count=len(keyframes))
        self._values = values_of(keyframes, kind)
        self._gap, self._step = self._ways()

    def __len__(self) -> int:
        return len(self._skipped)

    def between(self, first: int, last: int) -> States:
        """The states on the frames first..last, both included."""
        row = np.repeat(np.arange(len(self._frame)), self._held(first, last)).reshape(len(self), -1)
        frames = np.arange(first, last + 1)
        since = frames[None, :] - self._frame[row]
        begun = since >= 0
        share = np.maximum(since, 0) / self._gap[row]
        values = self._values[row] + self._step[row] * share[..., None]
        values[..., -1] = _angles(values[..., -1])
        own = row - self._begin[:-1, None] + self._skipped[:, None]
        return States(
            values=values, visible=begun & ~self._outside[row], place=np.where(begun, own, np.int64(-1))
        )

    def blocks(self, first: int, last: int, *, states: int = 1 << 16) -> Iterator[tuple[int, States]]:
        """Runs of frames with about so many states, each with its first frame; memory stays the same."""
        frames = max(1, states // max(1, len(self)))
        for begin in range(first, last + 1, frames):
            yield begin, self.between(begin, min(begin + frames - 1, last))

    def _ways(self) -> tuple[Floats, Floats]:
        """From each keyframe to the next one of its track: frames, and what changes; 1 and 0 if it holds."""
        moves = ~self._outside
        moves[self._begin[1:] - 1] = False
        return ways(self._frame, self._values, moves)

    def _held(self, first: int, last: int) -> Ints:
        """On how many of the frames each keyframe holds, the first one of a track also before it."""
        start = np.clip(self._frame, first, last + 1)
        end = np.append(start[1:], last + 1)
        end[self._begin[1:] - 1] = last + 1
        start[self._begin[:-1]] = first
        return end - start


def ways(frame: Ints, values: Floats, moves: Flags) -> tuple[Floats, Floats]:
    """From each row to the following one, where it moves: frames and what changes; else 1 and 0."""
    gap, step = np.ones(len(frame)), np.zeros_like(values)
    row = np.flatnonzero(moves)
    gap[row] = frame[row + 1] - frame[row]
    step[row] = values[row + 1] - values[row]
    turn = step[row, -1] % 360
    step[row, -1] = np.where(turn > 180, turn - 360, turn)
    return gap, step


def moved(values: Floats, step: Floats, share: Floats) -> Floats:
    """The rows after a share 0..1 of their way."""
    found = values + step * share[:, None]
    found[:, -1] = _angles(found[:, -1])
    return found


def _angles(degrees: Floats) -> Floats:
    degrees = degrees % 360
    # A tiny negative angle comes back from % as 360.0 itself.
    return np.where(degrees >= 360, 0.0, degrees)


def values_of(items: Iterable[Keyframe], kind: ShapeKind) -> Floats:
    """Points and rotation of each keyframe as a row."""
    keyframes = list(items)
    numbers = NUMBERS[kind]
    values = np.empty((len(keyframes), numbers + 1))
    points = chain.from_iterable(keyframe.points for keyframe in keyframes)
    values[:, :-1] = np.fromiter(points, dtype=np.float64, count=len(keyframes) * numbers).reshape(
        -1, numbers
    )
    values[:, -1] = [keyframe.rotation for keyframe in keyframes]
    return values


def linear_kind(track: Track) -> ShapeKind | None:
    """The kind of all keyframes if they are of one and it moves linearly."""
    kind = track.keyframes[0].kind
    is_linear = kind in NUMBERS and all(keyframe.kind is kind for keyframe in track.keyframes)
    return kind if is_linear else None


def _span(keyframes: Sequence[Keyframe], first: int | None, last: int | None) -> tuple[int, int]:
    """Places of the keyframes that decide the frames; one at least."""
    begin = 0 if first is None else max(0, bisect_right(keyframes, first, key=_frame_of) - 1)
    end = len(keyframes) if last is None else bisect_left(keyframes, last, key=_frame_of) + 1
    return begin, min(end, len(keyframes))
