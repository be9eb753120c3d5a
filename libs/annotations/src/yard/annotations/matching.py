"""Which objects of two neighbouring jobs are the same, by optimal assignment on their overlap.

Only pairs that reach the threshold take part in the assignment, so that no pair below it keeps others apart.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from yard.annotations.arrays import KeyframeArrays, linear_kind
from yard.annotations.assignment import Pair, assigned
from yard.annotations.model import Shape, ShapeKind, Tag, Track
from yard.annotations.nearby import envelopes, meeting
from yard.annotations.overlaps import box_iou_pairs
from yard.annotations.slicing import Window

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Item = TypeVar("Item", Tag, Shape, Track)

SHAPE_THRESHOLD = 0.75
TRACK_THRESHOLD = 0.5
_ROUNDING = 1e-9
"""Similarities of floats may stay a hair below a threshold that they reach exactly."""
_BLOCK_FLAGS = 1 << 23
_FRAMES = 8
"""So many frames are searched together for tracks that come near each other."""


def match_tags(ones: Sequence[Tag], others: Sequence[Tag], overlap: Window) -> list[Pair]:
    """Positions of tags with the same label on the same frame, paired in order."""
    left, right = (_places(items, lambda tag: _place(tag, overlap)) for items in (ones, others))
    return [pair for place, own in left.items() for pair in zip(own, right.get(place, ()), strict=False)]


def match_shapes(ones: Sequence[Shape], others: Sequence[Shape], overlap: Window) -> list[Pair]:
    """Positions of rectangles of the same label on the same frame with an IoU of 0.75 or more."""
    left, right = _shared(ones, others, lambda shape: _rectangle_place(shape, overlap))
    if not left.positions:
        return []
    near = _overlapping(_boxes(left.items), left.groups, _boxes(right.items), right.groups)
    return _best(left, right, near)


def match_tracks(ones: Sequence[Track], others: Sequence[Track], overlap: Window) -> list[Pair]:
    """Positions of rectangle tracks of the same label whose mean IoU over the overlap is 0.5 or more.

    The mean is over the frames on which at least one of both is visible; where only one is, it is 0.
    """
    left, right = _shared(ones, others, lambda track: _rectangle_track(track, overlap))
    if not left.positions:
        return []
    one, other = (_Moving(side.items, side.groups, overlap) for side in (left, right))
    return _best(left, right, _similar(one, other))


def _best(
    left: "_Shared[Shape] | _Shared[Track]",
    right: "_Shared[Shape] | _Shared[Track]",
    near: tuple[Ints, Ints, Floats],
) -> list[Pair]:
    """Of pairs that are near each other, by place and with their similarity, the best; by position."""
    pairs = assigned(*near, lambda one, other: _is_alike(left.items[one], right.items[other]))
    return [(left.positions[one], right.positions[other]) for one, other in pairs]


def _overlapping(ones: Floats, left: Ints, others: Floats, right: Ints) -> tuple[Ints, Ints, Floats]:
    """Pairs of boxes of one group whose IoU reaches the threshold, by place."""
    found: list[tuple[Ints, Ints, Floats]] = []
    for row, column in meeting(envelopes(ones), left, envelopes(others), right):
        similarity = box_iou_pairs(ones[row], others[column])
        enough = similarity >= SHAPE_THRESHOLD - _ROUNDING
        found.append((row[enough], column[enough], similarity[enough]))
    rows, columns, similarities = zip(*found, strict=True)
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(similarities)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared(Generic[Item]):
    """The objects that have counterparts on the other side, their positions, and numbers of their groups."""

    items: list[Item]
    positions: list[int]
    groups: Ints


class _Moving:
    """The tracks of one side on the frames of the overlap."""

    def __init__(self, tracks: Sequence[Track], groups: Ints, overlap: Window) -> None:
        self.groups = groups
        self._keyframes = KeyframeArrays(tracks, ShapeKind.RECTANGLE, first=overlap.first, last=overlap.last)
        self._overlap = overlap

    def __len__(self) -> int:
        return len(self._keyframes)

    def blocks(self) -> Iterator["_Block"]:
        """A few frames at a time."""
        for first in range(self._overlap.first, self._overlap.last + 1, _FRAMES):
            states = self._keyframes.between(first, min(first + _FRAMES - 1, self._overlap.last))
            yield _Block(boxes=states.values, visible=states.visible, groups=self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Boxes (n, f, 5) of tracks on some frames."""

    boxes: Floats
    visible: Flags
    groups: Ints

    def near(self, other: "_Block") -> Iterator[tuple[Ints, Ints]]:
        """Places of tracks of one group that may overlap on one of the frames."""
        ones, others = self.seen(), other.seen()
        around = self.around(ones), other.around(others)
        for one, two in meeting(around[0], self.groups[ones], around[1], other.groups[others]):
            yield ones[one], others[two]

    def shared(self, other: "_Block", rows: Ints, columns: Ints) -> Floats:
        """Sums of IoU over the frames on which both of a pair are visible."""
        sums = np.zeros(len(rows))
        for frame in range(self.visible.shape[1]):
            both = np.flatnonzero(self.visible[rows, frame] & other.visible[columns, frame])
            ones, others = self.boxes[rows[both], frame], other.boxes[columns[both], frame]
            sums[both] += box_iou_pairs(ones, others)
        return sums

    def seen(self) -> Ints:
        """Places of the tracks that are visible on one of the frames."""
        return np.flatnonzero(self.visible.any(axis=1))

    def around(self, tracks: Ints) -> Floats:
        """Left, top, right and bottom of what each of the tracks covers on these frames."""
        around, seen = envelopes(self.boxes[tracks]), self.visible[tracks][..., None]
        low = np.where(seen, around[..., :2], np.inf).min(axis=1)
        return np.concatenate([low, np.where(seen, around[..., 2:], -np.inf).max(axis=1)], axis=1)


def _similar(ones: _Moving, others: _Moving) -> tuple[Ints, Ints, Floats]:
    """Pairs of tracks whose mean IoU reaches the threshold, by place."""
    keys: Ints = np.empty(0, dtype=np.int64)
    sums: Floats = np.empty(0)
    seen: tuple[list[Flags], list[Flags]] = ([], [])
    for block, other in zip(ones.blocks(), others.blocks(), strict=True):
        seen[0].append(block.visible)
        seen[1].append(other.visible)
        for row, column in block.near(other):
            added = np.concatenate([keys, row * len(others) + column])
            weights = np.concatenate([sums, block.shared(other, row, column)])
            keys, place = np.unique(added, return_inverse=True)
            sums = np.bincount(place, weights=weights, minlength=len(keys)).astype(np.float64)
    row, column = np.divmod(keys, len(others))
    frames = _frames_seen(np.concatenate(seen[0], axis=1), np.concatenate(seen[1], axis=1), row, column)
    similarity = sums / np.maximum(frames, 1)
    is_enough = similarity >= TRACK_THRESHOLD - _ROUNDING
    return row[is_enough], column[is_enough], similarity[is_enough]


def _frames_seen(ones: Flags, others: Flags, rows: Ints, columns: Ints) -> Ints:
    """For each pair the number of frames on which at least one of both is visible."""
    most = max(1, _BLOCK_FLAGS // ones.shape[1])
    frames = [
        np.count_nonzero(ones[rows[begin : begin + most]] | others[columns[begin : begin + most]], axis=1)
        for begin in range(0, len(rows), most)
    ]
    return np.concatenate(frames) if frames else np.empty(0, dtype=np.int64)


def _is_alike(one: Shape | Track, other: Shape | Track) -> bool:
    """Whether two objects that may be one say the same about it; decides between equally good choices."""
    if (one.attributes, one.group) != (other.attributes, other.group):
        return False
    if isinstance(one, Track) or isinstance(other, Track):
        return True
    return (one.points, one.rotation, one.occluded, one.z_order) == (
        other.points,
        other.rotation,
        other.occluded,
        other.z_order,
    )


def _boxes(shapes: Iterable[Shape]) -> Floats:
    return np.array([(*shape.points, shape.rotation) for shape in shapes], dtype=np.float64)


def _place(item: Tag | Shape, overlap: Window) -> Hashable:
    return (item.frame, item.label_id) if overlap.first <= item.frame <= overlap.last else None


def _rectangle_place(shape: Shape, overlap: Window) -> Hashable:
    return _place(shape, overlap) if shape.kind is ShapeKind.RECTANGLE else None


def _rectangle_track(track: Track, overlap: Window) -> Hashable:
    last = track.keyframes[-1]
    if track.first_frame > overlap.last or (last.outside and last.frame <= overlap.first):
        return None
    return track.label_id if linear_kind(track) is ShapeKind.RECTANGLE else None


def _shared(
    ones: Sequence[Item], others: Sequence[Item], key: Callable[[Item], Hashable]
) -> tuple[_Shared[Item], _Shared[Item]]:
    """The objects of both lists that share a key; None means that an object takes no part."""
    left, right = _places(ones, key), _places(others, key)
    found: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    for group, place in enumerate(place for place in left if place in right):
        for side, positions in zip(found, (left[place], right[place]), strict=True):
            side += ((position, group) for position in positions)
    return _with_groups(ones, found[0]), _with_groups(others, found[1])


def _with_groups(items: Sequence[Item], found: list[tuple[int, int]]) -> _Shared[Item]:
    found.sort()
    positions = [position for position, _ in found]
    groups = np.fromiter((group for _, group in found), dtype=np.int64, count=len(found))
    return _Shared(items=[items[position] for position in positions], positions=positions, groups=groups)


def _places(items: Sequence[Item], key: Callable[[Item], Hashable]) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = {}
    for index, item in enumerate(items):
        if (place := key(item)) is not None:
            found.setdefault(place, []).append(index)
    return found
