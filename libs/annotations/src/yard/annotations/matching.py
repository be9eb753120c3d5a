"""Which objects of two neighbouring jobs are the same, by optimal assignment on their overlap."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from yard.annotations.geometry import box_iou_matrix, box_iou_pairs
from yard.annotations.interpolation import rectangle_states
from yard.annotations.model import Shape, ShapeKind, Tag, Track
from yard.annotations.slicing import Window

Floats = NDArray[np.float64]
Pair = tuple[int, int]
Item = TypeVar("Item", Tag, Shape, Track)

SHAPE_THRESHOLD = 0.75
TRACK_THRESHOLD = 0.5


def match_tags(ones: Sequence[Tag], others: Sequence[Tag], overlap: Window) -> list[Pair]:
    """Positions of tags with the same label on the same frame, paired in order."""
    pairs: list[Pair] = []
    for left, right in _groups(ones, others, lambda tag: _place(tag, overlap)):
        pairs += zip(left, right, strict=False)
    return pairs


def match_shapes(ones: Sequence[Shape], others: Sequence[Shape], overlap: Window) -> list[Pair]:
    """Positions of rectangles of the same label on the same frame with an IoU of 0.75 or more."""
    pairs: list[Pair] = []
    for left, right in _groups(ones, others, lambda shape: _rectangle_place(shape, overlap)):
        rows, columns = (
            np.array([[*items[index].points, items[index].rotation] for index in part], dtype=np.float64)
            for items, part in ((ones, left), (others, right))
        )
        pairs += _assigned(box_iou_matrix(rows, columns), SHAPE_THRESHOLD, left, right)
    return pairs


def match_tracks(ones: Sequence[Track], others: Sequence[Track], overlap: Window) -> list[Pair]:
    """Positions of rectangle tracks of the same label whose mean IoU over the overlap is 0.5 or more."""
    pairs: list[Pair] = []
    for left, right in _groups(ones, others, _rectangle_track):
        similarity = _track_similarity([ones[i] for i in left], [others[i] for i in right], overlap)
        pairs += _assigned(similarity, TRACK_THRESHOLD, left, right)
    return pairs


def _track_similarity(ones: Sequence[Track], others: Sequence[Track], overlap: Window) -> Floats:
    """Mean IoU over the frames on which at least one of both is visible, as (n, m)."""
    columns = [rectangle_states(track, overlap.first, overlap.last) for track in others]
    boxes = np.stack([states for states, _ in columns])
    seen = np.stack([visible for _, visible in columns])
    similarity = np.zeros((len(ones), len(others)))
    for row, track in enumerate(ones):
        own, visible = rectangle_states(track, overlap.first, overlap.last)
        both = seen & visible
        overlaps = np.zeros(both.shape)
        column, frame = np.nonzero(both)
        overlaps[column, frame] = box_iou_pairs(own[frame], boxes[column, frame])
        frames = np.count_nonzero(seen | visible, axis=1)
        np.divide(overlaps.sum(axis=1), frames, out=similarity[row], where=frames > 0)
    return similarity


def _assigned(similarity: Floats, threshold: float, left: Sequence[int], right: Sequence[int]) -> list[Pair]:
    """The pairs with the largest sum; what is below the threshold must not keep others from being paired."""
    # Sums of floats may stay a hair below a threshold that they reach exactly.
    accepted = similarity >= threshold - 1e-12
    if not accepted.any():
        return []
    rows, columns = linear_sum_assignment(np.where(accepted, similarity, 0.0), maximize=True)
    return [
        (left[i], right[j]) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if accepted[i, j]
    ]


def _place(item: Tag | Shape, overlap: Window) -> Hashable:
    return (item.frame, item.label_id) if overlap.first <= item.frame <= overlap.last else None


def _rectangle_place(shape: Shape, overlap: Window) -> Hashable:
    return _place(shape, overlap) if shape.kind is ShapeKind.RECTANGLE else None


def _rectangle_track(track: Track) -> Hashable:
    is_rectangle = all(keyframe.kind is ShapeKind.RECTANGLE for keyframe in track.keyframes)
    return track.label_id if is_rectangle else None


def _groups(
    ones: Sequence[Item], others: Sequence[Item], key: Callable[[Item], Hashable]
) -> Iterable[tuple[list[int], list[int]]]:
    """Positions in both lists that share a key; None means that an object takes no part."""
    left, right = _positions(ones, key), _positions(others, key)
    return ((left[place], right[place]) for place in left if place in right)


def _positions(items: Sequence[Item], key: Callable[[Item], Hashable]) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = {}
    for index, item in enumerate(items):
        if (place := key(item)) is not None:
            found.setdefault(place, []).append(index)
    return found
