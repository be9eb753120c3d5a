"""Reads LabelMe 3.0 in CVAT's layout, in Datumaro's, or as plain files: polygons, boxes and masks.

A frame is found by the folder and the name that its file tells. Objects that are marked as deleted are
ignored.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image
from yard.annotations.labels import Label
from yard.annotations.model import ShapeKind
from yard.export.archives.opened import Entry, Opened
from yard.export.formats.labelme_attributes import parsed
from yard.export.formats.labelme_plain import Said, SaidDocument, plainly_said
from yard.export.formats.labelme_tree import said_by_tree
from yard.export.formats.png import decoded
from yard.export.intakes.intake import NONE, FoundShape, Intake, Ints
from yard.export.intakes.xml_document import BrokenDocumentError, content_of, is_xml
from yard.export.intakes.xml_document import parsed as xml_parsed
from yard.export.wording.decimals import all_finite, finite_or_nan
from yard.export.wording.mask_runs import points_of

ROTATION: Final = "rotation"
# What CVAT and Datumaro add to the attributes of an object; none is one of ours unless the label says so.
_ADDED: Final = ("occluded", "track_id", "keyframe", "z_order", "username")
_EVERY: Final = 100
_CACHED: Final = 1024


def read(opened: Opened, intake: Intake) -> None:
    """Hands over the objects of all files."""
    reader = _Reader(opened, intake)
    has_any = False
    for done, entry in enumerate(opened.entries(), 1):
        if is_xml(entry.name):
            has_any = True
            reader.read(entry)
        if done % _EVERY == 0:
            intake.read(done / opened.count)
    if not has_any:
        intake.refuse(opened.name, "holds no XML file")


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
            content = content_of(self._opened, entry)
            found = plainly_said(content) or said_by_tree(xml_parsed(content, "annotation"))
        except BrokenDocumentError as broken:
            self._intake.refuse(entry.name, str(broken))
            return
        if not found.objects:
            return
        frame = self._intake.frame_named(self._named(found, entry), entry.name)
        if frame is None:
            return
        groups = self._numbered(found.objects)
        for number, said in enumerate(found.objects, 1):
            if said.is_deleted:
                self._intake.ignore("object", "it is marked as deleted")
                continue
            group = groups.get(said.id, 0) if groups else 0
            self._object(entry, said, frame, group, f"{entry.name}, object {number}")

    def _named(self, found: SaidDocument, entry: Entry) -> str:
        """The folder may be one that the tool alone knows."""
        if not found.filename:
            return entry.name[: -len(".xml")]
        whole = f"{found.folder}/{found.filename}"
        return whole if found.folder and self._intake.knows_frame(whole) else found.filename

    def _numbered(self, objects: Sequence[Said]) -> dict[str, int]:
        """The group of each id: an object and its parts, and theirs."""
        first_of = {said.id: said.part_of for said in objects if said.part_of}
        found: dict[str, int] = {}
        for id_ in first_of:
            first = _first(first_of, id_)
            if first not in found:
                self._groups += 1
                found[first] = self._groups
            found[id_] = found[first]
        return found

    def _object(self, entry: Entry, said: Said, frame: int, group: int, where: str) -> None:
        label = self._intake.label(said.name, where)
        found = self._place(entry, said, frame, where)
        if label is None or found is None:
            return
        kind, points = found
        given = self._given(label, said.attributes) if said.attributes else {}
        turned = 0.0
        if kind is ShapeKind.RECTANGLE and ROTATION in given:
            turned = self._number(str(given.pop(ROTATION)), ROTATION, where) or 0.0
        shape = FoundShape(
            frame,
            label.id,
            kind,
            points,
            turned % 360,
            said.is_occluded,
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
        self, entry: Entry, said: Said, frame: int, where: str
    ) -> tuple[ShapeKind, Sequence[float]] | None:
        if said.coordinates is not None:
            return self._polygon(said.coordinates, said.kind, where)
        if said.mask is not None:
            points = self._mask(entry, said.mask, frame, where)
            return None if points is None else (ShapeKind.MASK, points)
        self._intake.refuse(where, "has neither a polygon nor a mask")
        return None

    def _polygon(
        self, texts: Sequence[str | None], kind: str, where: str
    ) -> tuple[ShapeKind, Sequence[float]] | None:
        points = all_finite(texts)
        if points is None or len(points) % 2:
            wrong = next((text for text in texts if not math.isfinite(finite_or_nan(text))), "")
            self._intake.refuse(where, f"its points are no pairs of numbers: {str(wrong or '')[:40]!r}")
            return None
        if kind == "bounding_box" and points:
            xs, ys = points[0::2], points[1::2]
            return ShapeKind.RECTANGLE, (min(xs), min(ys), max(xs), max(ys))
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
