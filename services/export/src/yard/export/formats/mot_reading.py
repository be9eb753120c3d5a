"""Reads MOT 1.1: rows of 7 to 10 columns in any order, of tracks and, if negative, of single boxes.

Every row of a track is a keyframe; where it has no row it is outside. Rows may lack the class (7 columns,
or -1): then there must be one label only. `seqinfo.ini`, detections and images are passed over.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelSchema
from yard.annotations.model import Keyframe, ShapeKind
from yard.export.archives.opened import Entry, Opened
from yard.export.archives.refusals import MOST_FAULTS, refused
from yard.export.formats.box_reading import Classes, hand_over, inside, sizes_of
from yard.export.formats.mot_rows import FEWEST, ROW, Rows, Sorter, tables
from yard.export.intakes.intake import NONE, Floats, FoundShape, FoundTrack, Intake, Ints

IGNORED, VISIBILITY = "ignored", "visibility"
_ROWS_FILE = re.compile(r"(?:.*/)?gt/gt\.txt")
_LARGEST = 1e9
_CACHED = 4096
_DECIMALS = 6
# Class -1, counted from 0.
_NO_CLASS = -2
Points = tuple[float, ...]


def is_column(attribute: Attribute) -> bool:
    """Whether rows have a column for it: a checkbox `ignored`, a number `visibility` of 0 to 1."""
    if attribute.name == IGNORED:
        return attribute.is_boolean
    is_number = attribute.name == VISIBILITY and attribute.input is AttributeInput.NUMBER
    return is_number and float(attribute.values[0]) >= 0 and float(attribute.values[1]) <= 1


def read(opened: Opened, intake: Intake) -> None:
    """Hands over all boxes and tracks."""
    entry = _rows_file(opened)
    listed = opened.find(entry.name[: -len("gt.txt")] + "labels.txt")
    if listed is not None:
        classes = Classes.listed(intake, opened, listed)
    else:
        classes = Classes(intake, [label.name for label in intake.labels.labels], "the labels of the task")
    done = 0
    with Sorter(entry.name, intake.size) as sorter, opened.open(entry) as file:
        reader = _Reader(intake, classes, entry.name)
        for line, table in tables(file, entry.name):
            rows = reader.rows(line, table)
            is_track = rows["track"] >= 0
            sorter.add(rows[is_track])
            reader.single(rows[~is_track])
            done += table.size * 5
            intake.read(min(0.7, 0.7 * done / max(1, entry.size)))
        for track in sorter.tracks():
            reader.track(track)


def _rows_file(opened: Opened) -> Entry:
    found = opened.find("gt/gt.txt")
    if found is not None:
        return found
    several = [entry for entry in opened.entries() if _ROWS_FILE.fullmatch(entry.name)][:2]
    if len(several) > 1:
        names = " and ".join(entry.name[:80] for entry in several)
        raise refused(opened.name, f"holds several sequences ({names}), a task takes one")
    if not several:
        raise refused(opened.name, "has no gt/gt.txt")
    return several[0]


class _Reader:
    """Makes objects of rows."""

    def __init__(self, intake: Intake, classes: Classes, name: str) -> None:
        self._intake = intake
        self._classes = classes
        self._name = name
        self._columns_of = {label.id: _declared(label) for label in intake.labels.labels}
        self._special = np.array([id_ for id_, names in self._columns_of.items() if names], np.int64)
        self._attributes: dict[tuple[int, bool, float], dict[int, str]] = {}

    def rows(self, line: int, table: Floats) -> Rows:
        """The good rows of a table; refuses the others."""
        finite = np.all(np.abs(table) < _LARGEST, axis=1)
        table = np.where(finite[:, None], table, 1.0)
        numbers = self._numbers(table)
        checks = (
            (~finite, "holds numbers that are not finite or of no sensible size"),
            ((table[:, :2] % 1 != 0).any(axis=1), "frame and track must be whole numbers"),
            (
                (table[:, 0] < 1) | (table[:, 0] > self._intake.size),
                f"there are frames 1 to {self._intake.size} only",
            ),
            ((table[:, 4:6] < 0).any(axis=1), "width and height must not be negative"),
            (numbers == _NO_CLASS, f"names no class, and there are {self._classes.count} labels"),
            (
                (numbers % 1 != 0) | (numbers < 0) | (numbers >= self._classes.count),
                f"there are classes 1 to {self._classes.count} only",
            ),
        )
        good = np.ones(len(table), bool)
        for wrong, reason in checks:
            for row in np.flatnonzero(wrong & good)[:MOST_FAULTS].tolist():
                self._intake.refuse(f"{self._name}:{line + row}", reason)
            good &= ~wrong
        return self._as_rows(line, table, numbers)[good]

    def _numbers(self, table: Floats) -> Floats:
        """Numbers of classes from 0; where rows have none, that of the only label."""
        columns = table.shape[1]
        if columns == FEWEST:
            numbers = np.full(len(table), float(_NO_CLASS))
        else:
            numbers = table[:, 7] - 1
        if self._classes.count == 1:
            numbers[numbers == _NO_CLASS] = 0
        return numbers

    def _as_rows(self, line: int, table: Floats, numbers: Floats) -> Rows:
        rows = np.zeros(len(table), ROW)
        rows["line"] = np.arange(line, line + len(table))
        rows["frame"] = table[:, 0] + (self._intake.first - 1)
        rows["track"] = table[:, 1]
        rows["number"] = numbers
        rows["counts"] = table[:, 6] != 0
        rows["seen"] = np.where(table[:, 8] < 0, 1.0, table[:, 8]) if table.shape[1] > 8 else 1.0
        rows["corners"][:, :2] = table[:, 2:4]
        # Sums of decimals are a hair off.
        rows["corners"][:, 2:] = np.round(table[:, 2:4] + table[:, 4:6], _DECIMALS)
        return rows

    def single(self, rows: Rows) -> None:
        """Hands over boxes without tracks."""
        rows, label_ids = self._labelled(rows)
        plain = (rows["seen"] > 0) & ~np.isin(label_ids, self._special)
        few = rows[plain]
        ids, corners = label_ids[plain], few["corners"]
        hand_over(self._intake, few["frame"], ids, corners, self._name, may_stick_out=True)
        others, label_ids = rows[~plain], label_ids[~plain]
        is_left = self._is_left(others)
        for row, label_id in zip(others[is_left].tolist(), label_ids[is_left].tolist(), strict=True):
            line, frame, _, _, counts, seen, corners = row
            where = f"{self._name}:{line}"
            shape = FoundShape(
                frame,
                label_id,
                ShapeKind.RECTANGLE,
                corners.tolist(),
                occluded=self._is_occluded(label_id, seen),
                attributes=self._values(label_id, counts, seen, where),
            )
            self._intake.shape(shape, where)

    def track(self, rows: Rows) -> None:
        """Hands over a track, whose rows ascend by frame."""
        rows, label_ids = self._labelled(rows)
        if not self._is_track(rows, label_ids):
            return
        rows = rows[self._is_left(rows)]
        if len(rows):
            made = _Track(self._intake.labels, int(label_ids[0]))
            end = self._intake.first + self._intake.size
            frames, points = rows["frame"].tolist(), map(tuple, rows["corners"].tolist())
            states = zip(rows["seen"].tolist(), rows["counts"].tolist(), rows["line"].tolist(), strict=True)
            has_values = bool(self._columns_of[made.label_id])
            for frame, then, corners, (seen, counts, line) in zip(
                frames, [*frames[1:], end], points, states, strict=True
            ):
                where = f"{self._name}:{line}" if has_values else ""
                values = self._values(made.label_id, counts, seen, where) if has_values else NONE
                made.add(frame, corners, occluded=self._is_occluded(made.label_id, seen), values=values)
                if then > frame + 1:
                    made.leave(frame + 1)
            track = FoundTrack(made.label_id, made.keyframes, made.constant)
            self._intake.track(track, f"{self._name}:{rows['line'].min()}")

    def _is_left(self, rows: Rows) -> NDArray[np.bool_]:
        """Which rows have an area; those that are too far out are cut before."""
        sizes = sizes_of(self._intake, rows["frame"])
        return inside(self._intake, rows["corners"], sizes, may_stick_out=True)

    def _is_track(self, rows: Rows, label_ids: Ints) -> bool:
        again = np.flatnonzero(np.diff(rows["frame"]) == 0)[:MOST_FAULTS].tolist()
        for row in again:
            first, second = rows["line"][row], rows["line"][row + 1]
            self._intake.refuse(f"{self._name}:{second}", f"has the track and frame of line {first}")
        other = np.flatnonzero(label_ids != label_ids[:1])[:1].tolist()
        for row in other:
            reason = f"the track has another class on line {rows['line'][0]}"
            self._intake.refuse(f"{self._name}:{rows['line'][row]}", reason)
        return not again and not other

    def _labelled(self, rows: Rows) -> tuple[Rows, Ints]:
        """Rows whose label is known, and its id; counts columns that the label has no attribute for."""
        label_ids = self._classes.label_ids(rows["number"])
        rows, label_ids = rows[label_ids > 0], label_ids[label_ids > 0]
        lost = (
            (IGNORED, ~rows["counts"], "'ignored' is no checkbox of the label"),
            (VISIBILITY, (rows["seen"] > 0) & (rows["seen"] < 1), "'visibility' is no number of the label"),
        )
        for name, given, reason in lost:
            having = [id_ for id_, names in self._columns_of.items() if name in names]
            if count := int((given & ~np.isin(label_ids, having)).sum()):
                self._intake.ignore("attribute", reason, count)
        return rows, label_ids

    def _is_occluded(self, label_id: int, seen: float) -> bool:
        """The share is that of an attribute, where the label has one."""
        return seen <= 0 and VISIBILITY not in self._columns_of[label_id]

    def _values(self, label_id: int, counts: bool, seen: float, where: str) -> dict[int, str]:
        names = self._columns_of[label_id]
        if not names:
            return {}
        key = (label_id, counts, seen)
        found = self._attributes.get(key)
        if found is None:
            label = self._intake.labels.label(label_id)
            assert label is not None
            given = {IGNORED: not counts, VISIBILITY: seen}
            found = self._intake.attributes(label, {name: given[name] for name in names}, where)
            if len(self._attributes) >= _CACHED:
                self._attributes.clear()
            self._attributes[key] = found
        return found


class _Track:
    """Keyframes that name only the attributes that change."""

    def __init__(self, labels: LabelSchema, label_id: int) -> None:
        self.label_id = label_id
        self.keyframes: list[Keyframe] = []
        self.constant: dict[int, str] = {}
        self._schema = labels.attributes(label_id)
        self._current: dict[int, str] = {}

    def add(self, frame: int, points: Points, *, occluded: bool, values: Mapping[int, str]) -> None:
        """The object is there from this frame on."""
        changed = self._changed(values) if values else {}
        self.keyframes.append(
            Keyframe(
                frame=frame,
                kind=ShapeKind.RECTANGLE,
                points=points,
                occluded=occluded,
                attributes=changed,
            )
        )

    def _changed(self, values: Mapping[int, str]) -> dict[int, str]:
        changed: dict[int, str] = {}
        for key, value in values.items():
            if not self._schema[key].mutable:
                self.constant.setdefault(key, value)
            elif self._current.get(key) != value:
                changed[key] = value
        self._current |= changed
        return changed

    def leave(self, frame: int) -> None:
        """The object is outside from this frame on."""
        last = self.keyframes[-1]
        self.keyframes.append(replace(last, frame=frame, outside=True, attributes={}))


def _declared(label: Label) -> tuple[str, ...]:
    """Which of the two columns the label has an attribute for."""
    return tuple(attribute.name for attribute in label.attributes if is_column(attribute))
