"""Tracks of kinds that do not move linearly, or that change their kind: one at a time, frame by frame."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from yard.annotations.interpolation import Path
from yard.annotations.model import Keyframe, Track
from yard.export.datasets.columns import KINDS, OCCLUDED, OUTSIDE
from yard.export.datasets.drawn import Drawn
from yard.export.datasets.moving import MOST_STATES, states_of
from yard.export.datasets.stretches import FLAGS, KIND, ROTATION, VALUES, Z_ORDER, Stretch, Stretches


class Walk:
    """A stretch of any kind, frame by frame; states that hold share their points."""

    def __init__(self, stretch: Stretch) -> None:
        self.stretch = stretch
        heads, counts, points = stretch.keyframes
        ends = np.cumsum(counts)
        spans = pairwise([0, *ends.tolist()])
        keyframes = tuple(
            Keyframe(
                frame=frame,
                kind=KINDS[int(head[KIND])],
                points=tuple(points[begin:end].tolist()),
                rotation=head[ROTATION],
                occluded=bool(int(head[FLAGS]) & OCCLUDED),
                outside=bool(int(head[FLAGS]) & OUTSIDE),
                z_order=int(head[Z_ORDER]),
            )
            for frame, head, (begin, end) in zip(stretch.frames, heads.tolist(), spans, strict=True)
        )
        self._values = heads[:, VALUES].astype(np.int64).tolist()
        self._path = Path(Track(label_id=stretch.owner.label_id, keyframes=keyframes))
        self._points: tuple[tuple[float, ...], list[float]] = ((), [])

    def at(self, frame: int) -> tuple[Drawn, bool] | None:
        """The state on a frame, and whether it is outside; None before the first keyframe."""
        state = self._path.at(frame)
        if state is None:
            return None
        if state.points is not self._points[0]:
            self._points = (state.points, list(state.points))
        number, label_id, group, source = self.stretch.owner
        frames = self.stretch.frames
        place = bisect_right(frames, frame) - 1
        drawn = Drawn(
            frame,
            state.kind,
            self._points[1],
            state.rotation,
            state.occluded,
            state.z_order,
            label_id,
            group,
            source,
            self.stretch.values[self._values[place]],
            number,
            frames[place] == frame,
        )
        return drawn, state.outside


def walking(stretches: Stretches, first: int, last: int) -> Iterator[tuple[int, list[Drawn]]]:
    """Each frame on which tracks of the other kinds are visible, with them by track."""
    starts, places = stretches.starts(0)
    active: list[Walk] = []
    taken, frame = 0, first
    while frame <= last:
        active = [walk for walk in active if walk.stretch.until >= frame]
        if not active:
            if taken == len(starts):
                return
            frame = max(frame, int(starts[taken]))
            if frame > last:
                return
        while taken < len(starts) and starts[taken] <= frame:
            active.append(Walk(stretches.load(int(places[taken]))))
            taken += 1
        active.sort(key=lambda walk: walk.stretch.owner.number)
        found = (walk.at(frame) for walk in active if walk.stretch.until >= frame)
        visible = [state[0] for state in found if state is not None and not state[1]]
        if visible:
            yield frame, visible
        frame += 1


def all_states(stretch: Stretch, numbers: int, last: int) -> Iterator[tuple[Drawn, bool]]:
    """The states of one stretch up to a frame, with whether they are outside: of those keyframes only."""
    end = min(last, stretch.until)
    if numbers:
        for first in range(stretch.frames[0], end + 1, MOST_STATES):
            states = states_of(
                [stretch], first, min(end, first + MOST_STATES - 1), numbers, with_outside=True
            )
            yield from zip(states.rows, states.outside.tolist(), strict=True)
        return
    walk = Walk(stretch)
    for frame in range(stretch.frames[0], end + 1):
        found = walk.at(frame)
        if found is not None and (found[0].is_keyframe or not found[1]):
            yield found
