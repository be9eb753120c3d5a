"""Reads TFRecord 1.0: boxes of tf.train.Examples from one or several files, whatever their order.

Classes are named by their numbers in `label_map.pbtxt`, else by the texts in the records, which some writers
rob of all letters but those of ASCII. Images inside are passed over.
"""

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from yard.annotations.model import ShapeKind
from yard.export.archives.opened import Entry, Opened
from yard.export.archives.refusals import MOST_FAULTS, refused
from yard.export.formats import label_map
from yard.export.formats.box_reading import hand_over, text_of
from yard.export.formats.tfrecord_wire import (
    FLOATS,
    NUMBERS,
    TEXTS,
    WireError,
    floats,
    lists,
    numbers,
    records,
    texts,
)
from yard.export.intakes.intake import Floats, Intake

_RECORDS = re.compile(r".*\.(?:tf)?records?(?:-[0-9]+-of-[0-9]+)?", re.IGNORECASE)
_SIDES = (
    b"image/object/bbox/xmin",
    b"image/object/bbox/ymin",
    b"image/object/bbox/xmax",
    b"image/object/bbox/ymax",
)
_NAME = b"image/filename"
_NUMBERS, _TEXTS, _MASKS = b"image/object/class/label", b"image/object/class/text", b"image/object/mask"
_WANTED = frozenset({*_SIDES, _NAME, _NUMBERS, _TEXTS, _MASKS})
_KINDS = {**dict.fromkeys(_SIDES, FLOATS), _NUMBERS: NUMBERS, _NAME: TEXTS, _TEXTS: TEXTS, _MASKS: TEXTS}
_MOST_BOXES = 100_000
_BATCH = 8192
# Shares have some 7 digits: more decimals of a pixel are noise.
_DECIMALS = 3
# Shares are 0 to 1: what is far from that are pixels, or no numbers.
_LARGEST_SHARE = 2.0


class _Record(NamedTuple):
    where: str
    frame: int
    boxes: int


def read(opened: Opened, intake: Intake) -> None:
    """Hands over the boxes of all files of records."""
    entries = [entry for entry in opened.entries() if _RECORDS.fullmatch(entry.name)]
    if not entries:
        raise refused(opened.name, "has no file .tfrecord")
    found = opened.find("label_map.pbtxt")
    names = label_map.parsed(text_of(opened, found), found.name) if found is not None else None
    reader = _Reader(intake, names)
    total, done = sum(entry.size for entry in entries) or 1, 0
    for entry in entries:
        done = _read_file(opened, entry, reader, done, total)
    reader.flush()


def _read_file(opened: Opened, entry: Entry, reader: "_Reader", done: int, total: int) -> int:
    with opened.open(entry) as file:
        for number, record in enumerate(records(file, entry.name), 1):
            done += len(record)
            reader.read(record, f"{entry.name}, record {number}")
            if reader.are_many:
                reader.flush()
                reader.intake.read(min(1.0, done / total))
    return done


def _checked(found: dict[bytes, tuple[int, int, int]]) -> dict[bytes, tuple[int, int]]:
    """Places of the lists, all of which are of the right type."""
    for key, (kind, begin, end) in found.items():
        if begin < end and kind != _KINDS[key]:
            raise WireError(f"{key.decode()} is a list of another type")
    return {key: (begin, end) for key, (_, begin, end) in found.items()}


class _Reader:
    """Boxes of many records, checked together."""

    def __init__(self, intake: Intake, names: dict[int, str] | None) -> None:
        self.intake = intake
        self._names = names
        self._seen = bytearray(intake.size)
        self._label_ids: dict[str, int] = {}
        self._records: list[_Record] = []
        self._sides: list[list[bytes]] = [[], [], [], []]
        self._labels: list[int] = []

    @property
    def are_many(self) -> bool:
        return len(self._labels) >= _BATCH or len(self._records) >= _BATCH

    def read(self, record: bytes, where: str) -> None:
        """Takes the boxes of one record."""
        try:
            found = lists(record, _WANTED)
            self._take(record, _checked(found), where)
        except WireError as fault:
            self.intake.refuse(where, str(fault))

    def _take(self, record: bytes, found: dict[bytes, tuple[int, int]], where: str) -> None:
        name = texts(record, *found.get(_NAME, (0, 0)), 1)
        if not name or not name[0]:
            self.intake.refuse(where, f"has no {_NAME.decode()}")
            return
        frame = self.intake.frame_named(name[0].decode(errors="replace"), where)
        if frame is None:
            return
        if self._seen[frame - self.intake.first]:
            self.intake.refuse(where, "another record has the objects of the same frame")
            return
        self._seen[frame - self.intake.first] = 1
        sides = [floats(record, *found.get(key, (0, 0)), _MOST_BOXES) for key in _SIDES]
        count = len(sides[0]) // 4
        if any(len(side) != len(sides[0]) for side in sides):
            counts = ", ".join(str(len(side) // 4) for side in sides)
            self.intake.refuse(where, f"has {counts} numbers for the sides of boxes")
            return
        labels = self._labels_of(record, found, where)
        if len(labels) != count:
            self.intake.refuse(where, f"has {count} boxes and {len(labels)} labels")
            return
        if masks := len(texts(record, *found.get(_MASKS, (0, 0)), _MOST_BOXES)):
            self.intake.ignore("mask", "masks of boxes are not read", masks)
        self._records.append(_Record(where, frame, count))
        self._labels += labels
        for held, side in zip(self._sides, sides, strict=True):
            held.append(side)

    def _labels_of(self, record: bytes, found: dict[bytes, tuple[int, int]], where: str) -> list[int]:
        """Ids of labels; 0 for what was refused."""
        if self._names is not None and _NUMBERS in found:
            ids = self._by_number(numbers(record, *found[_NUMBERS], _MOST_BOXES), where)
            if ids or _TEXTS not in found:
                return ids
        given = texts(record, *found.get(_TEXTS, (0, 0)), _MOST_BOXES)
        return [self._label_id(text.decode(errors="replace"), where) for text in given]

    def _by_number(self, given: list[int], where: str) -> list[int]:
        assert self._names is not None
        ids = []
        for number in given:
            name = self._names.get(number)
            if name is None:
                raise WireError(f"the label map has no id {number}")
            ids.append(self._label_id(name, where))
        return ids

    def _label_id(self, name: str, where: str) -> int:
        found = self._label_ids.get(name)
        if found is None:
            label = self.intake.label(name, where)
            if label is not None and not label.kind.takes_shape(ShapeKind.RECTANGLE):
                self.intake.refuse(where, f"label {name!r} is not for rectangles")
            found = label.id if label is not None else 0
            if len(self._label_ids) < _MOST_BOXES:
                self._label_ids[name] = found
        return found

    def flush(self) -> None:
        """Checks what was read and hands it over."""
        taken, self._records = self._records, []
        sides = [np.frombuffer(b"".join(held), "<f4") for held in self._sides]
        label_ids = np.array(self._labels, np.int64)
        self._sides, self._labels = [[], [], [], []], []
        if not len(label_ids):
            return
        corners: Floats = np.stack(sides, axis=1).astype(np.float64)
        owners = np.repeat(np.arange(len(taken)), [record.boxes for record in taken])
        if not self._are_sound(corners, owners, taken):
            return
        frames = np.array([record.frame for record in taken], np.int64)
        sizes = np.array([self.intake.frame_size(record.frame) for record in taken], np.float64)[owners]
        corners = (corners * np.hstack([sizes, sizes])).round(_DECIMALS)
        hand_over(self.intake, frames[owners], label_ids, corners, f"{taken[0].where} to {taken[-1].where}")

    def _are_sound(self, corners: Floats, owners: NDArray[np.intp], taken: list[_Record]) -> bool:
        wild = ~np.all(np.abs(corners) <= _LARGEST_SHARE, axis=1)
        negative = ~wild & np.any(corners[:, :2] > corners[:, 2:], axis=1)
        for row in np.flatnonzero(wild | negative)[:MOST_FAULTS].tolist():
            reason = "has sides that are not shares of 0 to 1" if wild[row] else "has a negative size"
            self.intake.refuse(taken[owners[row]].where, f"a box {reason}")
        return not (wild | negative).any()
