"""Keyframes of many paths with all that a state has, as arrays, and whether two states are the same."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from yard.annotations.arrays import Flags, Floats, Ints, moved, values_of, ways
from yard.annotations.model import Attributes, Keyframe, ShapeKind

_ANGLE = 1e-6
_PIXELS = 1e-6
_SHARE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyframeRows:
    """One row a keyframe, ascending by path and frame; rows of `values` are points and rotation."""

    path: Ints
    frame: Ints
    values: Floats
    outside: Flags
    occluded: Flags
    z_order: Ints
    known: Ints
    """A number for the mutable attributes that hold there, those set before included."""

    @classmethod
    def of(cls, keyframes: Sequence[Keyframe], path: Ints, kind: ShapeKind) -> "KeyframeRows":
        """The rows of keyframes, in their order; attributes are not looked at yet."""
        return cls(
            path=path,
            frame=np.array([keyframe.frame for keyframe in keyframes], dtype=np.int64),
            values=values_of(keyframes, kind),
            outside=np.array([keyframe.outside for keyframe in keyframes], dtype=np.bool_),
            occluded=np.array([keyframe.occluded for keyframe in keyframes], dtype=np.bool_),
            z_order=np.array([keyframe.z_order for keyframe in keyframes], dtype=np.int64),
            known=np.zeros(len(keyframes), dtype=np.int64),
        )

    def taken(self, rows: Ints) -> "KeyframeRows":
        """Some of the rows."""
        return KeyframeRows(**{column.name: getattr(self, column.name)[rows] for column in fields(self)})

    def places(self, path: Ints, frame: Ints) -> Ints:
        """For each query the last row that is not after it, of its path or one before it; -1 if none."""
        span = max(int(self.frame.max(initial=0)), int(frame.max(initial=0))) + 2
        return np.searchsorted(self.path * span + self.frame, path * span + frame, side="right") - 1

    def at(self, path: Ints, frame: Ints) -> "KeyframeRows":
        """The states of paths on frames; before its first keyframe an object is outside."""
        place = self.places(path, frame)
        is_begun = (place >= 0) & (self.path[place] == path)
        place = np.maximum(place, 0)
        found = self.taken(place)
        is_same_path = np.append(self.path[1:] == self.path[:-1], False)
        gap, step = ways(self.frame, self.values, is_same_path & ~self.outside)
        share = np.where(is_begun, frame - found.frame, 0) / gap[place]
        return replace(
            found,
            path=path,
            frame=frame,
            values=moved(found.values, step[place], share),
            outside=found.outside | ~is_begun,
        )


class AttributeNumbers:
    """Numbers for sets of attributes, equal for equal ones."""

    def __init__(self) -> None:
        self._numbers: dict[frozenset[tuple[int, str]], int] = {frozenset(): 0}

    def along(self, attributes: Sequence[Attributes], path: Ints) -> Ints:
        """For each row the number of all attributes that were set on its path so far."""
        found = np.zeros(len(path), dtype=np.int64)
        if not any(attributes):
            return found
        current: Attributes = {}
        number, last = 0, -1
        for row, (own, owner) in enumerate(zip(attributes, path.tolist(), strict=True)):
            if owner != last:
                current, number, last = {}, 0, owner
            if own:
                current = {**current, **own}
                number = self._numbers.setdefault(frozenset(current.items()), len(self._numbers))
            found[row] = number
        return found


def same_states(ones: KeyframeRows, others: KeyframeRows) -> Flags:
    """Whether both show the same, row by row: nothing, or the same object in the same place."""
    apart, turn = _differences(ones, others)
    large = np.maximum(np.abs(ones.values), np.abs(others.values))[:, :-1]
    is_there = (apart <= np.maximum(_SHARE * large, _PIXELS)).all(axis=1) & (turn < _ANGLE)
    result: Flags = (ones.outside & others.outside) | (_comparable(ones, others) & is_there)
    return result


def distances(ones: KeyframeRows, others: KeyframeRows) -> Floats:
    """The largest difference in place or angle, infinite where more than that differs."""
    apart, turn = _differences(ones, others)
    return np.where(_comparable(ones, others), np.maximum(apart.max(axis=1), turn), np.inf)


def _differences(ones: KeyframeRows, others: KeyframeRows) -> tuple[Floats, Floats]:
    apart = np.abs(ones.values - others.values)
    turn = apart[:, -1] % 360
    return apart[:, :-1], np.minimum(turn, 360 - turn)


def _comparable(ones: KeyframeRows, others: KeyframeRows) -> Flags:
    result: Flags = ~ones.outside & ~others.outside & (ones.known == others.known)
    result &= (ones.occluded == others.occluded) & (ones.z_order == others.z_order)
    return result
