"""Shapes of images of CVAT: boxes are held until there are many, and made of columns at once.

Whatever is unusual about one of them leads to all that are held being looked at one by one, where faults get
their words and their lines.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import merge
from operator import itemgetter
from typing import Any, Final, TypeVar

import numpy as np
from yard.annotations.batch import LARGEST_BATCH
from yard.annotations.labels import Label
from yard.annotations.model import ShapeKind
from yard.export.formats.cvat_elements import (
    FLATTENED,
    SHAPES,
    Given,
    is_set,
    rotation_of,
    source_of,
    whole_number,
    words,
)
from yard.export.intakes.intake import NONE, Floats, FoundShape, Intake, ShapeColumns
from yard.export.wording.decimal_columns import parsed

BOX: Final = "box"
FLAT: Final = "has no area at two decimals"
_MOST_KNOWN, _LONGEST_KNOWN = 4096, 1000
_MOST_HELD: Final = LARGEST_BATCH
_CORNERS: Final = ("xtl", "ytl", "xbr", "ybr")
_PLACE: Final = itemgetter(0)
Value = TypeVar("Value")
Texts = Mapping[str, str]
Placed = tuple[int, FoundShape, str]
"""A shape with how many boxes are before it, and its place in the file."""
Columns = Mapping[str, Sequence[str | None]]
"""What each of many elements says, by the name of the XML attribute."""


class SharedAttributes:
    """Objects with equal attributes share what was found, unless something was wrong with them."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._known: dict[tuple[object, ...], Mapping[int, str]] = {}

    def of(self, label: Label, texts: Texts, where: str) -> Mapping[int, str]:
        """By id; see Intake."""
        key = (label.id, *texts.items())
        known = self._known.get(key)
        if known is None:
            known = self._intake.attributes(label, texts, where)
            if len(known) == len(texts) and sum(map(len, texts.values())) < _LONGEST_KNOWN:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[key] = known
        return known


class _Held:
    """Boxes one behind the other in plain lists, which cost less than objects for each."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.widths: list[int] = []
        self.frames: list[int] = []
        self.lines: list[int] = []
        self.texts: dict[int, Texts] = {}
        self.others: list[Placed] = []

    def rows(self) -> list[list[str]]:
        """Names and values of each box by turns."""
        rest = iter(self.said)
        return [[next(rest) for _ in range(width)] for width in self.widths]

    def columns(self) -> Columns:
        """By name; where all boxes say the same things in the same order no mapping is made of any."""
        count, width = len(self.widths), self.widths[0]
        if self.widths.count(width) == count:
            names = [self.said[place::width] for place in range(0, width, 2)]
            if all(own.count(own[0]) == count for own in names):
                return {own[0]: self.said[2 * place + 1 :: width] for place, own in enumerate(names)}
        given = list(map(mapping_of, self.rows()))
        return {name: [one.get(name) for one in given] for name in set().union(*given)}


class Stills:
    """The shapes of a file, on their way to the intake; to be flushed before what they hold has grown."""

    def __init__(self, intake: Intake, file: str, attributes: SharedAttributes) -> None:
        self._intake = intake
        self._file = file
        self._attributes = attributes
        self._labels: dict[str | None, Label] = {label.name: label for label in intake.labels.labels}
        self._held = _Held()

    def hold(self, said: list[str], frame: int, line: int, texts: Texts) -> None:
        """One box, of names and values by turns; faults are told later."""
        held = self._held
        held.said += said
        held.widths.append(len(said))
        held.frames.append(frame)
        held.lines.append(line)
        count = len(held.lines)
        if texts:
            held.texts[count - 1] = texts
        if count >= _MOST_HELD:
            self.flush()

    def add(self, name: str, given: Given, frame: int, line: int, texts: Texts) -> None:
        """One other shape."""
        where = f"{self._file}:{line}"
        shape = self._shape(name, given, frame, texts, where)
        if shape is None:
            return
        if self._held.lines:
            self._held.others.append((len(self._held.lines), shape, where))
        else:
            self._intake.shape(shape, where)

    def flush(self) -> None:
        """Hands over what is held."""
        held = self._held
        if not held.lines:
            return
        self._held = _Held()
        try:
            columns = held.columns()
            labels = [self._labels[name] for name in columns["label"]]
            rows = _rows(columns, held.frames, labels)
        except (KeyError, ValueError):
            for _, shape, where in merge(held.others, self._singly(held), key=_PLACE):
                self._intake.shape(shape, where)
        else:
            self._hand_over(rows, labels, held)

    def _singly(self, held: _Held) -> Iterator[Placed]:
        for place, (said, frame, line) in enumerate(zip(held.rows(), held.frames, held.lines, strict=True)):
            where = f"{self._file}:{line}"
            shape = self._shape(BOX, mapping_of(said), frame, held.texts.get(place, {}), where)
            if shape is not None:
                yield place, shape, where

    def _hand_over(self, rows: ShapeColumns, labels: Sequence[Label], held: _Held) -> None:
        places = [f"{self._file}:{line}" for line in held.lines]
        if held.texts:
            found = [NONE] * len(places)
            for place, texts in held.texts.items():
                found[place] = self._attributes.of(labels[place], texts, places[place])
            rows = rows._replace(attributes=found)
        begin = 0
        for place, shape, where in held.others:
            if place > begin:
                self._intake.rectangles(_part(rows, begin, place), places[begin:place])
                begin = place
            self._intake.shape(shape, where)
        if begin < len(places):
            self._intake.rectangles(_part(rows, begin, len(places)), places[begin:])

    def _shape(self, name: str, given: Given, frame: int, texts: Texts, where: str) -> FoundShape | None:
        try:
            return self._made(name, given, frame, texts, where)
        except (KeyError, ValueError) as fault:
            self._intake.refuse(where, words(fault))
            return None

    def _made(self, name: str, given: Given, frame: int, texts: Texts, where: str) -> FoundShape | None:
        label = self._intake.label(given.get("label", ""), where)
        kind, points_of = SHAPES[name]
        points = points_of(given)
        if label is None:
            return None
        if name in FLATTENED and (points[0] == points[2] or points[1] == points[3]):
            self._intake.ignore(kind.name.lower(), FLAT)
            return None
        return FoundShape(
            frame,
            label.id,
            kind,
            points,
            rotation_of(given),
            is_set(given, "occluded"),
            whole_number(given, "z_order", 0),
            self._attributes.of(label, texts, where) if texts else NONE,
            whole_number(given, "group_id", 0),
            source_of(given),
        )


def mapping_of(said: Sequence[str]) -> Given:
    """Values by name, of both by turns."""
    return dict(zip(said[::2], said[1::2], strict=True))


def _part(rows: ShapeColumns, begin: int, end: int) -> ShapeColumns:
    columns: Iterator[Any] = (column[begin:end] for column in rows)
    return ShapeColumns(*columns)


def _rows(columns: Columns, frames: Sequence[int], labels: Sequence[Label]) -> ShapeColumns:
    """Boxes without their attributes; raises if one is not as boxes should be."""
    count = len(labels)
    return ShapeColumns(
        frames=frames,
        label_ids=[label.id for label in labels],
        kinds=[int(ShapeKind.RECTANGLE)] * count,
        points=_corners(columns),
        rotations=_each(columns, "rotation", rotation_of, count),
        occluded=_each(columns, "occluded", lambda one: is_set(one, "occluded"), count),
        orders=_each(columns, "z_order", lambda one: whole_number(one, "z_order", 0), count),
        attributes=[NONE] * count,
        groups=_each(columns, "group_id", lambda one: whole_number(one, "group_id", 0), count),
        sources=_each(columns, "source", source_of, count),
    )


def _corners(columns: Columns) -> Floats:
    texts = [text for name in _CORNERS for text in columns[name] if text is not None]
    if len(texts) < len(_CORNERS) * len(columns["label"]):
        raise KeyError(_CORNERS)
    numbers = parsed(",".join(texts).encode())
    if numbers is None or len(numbers) != len(texts):
        numbers = np.array(list(map(float, texts)))
    corners = numbers.reshape(4, -1).T
    if (corners[:, :2] == corners[:, 2:]).any():
        raise ValueError(FLAT)
    return corners


def _each(columns: Columns, name: str, read: Callable[[Given], Value], count: int) -> list[Value]:
    """What each element says by this name; what many say is read once."""
    texts = columns.get(name, ())
    known = {text: read({} if text is None else {name: text}) for text in set(texts) or (None,)}
    if len(known) == 1:
        return [*known.values()] * count
    return [known[text] for text in texts]
