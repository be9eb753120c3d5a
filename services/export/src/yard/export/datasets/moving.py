"""Where tracks are on each frame: many of them at once, and only as many as a block of frames needs.

The numbers are those of `yard.annotations.interpolation.Path`, to the bit.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from yard.annotations.arrays import Flags, Floats, Ints, moved, ways
from yard.annotations.columnar_rows import ranges
from yard.export.datasets.columns import KINDS, OCCLUDED, OUTSIDE, Run, by_frame, in_rows, make_drawn
from yard.export.datasets.drawn import Drawn
from yard.export.datasets.stretches import (
    FLAGS,
    FRAME,
    KIND,
    ROTATION,
    VALUES,
    Z_ORDER,
    Keyframes,
    Stretch,
    Stretches,
)

# States that are in memory at once, unless one frame alone has more.
MOST_STATES = 16_384
# Stretches up to this length are not worth a search for what a block needs of them.
_SHORT = 16


class States(NamedTuple):
    """States by frame, then track."""

    frames: Ints
    outside: Flags
    rows: Iterator[Drawn]


def moving(stretches: Stretches, numbers: int, first: int, last: int) -> Iterator[tuple[int, list[Drawn]]]:
    """Each frame on which tracks with so many numbers a keyframe are visible, with them by track."""
    return by_frame(_blocks(stretches, numbers, first, last))


def _blocks(stretches: Stretches, numbers: int, first: int, last: int) -> Iterator[Run]:
    starts, places = stretches.starts(numbers)
    active: list[Stretch] = []
    taken, frame = 0, first
    while frame <= last:
        active = [stretch for stretch in active if stretch.until >= frame]
        if not active:
            if taken == len(starts):
                return
            frame = max(frame, int(starts[taken]))
            if frame > last:
                return
        end = _end(frame, last, len(active))
        while taken < len(starts) and starts[taken] <= end:
            active.append(stretches.load(int(places[taken])))
            taken += 1
            end = _end(frame, end, len(active))
        active.sort(key=lambda stretch: stretch.owner.number)
        states = states_of(active, frame, end, numbers)
        if len(states.frames):
            yield Run(states.frames, None, states.rows)
        frame = end + 1


def _end(frame: int, last: int, active: int) -> int:
    return min(last, frame + max(1, MOST_STATES // max(1, active)) - 1)


def states_of(
    stretches: Sequence[Stretch], first: int, last: int, numbers: int, *, with_outside: bool = False
) -> States:
    """The visible states on the frames first..last, and keyframes that are outside if they are wanted."""
    kept = [_decisive(stretch, first, last) for stretch in stretches]
    heads, counts, points = Keyframes.joined(kept)
    lengths = np.fromiter((len(one.counts) for one in kept), dtype=np.int64, count=len(kept))
    is_last = np.zeros(len(counts), dtype=np.bool_)
    is_last[np.cumsum(lengths) - 1] = True
    frame = heads[:, FRAME].astype(np.int64)
    outside = (heads[:, FLAGS].astype(np.int64) & OUTSIDE) != 0
    until = np.fromiter((stretch.until for stretch in stretches), dtype=np.int64, count=len(kept))
    end = np.append(frame[1:], 0)
    end[is_last] = until + 1
    begin = np.maximum(frame, first)
    shown = np.maximum(np.minimum(end, last + 1) - begin, 0)
    shown[outside] = np.minimum(shown, frame >= first)[outside] if with_outside else 0
    row = np.repeat(np.arange(len(frame)), shown)
    at = ranges(begin, shown)
    order = np.argsort(at, kind="stable")
    row, at = row[order], at[order]
    values = np.column_stack([points.reshape(-1, numbers), heads[:, ROTATION]])
    owner = np.repeat(np.arange(len(kept)), lengths)
    placed = _placed(frame, values, ~outside & ~is_last, row, at)
    rows = _rows(stretches, heads, row, at, placed, owner[row])
    return States(at, outside[row], rows)


def _decisive(stretch: Stretch, first: int, last: int) -> Keyframes:
    """The keyframes that decide the frames first..last; one at least."""
    frames = stretch.frames
    if len(frames) <= _SHORT:
        return stretch.keyframes
    begin = max(0, bisect_right(frames, first) - 1)
    return stretch.keyframes.cut(begin, min(bisect_left(frames, last) + 1, len(frames)))


def _placed(frame: Ints, values: Floats, moves: Flags, row: Ints, at: Ints) -> Floats:
    """Points and rotation at some frames, each counted from its keyframe; on that they are its own."""
    gap, step = ways(frame, values, moves)
    found = values[row]
    since = at - frame[row]
    on_the_way = np.flatnonzero(moves[row] & (since > 0))
    whence = row[on_the_way]
    found[on_the_way] = moved(found[on_the_way], step[whence], since[on_the_way] / gap[whence])
    return found


def _rows(
    stretches: Sequence[Stretch], heads: Floats, row: Ints, at: Ints, placed: Floats, owner: Ints
) -> Iterator[Drawn]:
    owners = [stretch.owner for stretch in stretches]
    sets = [values for stretch in stretches for values in stretch.values]
    before = np.cumsum([0, *(len(stretch.values) for stretch in stretches[:-1])])
    heads = heads[row]
    codes = heads[:, :ROTATION].astype(np.int64)
    whose = list(map(owners.__getitem__, owner.tolist()))
    columns: tuple[Any, ...] = (
        at.tolist(),
        map(KINDS.__getitem__, codes[:, KIND].tolist()),
        in_rows(placed[:, :-1].ravel().tolist(), placed.shape[1] - 1),
        placed[:, -1].tolist(),
        (codes[:, FLAGS] & OCCLUDED != 0).tolist(),
        codes[:, Z_ORDER].tolist(),
        [one.label_id for one in whose],
        [one.group for one in whose],
        [one.source for one in whose],
        map(sets.__getitem__, (before[owner] + codes[:, VALUES]).tolist()),
        [one.number for one in whose],
        (codes[:, FRAME] == at).tolist(),
    )
    return map(make_drawn, zip(*columns, strict=True))
