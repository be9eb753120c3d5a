"""Tracks cut into stretches of keyframes, so that only those that decide the present frames are in memory."""

import marshal
from array import array
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from yard.annotations.arrays import NUMBERS, Floats, Ints
from yard.annotations.model import Source
from yard.export.datasets.columns import SOURCES
from yard.export.datasets.drawn import Values
from yard.export.datasets.spool import Spool

FOR_EVER = 2**31 - 1
# Columns of `Keyframes.heads`.
FRAME, KIND, FLAGS, Z_ORDER, VALUES, ROTATION = range(6)
WIDTH = 6


class Keyframes(NamedTuple):
    """Some keyframes of one track in order, as columns."""

    heads: Floats
    """(n, WIDTH)"""
    counts: Ints
    """Numbers of each one's points."""
    points: Floats
    """Those of all, one after another."""

    def cut(self, begin: int, end: int) -> "Keyframes":
        """The keyframes begin to end."""
        if begin == 0 and end == len(self.counts):
            return self
        first = int(self.counts[:begin].sum())
        last = first + int(self.counts[begin:end].sum())
        return Keyframes(self.heads[begin:end], self.counts[begin:end], self.points[first:last])

    @classmethod
    def joined(cls, parts: Iterable["Keyframes"]) -> "Keyframes":
        """All of them, in their order."""
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


class Owner(NamedTuple):
    """What all keyframes of a track share."""

    number: int
    label_id: int
    group: int
    source: Source


class Stretch(NamedTuple):
    """Some keyframes of one track, each of which holds or moves until the next one.

    The last one begins the following stretch, unless this is the track's last.
    """

    owner: Owner
    until: int
    """Last frame that it decides."""
    keyframes: Keyframes
    frames: list[int]
    """Those of the keyframes."""
    values: list[Values]
    """All sets of attributes that `VALUES` counts."""


class Stretches:
    """The stretches of all tracks of a task, found by their first frame."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._starts = array("i")
        self._places = array("q")
        self._numbers = array("b")

    def add(self, stretch: Stretch) -> None:
        """Takes a stretch; those of a track in order, tracks by number."""
        owner, until, (heads, counts, points), frames, values = stretch
        self._starts.append(frames[0])
        self._places.append(self._spool.end)
        self._numbers.append(numbers_of(heads))
        record = (*owner[:3], int(owner.source), until, values, heads.tobytes(), counts.tobytes())
        self._spool.append(marshal.dumps((*record, points.tobytes())))

    def starts(self, numbers: int) -> tuple[Ints, Ints]:
        """First frames, ascending, and places of stretches with so many numbers a keyframe (0: others)."""
        chosen = np.flatnonzero(np.frombuffer(self._numbers, dtype=np.int8) == numbers)
        starts = np.frombuffer(self._starts, dtype=np.int32)[chosen].astype(np.int64)
        order = np.argsort(starts, kind="stable")
        return starts[order], np.frombuffer(self._places, dtype=np.int64)[chosen][order]

    def load(self, place: int) -> Stretch:
        """The stretch at a place."""
        # Only what add() has written into a file without a name is read here.
        record = marshal.loads(self._spool.at(place))  # noqa: S302
        number, label_id, group, source, until, values, heads, counts, points = record
        table: Floats = np.frombuffer(heads).reshape(-1, WIDTH)
        keyframes = Keyframes(table, np.frombuffer(counts, dtype=np.int64), np.frombuffer(points))
        frames = table[:, FRAME].astype(np.int64).tolist()
        owner = Owner(number, label_id, group, SOURCES[source])
        return Stretch(owner, until, keyframes, frames, values)


def numbers_of(heads: Floats) -> int:
    """Numbers of each keyframe if all of them are of one kind that moves linearly; else 0."""
    kind = heads[0, KIND]
    return NUMBERS.get(int(kind), 0) if (heads[:, KIND] == kind).all() else 0  # type: ignore[call-overload]
