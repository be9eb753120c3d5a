"""Reads PASCAL VOC 1.1: archives of its layout, folders of XML files, or one such file; masks as well.

A frame is found by `filename`, or by the file's own place below `Annotations/` if that has folders. Numbers
are pixels from 0, as exports write them.
"""

import math
import re
from collections.abc import Mapping
from typing import Final
from xml.etree.ElementTree import Element

from yard.annotations.labels import Label
from yard.annotations.model import ShapeKind
from yard.export.archives.opened import Entry, Opened
from yard.export.formats.masks_reading import CLASSES, read_masks
from yard.export.formats.voc_labelmap import label_of_list, label_written_as
from yard.export.formats.voc_objects import DIFFICULT, KEYFRAME, ROTATION, TRACK, TRUNCATED, is_flag
from yard.export.intakes.intake import NONE, FoundShape, FoundTag, Intake
from yard.export.intakes.xml_document import BrokenDocumentError, document, is_xml, said
from yard.export.wording.decimals import finite_or_nan

_PLACE: Final = re.compile(r"(?:.*/)?Annotations/(.+)\.xml", re.IGNORECASE)
_LIST: Final = re.compile(r"(?:.*/)?ImageSets/Main/([^/]+)\.txt", re.IGNORECASE)
_CORNERS: Final = ("xmin", "ymin", "xmax", "ymax")
_LONGEST_LINE: Final = 8192
_FLAGS: Final = (TRUNCATED, DIFFICULT)
_EVERY: Final = 100


def read(opened: Opened, intake: Intake) -> None:
    """Hands over boxes, tags and masks."""
    has_any = has_masks = False
    labels = {label.name: label for label in intake.labels.labels}
    for done, entry in enumerate(opened.entries(), 1):
        if is_xml(entry.name):
            has_any = True
            _Document(opened, intake, entry, labels).read()
        elif match := _LIST.fullmatch(entry.name):
            _read_list(opened, intake, entry, match[1])
        has_masks = has_masks or CLASSES in entry.name
        if done % _EVERY == 0:
            intake.read(done / opened.count)
    masks = read_masks(opened, intake) if has_masks else 0
    if not has_any and not masks:
        intake.refuse(opened.name, "holds no XML file and no masks")


class _Document:
    """One XML file; its frame is looked for once an object comes."""

    def __init__(self, opened: Opened, intake: Intake, entry: Entry, labels: Mapping[str, Label]) -> None:
        self._opened = opened
        self._intake = intake
        self._entry = entry
        self._labels = labels

    def read(self) -> None:
        """Hands over its objects."""
        try:
            root = document(self._opened, self._entry, "annotation")
        except BrokenDocumentError as broken:
            self._intake.refuse(self._entry.name, str(broken))
            return
        objects = root.findall("object")
        if not objects:
            return
        frame = self._intake.frame_named(self._named(said(root.find("filename"))), self._entry.name)
        if frame is not None:
            for number, element in enumerate(objects, 1):
                self._object(element, frame, f"{self._entry.name}, object {number}")

    def _named(self, file_name: str) -> str:
        match = _PLACE.fullmatch(self._entry.name)
        item = match[1] if match else self._entry.name[: -len(".xml")]
        return item if match and "/" in item else file_name or item

    def _object(self, element: Element, frame: int, where: str) -> None:
        children = {child.tag: child for child in element}
        name = said(children.get("name"))
        label = self._labels.get(name) or label_written_as(self._intake, name, where)
        corners = self._corners(children.get("bndbox"), where)
        if "part" in children:
            self._intake.ignore("part", "objects have no parts", len(element.findall("part")))
        if label is None or corners is None:
            return
        given = _attributes(children.get("attributes"))
        turned = self._number(str(given.pop(ROTATION, "0")), ROTATION, where) if given else 0.0
        given |= _flags(children, label)
        shape = FoundShape(
            frame,
            label.id,
            ShapeKind.RECTANGLE,
            corners,
            (turned or 0.0) % 360,
            said(children.get("occluded")) == "1",
            0,
            self._intake.attributes(label, given, where) if given else NONE,
        )
        self._intake.shape(shape, where)

    def _corners(self, box: Element | None, where: str) -> list[float] | None:
        if box is None:
            self._intake.refuse(where, "has no bndbox")
            return None
        numbers = [self._number(box.findtext(name, ""), name, where) for name in _CORNERS]
        known = [number for number in numbers if number is not None]
        return known if len(known) == len(_CORNERS) else None

    def _number(self, given: str, name: str, where: str) -> float | None:
        number = finite_or_nan(given)
        if math.isfinite(number):
            return number
        self._intake.refuse(where, f"{name} is {given[:40]!r}, a number is needed")
        return None


def _attributes(element: Element | None) -> dict[str, object]:
    if element is None:
        return {}
    given: dict[str, object] = {
        said(one.find("name")): one.findtext("value", "") for one in element.findall("attribute")
    }
    # What an export adds for other readers.
    for name in (TRACK, KEYFRAME):
        given.pop(name, None)
    return given


def _flags(children: Mapping[str, Element], label: Label) -> dict[str, object]:
    """Elements of the format that are attributes here; 0 where nothing declares them means nothing."""
    found: dict[str, object] = {}
    for name in _FLAGS:
        is_set = said(children.get(name)) == "1"
        declared = next((attribute for attribute in label.attributes if attribute.name == name), None)
        if is_set if declared is None else is_flag(declared):
            found[name] = is_set
    return found


def _read_list(opened: Opened, intake: Intake, entry: Entry, stem: str) -> None:
    """The frames that have a tag, if the list is one of a label; others tell nothing new."""
    label = label_of_list(intake.labels.labels, stem)
    if label is None:
        return
    with opened.open(entry) as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            where = f"{entry.name}:{number}"
            item, _, presence = line.decode("utf-8", "replace").strip().rpartition(" ")
            if presence not in ("1", "0", "-1"):
                if number == 1:
                    # A list of the frames of a subset, whose name begins like that of a label.
                    return
                intake.refuse(where, "is not of the form item and 1, 0 or -1")
                return
            if presence == "1":
                frame = intake.frame_named(item.strip(), where)
                if frame is not None:
                    intake.tag(FoundTag(frame, label.id))
