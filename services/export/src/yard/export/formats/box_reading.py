"""Boxes from formats that know nothing else, on their way to the intake, many at a time.

What reaches over the edge of its frame is cut there, where boxes tell what is seen; what has nothing inside
is ignored. Both are counted.
"""

import re
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from yard.annotations.labels import Label
from yard.annotations.model import ShapeKind
from yard.annotations.validation import TOLERANCE_PX
from yard.export.archives.opened import Entry, Opened
from yard.export.archives.refusals import refused
from yard.export.intakes.intake import Floats, Intake, Ints

RECTANGLE = "rectangle"
CUT, OUTSIDE, NO_AREA = (
    "reached over the edge of its frame and was cut there",
    "lies outside its frame",
    "has no width or no height",
)
_LONGEST_LIST = 1 << 20
_ENDS_OF_LINES = re.compile("\r\n|\n|\r")


def inside(
    intake: Intake, corners: Floats, sizes: Floats, *, may_stick_out: bool = False
) -> NDArray[np.bool_]:
    """Cuts corners (n, 4) in place to frames of the sizes (n, 2); tells which rows are left with an area.

    Where they may stick out, by the size of the frame on each side as all objects may, only those are cut
    that are further out.
    """
    has_area = (corners[:, 0] < corners[:, 2]) & (corners[:, 1] < corners[:, 3])
    limits = np.hstack([sizes, sizes])
    slack = limits if may_stick_out else np.full_like(limits, TOLERANCE_PX)
    beyond = np.any((corners < -slack) | (corners > limits + slack), axis=1, keepdims=True)
    np.clip(corners, 0.0, limits, out=corners, where=beyond if may_stick_out else np.True_)
    beyond = beyond.reshape(-1)
    is_left = (corners[:, 0] < corners[:, 2]) & (corners[:, 1] < corners[:, 3])
    for rows, reason in ((~has_area, NO_AREA), (has_area & ~is_left, OUTSIDE), (beyond & is_left, CUT)):
        if count := int(rows.sum()):
            intake.ignore(RECTANGLE, reason, count)
    return is_left


def sizes_of(intake: Intake, frames: Ints) -> Floats:
    """Width and height (n, 2) of the frames of rows."""
    places, of_rows = np.unique(frames, return_inverse=True)
    sizes = np.array([intake.frame_size(frame) for frame in places.tolist()], np.float64).reshape(-1, 2)
    return sizes[of_rows.reshape(-1)]


def hand_over(
    intake: Intake,
    frames: Ints,
    label_ids: Ints,
    corners: Floats,
    where: str,
    *,
    may_stick_out: bool = False,
) -> None:
    """Gives single boxes with good numbers to the intake, cut as `inside` does; none with a label of 0."""
    is_left = inside(intake, corners, sizes_of(intake, frames), may_stick_out=may_stick_out) & (label_ids > 0)
    if not is_left.all():
        frames, label_ids, corners = frames[is_left], label_ids[is_left], corners[is_left]
    if len(frames):
        intake.boxes(frames, label_ids, corners, where)


class Classes:
    """The labels behind the numbers of a file."""

    def __init__(self, intake: Intake, names: list[str], where: str) -> None:
        self._intake = intake
        self._names = names
        self._where = where
        self._found: dict[int, Label | None] = {}
        self._known = {label.name for label in intake.labels.labels}

    @classmethod
    def listed(cls, intake: Intake, opened: Opened, entry: Entry) -> "Classes":
        """From a file with a name a line."""
        return cls(intake, lines_of(opened, entry), entry.name)

    @property
    def count(self) -> int:
        """How many numbers there are, from 0."""
        return len(self._names)

    def label(self, number: int) -> Label | None:
        """The label of a number below `count`; refuses, once, if the task has none that takes boxes."""
        if number not in self._found:
            name = self._names[number]
            place = f"{self._where}:{number + 1}"
            label = self._intake.label(name if name in self._known else name.strip(), place)
            if label is not None and not label.kind.takes_shape(ShapeKind.RECTANGLE):
                self._intake.refuse(place, f"label {label.name!r} is not for rectangles")
            self._found[number] = label
        return self._found[number]

    def label_ids(self, numbers: Ints) -> Ints:
        """Ids of labels; 0 where there is none."""
        ids = np.zeros(self.count, np.int64)
        for number in np.unique(numbers).tolist():
            label = self.label(number)
            ids[number] = label.id if label is not None else 0
        return ids[numbers]


def lines_of(opened: Opened, entry: Entry) -> list[str]:
    """The lines of a small text; without blank ones at its end."""
    lines = _ENDS_OF_LINES.split(text_of(opened, entry))
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def text_of(opened: Opened, entry: Entry) -> str:
    """The whole of a small text."""
    with opened.open(entry) as file:
        content = bounded(file, entry.name, _LONGEST_LIST)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise refused(entry.name, "is not UTF-8") from fault


def bounded(file: BinaryIO, name: str, most: int) -> bytes:
    """The content of a file that must not be long."""
    content = file.read(most + 1)
    if len(content) > most:
        raise refused(name, f"has more than {most} bytes")
    return content
