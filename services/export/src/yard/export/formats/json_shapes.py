"""Shapes from JSON on their way to an intake; boxes go in blocks, whose numbers are looked at all at once."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from yard.annotations.labels import Label
from yard.annotations.model import ShapeKind, Source
from yard.export.formats.json_objects import PLAIN, Given, ObjectError, numbers
from yard.export.formats.track_rows import TrackRows
from yard.export.intakes.intake import FoundShape, Intake, ShapeColumns
from yard.export.wording import size_columns
from yard.export.wording.decimals import corner

# Shapes of a block: with more of them the garbage collector takes more time than is saved.
_SHAPES = 256
# Numbers of its other shapes.
_NUMBERS_HELD = 16_384
# Fewer boxes are not worth the making of arrays.
_FEW = 8
_NUMBERS = frozenset({int, float})
_NO_MASK_TRACKS = "masks cannot be tracked: each frame has a mask of its own"

Place = TypeVar("Place")
Corners = tuple[float, float, float, float]
Box = tuple[int, int, object, Given, int, int, Place]
"""Frame, label id, what should be left, top, width and height, properties, z order, group, place."""


class Objects(Generic[Place]):
    """Hands shapes to the intake, many boxes at a time, and rows of tracks to their tracks.

    `words` are those for a place: of most boxes nobody asks for it.
    """

    def __init__(self, intake: Intake, tracks: TrackRows, words: Callable[[Place], str]) -> None:
        self._intake = intake
        self._tracks = tracks
        self._words = words
        self._boxes: list[Box[Place]] = []
        # Other shapes, each with how many boxes are before it.
        self._others: list[tuple[int, FoundShape, Place]] = []
        self._held = 0
        # Once a box says more than where it is, all go the same way: batches stay large.
        self._are_bare = True

    def box(self, box: Box[Place]) -> None:
        """Takes a rectangle of no track; what is wrong with its numbers may be told later."""
        self._boxes.append(box)
        if len(self._boxes) == _SHAPES:
            self.flush()

    def add(self, label: Label, shape: FoundShape, given: Given, place: Place) -> None:
        """Takes any other shape, or the state of a track."""
        if given.track is None:
            self._others.append((len(self._boxes), shape, place))
            self._held += len(shape.points)
            if len(self._others) == _SHAPES or self._held > _NUMBERS_HELD:
                self.flush()
        elif shape.kind is ShapeKind.MASK:
            self._intake.ignore("track", _NO_MASK_TRACKS)
            self._intake.shape(shape, self._words(place))
        else:
            where = self._words(place)
            self._tracks.add(given.track, label, shape, is_keyframe=given.is_keyframe, where=where)

    def refuse(self, place: Place, reason: str) -> None:
        """Notes what is wrong with an object, after the faults of what waits."""
        self.flush()
        self._intake.refuse(self._words(place), reason)

    def flush(self) -> None:
        """Hands over what waits, in the order of the file."""
        boxes, self._boxes = self._boxes, []
        others, self._others, self._held = self._others, [], 0
        found = _corners(boxes) if len(boxes) > _FEW else None
        if found is not None and not others:
            self._hand_over(boxes, found)
            return
        # One by one, so that faults name their objects.
        ready = [None] * len(boxes) if found is None else found.tolist()
        done = 0
        for before, shape, place in others:
            self._each(boxes[done:before], ready[done:before])
            self._intake.shape(shape, self._words(place))
            done = before
        self._each(boxes[done:], ready[done:])

    def _hand_over(self, boxes: Sequence[Box[Place]], found: NDArray[np.float64]) -> None:
        frames, label_ids, _, given, orders, groups, places = zip(*boxes, strict=True)
        self._are_bare &= given.count(PLAIN) == len(given) and not any(orders) and not any(groups)
        if self._are_bare:
            where = f"{self._words(places[0])} and what follows it"
            self._intake.boxes(np.asarray(frames), np.asarray(label_ids), found, where)
            return
        rows = ShapeColumns(
            frames=frames,
            label_ids=label_ids,
            kinds=[ShapeKind.RECTANGLE] * len(boxes),
            points=found.tolist(),
            rotations=[one.rotation for one in given],
            occluded=[one.occluded for one in given],
            orders=orders,
            attributes=[one.attributes for one in given],
            groups=groups,
            sources=[Source.FILE] * len(boxes),
        )
        self._intake.rectangles(rows, list(map(self._words, places)))

    def _each(self, boxes: Sequence[Box[Place]], ready: Sequence[Sequence[float] | None]) -> None:
        for (frame, label_id, sides, given, z_order, group, place), found in zip(boxes, ready, strict=True):
            where = self._words(place)
            try:
                corners = found or corners_of(sides)
            except ObjectError as wrong:
                self._intake.refuse(where, str(wrong))
                continue
            shape = FoundShape(
                frame,
                label_id,
                ShapeKind.RECTANGLE,
                corners,
                given.rotation,
                given.occluded,
                z_order,
                given.attributes,
                group,
            )
            self._intake.shape(shape, where)


def corners_of(sides: object) -> Corners:
    """The corners of one box; raises ObjectError."""
    x, y, width, height = numbers(sides, 4)
    return x, y, corner(x, width), corner(y, height)


def _corners(boxes: Sequence[Box[Place]]) -> NDArray[np.float64] | None:
    """The corners of all boxes, if nothing is wrong with any."""
    sides = [box[2] for box in boxes]
    if set(map(type, sides)) != {list} or set(map(len, sides)) != {4}:  # type: ignore[arg-type]
        return None
    every: list[object] = list(chain.from_iterable(sides))  # type: ignore[arg-type]
    if not _NUMBERS.issuperset(map(type, every)):
        return None
    try:
        found = np.array(every, np.float64).reshape(-1, 4)
    except OverflowError:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        ends = size_columns.corners(found[:, :2], found[:, 2:])
        is_sound = np.isfinite(found.sum(axis=1)).all() and (found[:, :2] < ends).all()
    return np.hstack([found[:, :2], ends]) if is_sound else None
