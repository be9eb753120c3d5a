"""Reads PASCAL VOC 1.1: archives of its layout, folders of XML files, or one such file; masks as well.

A frame is found by `filename`, or by the file's own place below `Annotations/` if that has folders. Numbers
are pixels from 0, as exports write them.
"""

import math
import re
from collections.abc import Mapping
from typing import Final

from yard.annotations.labels import Label
from yard.annotations.model import ShapeKind
from yard.export.formats.intake import FoundShape, FoundTag, Intake
from yard.export.formats.masks_reading import CLASSES, read_masks
from yard.export.formats.opened import Entry, Opened
from yard.export.formats.voc_labelmap import label_written_as, plain
from yard.export.formats.voc_objects import DIFFICULT, KEYFRAME, ROTATION, TRACK, TRUNCATED
from yard.export.formats.xml_events import BrokenXmlError
from yard.export.formats.xml_records import Node, read_records

_PLACE: Final = re.compile(r"(?:.*/)?Annotations/(.+)\.xml", re.IGNORECASE)
_LIST: Final = re.compile(r"(?:.*/)?ImageSets/Main/([^/]+)\.txt", re.IGNORECASE)
_CORNERS: Final = ("xmin", "ymin", "xmax", "ymax")
_LONGEST_LINE: Final = 8192
_FLAGS: Final = (TRUNCATED, DIFFICULT)
_EVERY: Final = 100


def read(opened: Opened, intake: Intake) -> None:
    """Hands over boxes, tags and masks."""
    total = sum(1 for entry in opened.entries() if _is_xml(entry.name))
    labels = {label.name: label for label in intake.labels.labels}
    done = 0
    for entry in opened.entries():
        if _is_xml(entry.name):
            _Document(opened, intake, entry, labels).read()
            done += 1
            if done % _EVERY == 0:
                intake.read(done / total)
        elif match := _LIST.fullmatch(entry.name):
            _read_list(opened, intake, entry, match[1])
    masks = 0
    if any(CLASSES in entry.name for entry in opened.entries()):
        masks = read_masks(opened, intake)
    if not total and not masks:
        intake.refuse(opened.name, "holds no XML file and no masks")


def _is_xml(name: str) -> bool:
    base = name.rpartition("/")[2]
    return base.lower().endswith(".xml") and not base.startswith("._") and "__MACOSX/" not in name


class _Document:
    """One XML file; its frame is known once an object comes."""

    def __init__(self, opened: Opened, intake: Intake, entry: Entry, labels: Mapping[str, Label]) -> None:
        self._opened = opened
        self._intake = intake
        self._entry = entry
        self._file_name = ""
        self._frame: int | None = None
        self._is_found = False
        self._labels = labels

    def read(self) -> None:
        """Hands over its objects."""
        try:
            read_records(self._opened, self._entry, "annotation", self._take)
        except BrokenXmlError as broken:
            self._intake.refuse(f"{self._entry.name}:{broken.line}", broken.reason)

    def _take(self, node: Node) -> None:
        if node.name == "filename":
            self._file_name = node.text.strip()
        elif node.name == "object":
            frame = self._found()
            if frame is not None:
                self._object(node, frame)

    def _found(self) -> int | None:
        if not self._is_found:
            self._is_found = True
            match = _PLACE.fullmatch(self._entry.name)
            item = match[1] if match else self._entry.name[: -len(".xml")]
            name = item if "/" in item and match else self._file_name or item
            self._frame = self._intake.frame_named(name, self._entry.name)
        return self._frame

    def _object(self, node: Node, frame: int) -> None:
        where = f"{self._entry.name}:{node.line}"
        label = self._label(node.value("name"), where)
        corners = self._corners(node, where)
        if label is None or corners is None:
            return
        for _ in node.all("part"):
            self._intake.ignore("part", "objects have no parts")
        given = _attributes(node)
        turned = self._number(str(given.pop(ROTATION, "0")), ROTATION, where)
        attributes = self._intake.attributes(label, given | _flags(node, label), where)
        shape = FoundShape(
            frame,
            label.id,
            ShapeKind.RECTANGLE,
            corners,
            (turned or 0.0) % 360,
            node.value("occluded") == "1",
            0,
            attributes,
        )
        self._intake.shape(shape, where)

    def _label(self, name: str, where: str) -> Label | None:
        known = self._labels.get(name)
        return known or label_written_as(self._intake, name, where)

    def _corners(self, node: Node, where: str) -> list[float] | None:
        box = node.child("bndbox")
        if box is None:
            self._intake.refuse(where, "has no bndbox")
            return None
        numbers = [self._number(box.value(name), name, where) for name in _CORNERS]
        known = [number for number in numbers if number is not None]
        return known if len(known) == len(_CORNERS) else None

    def _number(self, given: str, name: str, where: str) -> float | None:
        try:
            number = float(given)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
        self._intake.refuse(where, f"{name} is {given[:40]!r}, a number is needed")
        return None


def _attributes(node: Node) -> dict[str, object]:
    found = node.child("attributes")
    if found is None:
        return {}
    given: dict[str, object] = {
        one.value("name"): value.text for one in found.all("attribute") if (value := one.child("value"))
    }
    # What an export adds for other readers.
    for name in (TRACK, KEYFRAME):
        given.pop(name, None)
    return given


def _flags(node: Node, label: Label) -> dict[str, object]:
    """Elements of the format that are attributes here; 0 where nothing declares them means nothing."""
    declared = {attribute.name for attribute in label.attributes}
    said = {name: node.value(name) == "1" for name in _FLAGS}
    return {name: is_set for name, is_set in said.items() if is_set or name in declared}


def _read_list(opened: Opened, intake: Intake, entry: Entry, stem: str) -> None:
    """The frames that have a tag, if the list is one of a label; others tell nothing new."""
    label = _label_of(intake, stem)
    if label is None:
        return
    with opened.open(entry) as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            where = f"{entry.name}:{number}"
            item, _, presence = line.decode("utf-8", "replace").strip().rpartition(" ")
            if presence not in ("1", "0", "-1"):
                intake.refuse(where, "is not of the form item and 1, 0 or -1")
                return
            if presence == "1":
                frame = intake.frame_named(item.strip(), where)
                if frame is not None:
                    intake.tag(FoundTag(frame, label.id))


def _label_of(intake: Intake, stem: str) -> Label | None:
    """The label of a list `<label>_<subset>`; the longest name that fits."""
    fitting = [
        label for label in intake.labels.labels if stem.startswith(f"{plain(label.name).replace('/', '_')}_")
    ]
    return max(fitting, key=lambda label: len(label.name), default=None)
