"""Reads LabelMe 3.0 in CVAT's layout, in Datumaro's, or as plain files: polygons, boxes and masks.

A frame is found by the folder and the name that its file tells. Objects that are marked as deleted are
ignored.
"""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np
from PIL import Image
from yard.annotations.labels import Label
from yard.annotations.model import ShapeKind
from yard.export.archives.opened import Entry, Opened
from yard.export.formats.labelme_attributes import parsed
from yard.export.formats.png import decoded
from yard.export.intakes.intake import NONE, FoundShape, Intake, Ints
from yard.export.intakes.xml_document import BrokenDocumentError, document, is_xml, said
from yard.export.wording.decimals import finite_or_nan
from yard.export.wording.mask_runs import points_of

ROTATION: Final = "rotation"
# What CVAT and Datumaro add to the attributes of an object; none is one of ours unless the label says so.
_ADDED: Final = ("occluded", "track_id", "keyframe", "z_order", "username")
_EVERY: Final = 100
_CACHED: Final = 1024


def read(opened: Opened, intake: Intake) -> None:
    """Hands over the objects of all files."""
    total = sum(1 for entry in opened.entries() if is_xml(entry.name))
    if not total:
        intake.refuse(opened.name, "holds no XML file")
        return
    reader = _Reader(opened, intake)
    done = 0
    for entry in opened.entries():
        if is_xml(entry.name):
            reader.read(entry)
            done += 1
            if done % _EVERY == 0:
                intake.read(done / total)


class _Reader:
    """Groups of all files are numbered one after the other, so that those of two frames stay apart."""

    def __init__(self, opened: Opened, intake: Intake) -> None:
        self._opened = opened
        self._intake = intake
        self._groups = 0
        self._parsed = lru_cache(maxsize=_CACHED)(lambda text: tuple(parsed(text)))

    def read(self, entry: Entry) -> None:
        """One file."""
        try:
            root = document(self._opened, entry, "annotation")
        except BrokenDocumentError as broken:
            self._intake.refuse(entry.name, str(broken))
            return
        objects = root.findall("object")
        if not objects:
            return
        frame = self._intake.frame_named(self._named(root, entry), entry.name)
        if frame is None:
            return
        groups = self._numbered(objects)
        for number, element in enumerate(objects, 1):
            if element.findtext("deleted", "").strip() == "1":
                self._intake.ignore("object", "it is marked as deleted")
                continue
            group = groups.get(said(element.find("id")), 0) if groups else 0
            self._object(entry, element, frame, group, f"{entry.name}, object {number}")

    def _named(self, root: Element, entry: Entry) -> str:
        """The folder may be one that the tool alone knows."""
        name, folder = said(root.find("filename")), said(root.find("folder"))
        if not name:
            return entry.name[: -len(".xml")]
        whole = f"{folder}/{name}"
        return whole if folder and self._intake.knows_frame(whole) else name

    def _numbered(self, objects: list[Element]) -> dict[str, int]:
        """The group of each id: an object and its parts, and theirs."""
        first_of = {
            said(element.find("id")): of
            for element in objects
            if (of := said(element.find("parts/ispartof")))
        }
        found: dict[str, int] = {}
        for id_ in first_of:
            first = _first(first_of, id_)
            if first not in found:
                self._groups += 1
                found[first] = self._groups
            found[id_] = found[first]
        return found

    def _object(self, entry: Entry, element: Element, frame: int, group: int, where: str) -> None:
        children = {child.tag: child for child in element}
        label = self._intake.label(said(children.get("name")), where)
        found = self._place(entry, children, frame, where)
        if label is None or found is None:
            return
        kind, points = found
        text = said(children.get("attributes"))
        given = self._given(label, text) if text else {}
        turned = 0.0
        if kind is ShapeKind.RECTANGLE and ROTATION in given and not _declares(label, ROTATION):
            turned = self._number(str(given.pop(ROTATION)), ROTATION, where) or 0.0
        shape = FoundShape(
            frame,
            label.id,
            kind,
            points,
            turned % 360,
            said(children.get("occluded")) == "yes",
            0,
            self._intake.attributes(label, given, where) if given else NONE,
            group,
        )
        self._intake.shape(shape, where)

    def _given(self, label: Label, text: str) -> dict[str, object]:
        return {
            name: value for name, value in self._parsed(text) if name not in _ADDED or _declares(label, name)
        }

    def _place(
        self, entry: Entry, children: Mapping[str, Element], frame: int, where: str
    ) -> tuple[ShapeKind, list[float]] | None:
        polygon, segment = children.get("polygon"), children.get("segm")
        if polygon is not None:
            return self._polygon(polygon, said(children.get("type")), where)
        if segment is not None:
            points = self._mask(entry, said(segment.find("mask")), frame, where)
            return None if points is None else (ShapeKind.MASK, points)
        self._intake.refuse(where, "has neither a polygon nor a mask")
        return None

    def _polygon(self, polygon: Element, kind: str, where: str) -> tuple[ShapeKind, list[float]] | None:
        texts = [value.text for point in polygon if point.tag == "pt" for value in point]
        points = list(map(finite_or_nan, texts))
        if len(points) % 2 or not all(map(math.isfinite, points)):
            wrong = next((text for text in texts if not math.isfinite(finite_or_nan(text))), "")
            self._intake.refuse(where, f"its points are no pairs of numbers: {str(wrong)[:40]!r}")
            return None
        if kind == "bounding_box" and points:
            xs, ys = points[0::2], points[1::2]
            return ShapeKind.RECTANGLE, [min(xs), min(ys), max(xs), max(ys)]
        return ShapeKind.POLYGON, points

    def _mask(self, entry: Entry, name: str, frame: int, where: str) -> list[float] | None:
        found = next(filter(None, map(self._opened.find, _mask_places(entry.name, name))), None)
        if found is None:
            self._intake.refuse(where, f"its mask {name[:120]!r} is not in the archive")
            return None
        pixels = decoded(self._opened, self._intake, found, frame, _set_pixels)
        if pixels is None:
            return None
        if not len(pixels):
            self._intake.ignore("mask", "it has no pixels")
            return None
        width, _ = self._intake.frame_size(frame)
        return [float(number) for number in points_of(pixels, width)]

    def _number(self, given: str, name: str, where: str) -> float | None:
        number = finite_or_nan(given)
        if math.isfinite(number):
            return number
        self._intake.refuse(where, f"{name} is {given[:40]!r}, a number is needed")
        return None


def _set_pixels(image: Image.Image) -> Ints:
    places: Ints = np.flatnonzero(np.asarray(image.convert("L")))
    return places


def _first(first_of: Mapping[str, str], id_: str) -> str:
    """The object that is no part, or the least of those that are parts of one another."""
    seen = [id_]
    while (of := first_of.get(seen[-1])) and of not in seen:
        seen.append(of)
    return seen[-1] if of is None else min(seen)


def _declares(label: Label, name: str) -> bool:
    return any(attribute.name == name for attribute in label.attributes)


def _mask_places(document_name: str, mask: str) -> Iterator[str]:
    """Where tools put the mask of a document: a folder `Masks` at any level of the document's own."""
    folders = document_name.split("/")[:-1]
    for place in range(len(folders), -1, -1):
        yield "/".join([*folders[:place], "Masks", *folders[place:], mask])
    if folders and folders[0] == "Annotations":
        # The name may have the folders of the image, of which the document lies in the same.
        for place in range(len(folders), 0, -1):
            yield "/".join(["Masks", *folders[1:place], mask])
