"""Reads Datumaro's JSON of both generations: that of CVAT, and that of Datumaro 1.x with its newer types.

Pictures are found by name, frames of videos by their number where the file tells it. Objects with the
attribute `track_id` become tracks: those that say `keyframe: false` only tell where the object is seen. A
mask that says of which ellipse it is becomes that ellipse if its pixels agree.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from yard.annotations.labels import Label
from yard.annotations.model import Shape, ShapeKind
from yard.annotations.rasters import raster
from yard.export.archives.opened import Opened
from yard.export.formats.division import Division, key_by
from yard.export.formats.json_objects import (
    AttributeReader,
    Given,
    ObjectError,
    numbers,
    read_documents,
    text,
    whole,
)
from yard.export.formats.json_shapes import Objects, corners_of
from yard.export.formats.json_survey import survey_datumaro
from yard.export.formats.track_rows import TrackRows
from yard.export.intakes.intake import FoundShape, FoundTag, Intake
from yard.export.wording.json_stream import JsonStream
from yard.export.wording.rle import RleError, mask_points

# The attribute with what a mask does not tell of an ellipse.
ELLIPSE = "ellipse"
_OUTLINES = {
    "polygon": (ShapeKind.POLYGON, 6),
    "polyline": (ShapeKind.POLYLINE, 4),
    "points": (ShapeKind.POINTS, 2),
}
_ELLIPSE_NUMBERS = 5
_key_of = key_by(r"(?:.*/)?([^/]+)\.json")
DIVISION = Division(survey=lambda opened, found: survey_datumaro(opened, found, _key_of), key_of=_key_of)
_NO_TYPE = "there is no such kind of object here"


def read(opened: Opened, intake: Intake) -> None:
    """Reads the files of all subsets."""
    entries = [entry for entry in opened.entries() if entry.name.lower().endswith(".json")]
    if not entries:
        intake.refuse(opened.name, "holds no .json file with annotations")
    read_documents(opened, intake, entries, lambda name: _Document(intake, name))


_Place = tuple[str, int]
"""An item, in words, and which of its annotations."""


class _Item(NamedTuple):
    frame: int
    width: int
    height: int


class _Document:
    """One file: its labels, then its pictures."""

    def __init__(self, intake: Intake, name: str) -> None:
        self._intake = intake
        self._name = name
        self._names: list[str] | None = None
        self._labels: dict[int, Label | None] = {}
        self._attributes = AttributeReader(intake)
        self._tracks = TrackRows(intake)
        self._objects: Objects[_Place] = Objects(intake, self._tracks, _words)
        self._readers: dict[str, Callable[[_Item, dict[str, Any], Label, _Place], None]] = {
            "label": self._tag,
            "bbox": self._box,
            "rotated_bbox": self._rotated_box,
            "polygon": self._outline,
            "polyline": self._outline,
            "points": self._outline,
            "mask": self._mask,
            "ellipse": self._ellipse,
        }

    def take(self, name: str, json: JsonStream) -> bool:
        """Reads the labels, and the pictures when these are known."""
        if name == "categories":
            self._names = _label_names(json)
        elif name != "items":
            json.skip()
        elif self._names is None:
            return False
        else:
            self._items(json)
        return True

    def flush(self) -> None:
        """Hands over what waits."""
        self._objects.flush()

    def close(self) -> None:
        """Hands over what still waits, tracks too."""
        if self._names is None:
            self._intake.refuse(self._name, "is no file of Datumaro: categories are missing")
        self._objects.flush()
        self._tracks.close()

    def _items(self, json: JsonStream) -> None:
        if not json.is_array():
            json.fail("items must be a list")
        for place, found in enumerate(json.elements(), 1):
            where = f"{self._name}: item {place}"
            try:
                self._item(_object(found, "the item"), where)
            except ObjectError as wrong:
                self._objects.flush()
                self._intake.refuse(where, str(wrong))

    def _item(self, found: dict[str, Any], where: str) -> None:
        item = self._frame_of(found, where)
        if item is None:
            return
        annotations = found.get("annotations") or []
        if not isinstance(annotations, list):
            raise ObjectError("annotations must be a list")
        for number, annotation in enumerate(annotations, 1):
            place = where, number
            try:
                self._annotation(item, _object(annotation, "the annotation"), place)
            except (ObjectError, RleError) as wrong:
                self._objects.refuse(place, str(wrong))

    def _frame_of(self, found: dict[str, Any], where: str) -> _Item | None:
        image = _object(found.get("image") or found.get("media") or {}, "image")
        number = _object(found.get("attr") or {}, "attr").get("frame")
        if self._intake.mode == "interpolation" and number is not None:
            frame = self._intake.frame_of_source(whole(number, "attr.frame"), where)
        else:
            frame = self._intake.frame_named(text(image.get("path") or found.get("id"), "id"), where)
        if frame is None:
            return None
        width, height = self._intake.frame_size(frame)
        if image.get("size") not in (None, [height, width]):
            raise ObjectError(f"its size {str(image['size'])[:40]} is not the frame's [{height}, {width}]")
        if not self._tracks.saw(frame):
            raise ObjectError(f"another item is frame {frame} too")
        return _Item(frame, width, height)

    def _annotation(self, item: _Item, found: dict[str, Any], place: _Place) -> None:
        kind = found.get("type")
        reader = self._readers.get(kind) if isinstance(kind, str) else None
        if reader is None:
            self._intake.ignore(str(kind)[:40], _NO_TYPE)
            return
        number = found.get("label_id")
        if number is None:
            self._intake.ignore(str(kind), "it has no label")
            return
        is_known = type(number) is int and number in self._labels
        label = self._labels[number] if is_known else self._label_of(number, place)
        if label is not None:
            reader(item, found, label, place)

    def _label_of(self, number: object, place: _Place) -> Label | None:
        names = self._names or []
        if type(number) is not int or not 0 <= number < len(names):
            raise ObjectError(f"there is no label {str(number)[:40]}")
        self._labels[number] = label = self._intake.label(names[number], _words(place))
        return label

    def _tag(self, item: _Item, found: dict[str, Any], label: Label, place: _Place) -> None:
        given = self._attributes.of(label, found.get("attributes"), place, _words)
        self._intake.tag(FoundTag(item.frame, label.id, given.attributes, _group(found)))

    def _box(self, item: _Item, found: dict[str, Any], label: Label, place: _Place) -> None:
        given = self._attributes.of(label, found.get("attributes"), place, _words)
        sides = found.get("bbox")
        if given.track is None:
            z_order, group = found.get("z_order"), found.get("group")
            z_order = whole(z_order, "z_order") if z_order else 0
            group = whole(group, "group") if group else 0
            self._objects.box((item.frame, label.id, sides, given, z_order, group, place))
        else:
            shape = _shape(item, found, label, ShapeKind.RECTANGLE, corners_of(sides), given, given.rotation)
            self._objects.add(label, shape, given, place)

    def _rotated_box(self, item: _Item, found: dict[str, Any], label: Label, place: _Place) -> None:
        given = self._attributes.of(label, found.get("attributes"), place, _words)
        x, y, width, height, rotation = numbers(found.get("points") or found.get("rbbox"), 5)
        corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        shape = _shape(item, found, label, ShapeKind.RECTANGLE, corners, given, rotation % 360 % 360)
        self._objects.add(label, shape, given, place)

    def _outline(self, item: _Item, found: dict[str, Any], label: Label, place: _Place) -> None:
        given = self._attributes.of(label, found.get("attributes"), place, _words)
        kind, least = _OUTLINES[found["type"]]
        points = numbers(found.get("points"))
        if len(points) < least or len(points) % 2:
            raise ObjectError(f"points must be {least // 2} or more pairs of numbers")
        self._objects.add(label, _shape(item, found, label, kind, points, given), given, place)

    def _ellipse(self, item: _Item, found: dict[str, Any], label: Label, place: _Place) -> None:
        given = self._attributes.of(label, found.get("attributes"), place, _words)
        x0, y0, x1, y1 = numbers(found.get("points"), 4)
        points = ((x0 + x1) / 2, (y0 + y1) / 2, x1, y0)
        shape = _shape(item, found, label, ShapeKind.ELLIPSE, points, given, given.rotation)
        self._objects.add(label, shape, given, place)

    def _mask(self, item: _Item, found: dict[str, Any], label: Label, place: _Place) -> None:
        attributes = found.get("attributes")
        drawn = None
        if isinstance(attributes, dict) and not self._attributes.declares(label, ELLIPSE):
            drawn = attributes.pop(ELLIPSE, None)
        given = self._attributes.of(label, attributes, place, _words)
        runs = _object(found.get("rle") or {}, "rle")
        points = mask_points(runs.get("counts"), runs.get("size"), item.width, item.height)
        ellipse = _ellipse_of(drawn, points, item) if isinstance(drawn, str) else None
        if ellipse is not None:
            shape = _shape(item, found, label, ShapeKind.ELLIPSE, ellipse[:4], given, ellipse[4])
            self._objects.add(label, shape, given, place)
        elif points is None:
            self._intake.ignore("mask", "it has no pixels")
        else:
            self._objects.add(label, _shape(item, found, label, ShapeKind.MASK, points, given), given, place)


def _words(place: _Place) -> str:
    item, number = place
    return f"{item}, annotation {number}"


def _shape(
    item: _Item,
    found: dict[str, Any],
    label: Label,
    kind: ShapeKind,
    points: Sequence[float],
    given: Given,
    rotation: float = 0.0,
) -> FoundShape:
    z_order = whole(found.get("z_order") or 0, "z_order")
    occluded, attributes = given.occluded, given.attributes
    return FoundShape(
        item.frame, label.id, kind, points, rotation, occluded, z_order, attributes, _group(found)
    )


def _group(found: dict[str, Any]) -> int:
    return whole(found.get("group") or 0, "group")


def _object(found: object, name: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ObjectError(f"{name} must be an object")
    return found


def _label_names(json: JsonStream) -> list[str]:
    try:
        labels = _object(_object(json.value(), "categories").get("label") or {}, "label").get("labels") or []
        if not isinstance(labels, list):
            json.fail("labels must be a list")
        return [text(_object(label, "a label").get("name"), "the name of a label") for label in labels]
    except ObjectError as wrong:
        json.fail(str(wrong))


def _ellipse_of(told: str, points: list[int] | None, item: _Item) -> tuple[float, ...] | None:
    """The ellipse if its pixels are those of the mask."""
    try:
        ellipse = tuple(map(float, told.split(" ", 5)))
    except ValueError:
        return None
    if len(ellipse) != _ELLIPSE_NUMBERS or not all(map(math.isfinite, ellipse)):
        return None
    x, y, right, top, rotation = ellipse
    if not (x < right and top < y and 0 <= rotation < 360):
        return None
    shape = Shape(frame=0, label_id=0, kind=ShapeKind.ELLIPSE, points=ellipse[:4], rotation=rotation)
    counts = raster(shape, item.width, item.height).column_runs(item.width, item.height)
    drawn = mask_points(counts, [item.height, item.width], item.width, item.height)
    return ellipse if drawn == points else None
