"""Reads YOLO 1.1: what darknet and tools around it write, with a file of labels an image.

The names of classes are where `obj.data` says, else in `obj.names` or `classes.txt`. Files of labels are all
other `.txt`, wherever they lie; each belongs to the frame of its name, whose size makes pixels of shares.
"""

import re
from itertools import chain
from typing import NamedTuple

import numpy as np
from yard.export.archives.opened import Entry, Opened
from yard.export.archives.refusals import refused
from yard.export.formats.box_reading import Classes, bounded, hand_over, text_of
from yard.export.intakes.intake import Floats, Intake

_NAMES = ("obj.names", "classes.txt", "classes.names", "data.names", "_darknet.labels")
_ALWAYS_BESIDE = re.compile(r"(?:.*/)?(?:readme[^/]*|classes)\.txt", re.IGNORECASE)
_OWN_FOLDER = re.compile(r"(?:.*/)?(?:obj_[^/]+_data|labels)/(.+)")
_LARGEST = 16 << 20
_FIELDS = 5
# Shares are 0 to 1: what is far from that are pixels, or no numbers.
_LARGEST_SHARE = 2.0
_BATCH = 8192
# Those of the file.
_FIELD_DECIMALS = 6


class _File(NamedTuple):
    name: str
    frame: int
    rows: int
    lines: list[int] | None
    """Numbers of the lines of its rows, None: all, from 1."""


def read(opened: Opened, intake: Intake) -> None:
    """Hands over the boxes of all files of labels."""
    names, beside = _head(opened)
    rows = _Rows(intake, Classes.listed(intake, opened, names))
    total = sum(entry.size for entry in opened.entries() if _is_labels(entry.name, beside)) or 1
    done = 0
    for entry in opened.entries():
        if _is_labels(entry.name, beside):
            done += entry.size
            rows.read(opened, entry)
            if rows.are_many:
                rows.flush()
                intake.read(done / total)
    rows.flush()


def _is_labels(name: str, beside: set[str]) -> bool:
    return name.endswith(".txt") and name not in beside and not _ALWAYS_BESIDE.fullmatch(name)


def _head(opened: Opened) -> tuple[Entry, set[str]]:
    """The file with the names of classes, and the names of files that are no labels."""
    data = opened.find("obj.data")
    named = None
    lists = []
    if data is not None:
        for line in text_of(opened, data).splitlines():
            key, sign, value = (part.strip() for part in line.partition("="))
            if sign and key == "names":
                named = _tail(opened, value)
                if named is None:
                    raise refused(data.name, f"the file of names {value[:200]!r} is not in the archive")
            elif sign and key not in ("classes", "backup"):
                lists.append(_tail(opened, value))
    for name in _NAMES:
        named = named or opened.find(name) or opened.find(f"data/{name}")
    if named is None:
        raise refused(opened.name, f"has no list of class names ({', '.join(_NAMES)})")
    return named, {named.name, *(entry.name for entry in lists if entry is not None)}


def _tail(opened: Opened, path: str) -> Entry | None:
    """The file at a path of the machine that wrote it: outer folders are often not in the archive."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    candidates = (opened.find("/".join(parts[place:])) for place in range(min(len(parts), 32)))
    return next((entry for entry in candidates if entry is not None), None)


class _Rows:
    """Numbers of many files, checked together."""

    def __init__(self, intake: Intake, classes: Classes) -> None:
        self._intake = intake
        self._classes = classes
        self._seen = bytearray(intake.size)
        self._files: list[_File] = []
        self._numbers: list[float] = []

    @property
    def are_many(self) -> bool:
        return len(self._numbers) >= _BATCH * _FIELDS or len(self._files) >= _BATCH

    def read(self, opened: Opened, entry: Entry) -> None:
        """Takes the rows of one file of labels."""
        with opened.open(entry) as file:
            content = bounded(file, entry.name, _LARGEST)
        name = entry.name[: -len(".txt")]
        own = _OWN_FOLDER.fullmatch(name)
        frame = self._intake.frame_named(own[1] if own else name, entry.name)
        if frame is None:
            return
        place = frame - self._intake.first
        if self._seen[place]:
            self._intake.refuse(entry.name, "another file has the objects of the same frame")
        self._seen[place] = 1
        self._take(entry.name, frame, content)

    def _take(self, name: str, frame: int, content: bytes) -> None:
        rows = [line.split() for line in content.split(b"\n")]
        if not rows[-1]:
            rows.pop()
        lines = None
        if any(len(row) != _FIELDS for row in rows):
            lines = [number for number, row in enumerate(rows, 1) if row]
            rows = [row for row in rows if row]
            for number, row in zip(lines, rows, strict=True):
                if len(row) != _FIELDS:
                    self._intake.refuse(f"{name}:{number}", f"has {len(row)} fields, {_FIELDS} are needed")
                    return
        try:
            numbers = list(map(float, chain.from_iterable(rows)))
        except ValueError as fault:
            self._intake.refuse(name, f"holds what is no number: {fault}")
            return
        if b"_" in content:
            self._intake.refuse(name, "holds numbers with underscores")
            return
        self._numbers += numbers
        self._files.append(_File(name, frame, len(rows), lines))

    def flush(self) -> None:
        """Checks what was read and hands it over."""
        files, self._files = self._files, []
        table: Floats = np.array(self._numbers, np.float64).reshape(-1, _FIELDS)
        self._numbers = []
        if not len(table):
            return
        owners = np.repeat(np.arange(len(files)), [file.rows for file in files])
        if not self._are_sound(table, owners, files):
            return
        sizes = np.array([self._intake.frame_size(file.frame) for file in files], np.float64)[owners]
        frames = np.array([file.frame for file in files], np.int64)[owners]
        label_ids = self._classes.label_ids(table[:, 0].astype(np.int64))
        centres: Floats = table[:, 1:3] * sizes
        halves: Floats = table[:, 3:5] * sizes / 2
        corners: Floats = np.hstack([centres - halves, centres + halves]).round(_FIELD_DECIMALS)
        hand_over(self._intake, frames, label_ids, corners, f"{files[0].name} to {files[-1].name}")

    def _are_sound(self, table: Floats, owners: "np.typing.NDArray[np.intp]", files: list[_File]) -> bool:
        """Refuses rows with impossible numbers."""
        numbers = table[:, 0]
        wild = ~np.all(np.abs(table[:, 1:]) <= _LARGEST_SHARE, axis=1)
        unknown = ~wild & ~((numbers >= 0) & (numbers < self._classes.count) & (numbers == np.floor(numbers)))
        negative = ~wild & (table[:, 3:] < 0).any(axis=1)
        starts = np.cumsum([0, *(file.rows for file in files)])
        for row in np.flatnonzero(wild | unknown | negative).tolist():
            file = files[owners[row]]
            place = row - int(starts[owners[row]])
            where = f"{file.name}:{file.lines[place] if file.lines else place + 1}"
            if wild[row]:
                self._intake.refuse(where, "holds numbers that are not shares of 0 to 1")
            elif unknown[row]:
                count = self._classes.count
                self._intake.refuse(where, f"there is no class {numbers[row]:g}, {count} have names")
            else:
                self._intake.refuse(where, "width and height must not be negative")
        return not (wild | unknown | negative).any()
