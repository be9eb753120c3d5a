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
from yard.export.formats.division import Division, Surveyed, key_by
from yard.export.formats.list_survey import survey_classes
from yard.export.intakes.intake import Floats, Intake
from yard.export.wording.decimal_columns import table_of

_NAMES = ("obj.names", "classes.txt", "classes.names", "data.names", "_darknet.labels")
_ALWAYS_BESIDE = re.compile(r"(?:readme.*|classes)\.txt", re.IGNORECASE)
_OWN_FOLDER = re.compile(r"(?:.*/)?(?:obj_[^/]+_data|labels)/")
_LARGEST = 16 << 20
_FIELDS = 5
# Shares are 0 to 1: what is far from that are pixels, or no numbers.
_LARGEST_SHARE = 2.0
_BATCH = 8192
_MANY_BYTES = 1 << 18
# Those of the file.
_FIELD_DECIMALS = 6


class _Taken(NamedTuple):
    """A file as it is."""

    name: str
    frame: int
    content: bytes


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
    for done, entry in enumerate(opened.entries(), 1):
        if _is_labels(entry.name, beside):
            rows.read(opened, entry)
            if rows.are_many:
                rows.flush()
                intake.read(done / opened.count)
    rows.flush()


def _is_labels(name: str, beside: set[str]) -> bool:
    is_text = name.endswith(".txt") and name not in beside
    return is_text and not _ALWAYS_BESIDE.fullmatch(name, name.rfind("/") + 1)


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


def _survey(opened: Opened, surveyed: Surveyed) -> None:
    survey_classes(opened, surveyed, _head(opened)[0])


DIVISION = Division(
    survey=_survey, key_of=key_by(r"(?:.*/)?(?:obj_([^/]+)_data/.+|(?:images|labels)/([^/]+)/.+)")
)


class _Rows:
    """Numbers of many files, checked together."""

    def __init__(self, intake: Intake, classes: Classes) -> None:
        self._intake = intake
        self._classes = classes
        self._seen = bytearray(intake.size)
        self._taken: list[_Taken] = []
        self._bytes = 0
        # The folder of the file before, and how much of it is no part of the names of frames.
        self._folder, self._above = "", 0

    @property
    def are_many(self) -> bool:
        return self._bytes >= _MANY_BYTES or len(self._taken) >= _BATCH

    def read(self, opened: Opened, entry: Entry) -> None:
        """Takes the rows of one file of labels."""
        with opened.open(entry) as file:
            content = bounded(file, entry.name, _LARGEST)
        folder = entry.name[: entry.name.rfind("/") + 1]
        if folder != self._folder:
            own = _OWN_FOLDER.match(folder)
            self._folder, self._above = folder, own.end() if own else 0
        frame = self._intake.frame_named(entry.name[self._above : -len(".txt")], entry.name)
        if frame is None:
            return
        place = frame - self._intake.first
        if self._seen[place]:
            self._intake.refuse(entry.name, "another file has the objects of the same frame")
        self._seen[place] = 1
        self._taken.append(_Taken(entry.name, frame, content))
        self._bytes += len(content)

    def flush(self) -> None:
        """Checks what was read and hands it over."""
        taken, self._taken, self._bytes = self._taken, [], 0
        found = _plain(taken)
        if found is None:
            found = _by_line(self._intake, taken)
        files, table = found
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


def _plain(taken: list[_Taken]) -> tuple[list[_File], Floats] | None:
    """The rows of files that are plainly written, all at once; None if any is not."""
    whole = b"".join(file.content for file in taken)
    if b"," in whole or not all(file.content.endswith(b"\n") for file in taken if file.content):
        return None
    table = table_of(whole.replace(b" ", b",")) if whole else None
    if table is None or table.shape[1] != _FIELDS:
        return None
    return [_File(file.name, file.frame, file.content.count(b"\n"), None) for file in taken], table


def _by_line(intake: Intake, taken: list[_Taken]) -> tuple[list[_File], Floats]:
    """The rows of files, each line looked at; files with malformed lines are refused and left out."""
    files: list[_File] = []
    numbers: list[float] = []
    for file in taken:
        rows = [line.split() for line in file.content.split(b"\n")]
        lines = [number for number, row in enumerate(rows, 1) if row]
        rows = [row for row in rows if row]
        found = _numbers(intake, file, rows, lines)
        if found is not None:
            numbers += found
            files.append(_File(file.name, file.frame, len(rows), lines))
    return files, np.array(numbers, np.float64).reshape(-1, _FIELDS)


def _numbers(intake: Intake, file: _Taken, rows: list[list[bytes]], lines: list[int]) -> list[float] | None:
    for number, row in zip(lines, rows, strict=True):
        if len(row) != _FIELDS:
            intake.refuse(f"{file.name}:{number}", f"has {len(row)} fields, {_FIELDS} are needed")
            return None
    try:
        found = list(map(float, chain.from_iterable(rows)))
    except ValueError as fault:
        intake.refuse(file.name, f"holds what is no number: {fault}")
        return None
    if b"_" in file.content:
        intake.refuse(file.name, "holds numbers with underscores")
        return None
    return found
