"""Reads COCO instances, whoever wrote them: categories by name, pictures by file name, all ids as they come.

An object of several polygons becomes several polygons of one group, run lengths become masks (holes stay),
a box without a segmentation a rectangle. Objects with the attribute `track_id` become tracks. Of the files of
keypoints of an archive only those are read that have no instances beside them.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from yard.annotations.labels import Label
from yard.annotations.model import ShapeKind
from yard.export.archives.opened import Entry, Opened
from yard.export.formats.division import Division, key_by
from yard.export.formats.json_objects import (
    AttributeReader,
    Given,
    ObjectError,
    numbers,
    read_documents,
    text,
)
from yard.export.formats.json_shapes import Objects, corners_of
from yard.export.formats.json_survey import survey_coco
from yard.export.formats.picture_ids import REFUSED, PictureIds
from yard.export.formats.track_rows import TrackRows
from yard.export.intakes.intake import FoundShape, Intake
from yard.export.wording.json_stream import JsonStream
from yard.export.wording.rle import RleError, mask_points

# These two are fields of COCO itself.
CROWD, SCORE = "is_crowd", "score"
NO_CROWD = "'is_crowd' is no checkbox of the label"
_OTHERS = ("captions_", "image_info_", "labels_", "panoptic_")
_KEYPOINTS = "person_keypoints_"
_INSTANCES = "instances_"
_LEAST = 6
_key_of = key_by(rf"(?:.*/)?(?!{'|'.join(_OTHERS)}|dataset_meta)(?:{_KEYPOINTS}|{_INSTANCES})?([^/]+)\.json")
DIVISION = Division(survey=lambda opened, found: survey_coco(opened, found, _key_of), key_of=_key_of)
# Categories and images, on which annotations build.
_TABLES = 2


def read(opened: Opened, intake: Intake) -> None:
    """Reads all its files of instances."""
    entries = list(_annotation_files(opened, intake))
    if not entries:
        intake.refuse(opened.name, "holds no COCO instances, that is no fitting .json file")
    groups = count(1)
    read_documents(opened, intake, entries, lambda name: _Document(intake, name, groups))


def _annotation_files(opened: Opened, intake: Intake) -> Iterator[Entry]:
    entries = [entry for entry in opened.entries() if entry.name.lower().endswith(".json")]
    names = {entry.name for entry in entries}
    for entry in entries:
        path = PurePosixPath(entry.name)
        subset = path.name.removeprefix(_KEYPOINTS)
        if path.name.startswith(_OTHERS) or path.name == "dataset_meta.json":
            intake.ignore("file", f"{path.name} holds no instances")
        elif subset != path.name and str(path.with_name(_INSTANCES + subset)) in names:
            intake.ignore("file", f"{path.name} repeats the instances of {_INSTANCES}{subset}")
        else:
            yield entry


class _Picture(NamedTuple):
    frame: int
    width: int
    height: int


class _Document:
    """One file: its tables, then its objects."""

    def __init__(self, intake: Intake, name: str, groups: Iterator[int]) -> None:
        self._intake = intake
        self._name = name
        self._groups = groups
        self._tables: set[str] = set()
        self._categories: dict[int | str, str] = {}
        self._labels: dict[int | str, Label | None] = {}
        self._pictures = PictureIds()
        # Objects of a picture mostly come together. None stands for what was refused already.
        self._last: tuple[int | str, _Picture | None] | None = None
        self._attributes = AttributeReader(intake)
        # Whether the attribute of that name is a checkbox, of labels that have it.
        self._crowds = {
            label.id: attribute.is_boolean
            for label in intake.labels.labels
            for attribute in label.attributes
            if attribute.name == CROWD
        }
        self._tracks = TrackRows(intake)
        self._objects: Objects[int] = Objects(intake, self._tracks, self._words)

    def take(self, name: str, json: JsonStream) -> bool:
        """Reads the tables, and the annotations when both are known."""
        if name == "categories":
            self._each(json, "category", self._category)
        elif name == "images":
            self._each(json, "image", self._image)
        elif name == "annotations":
            if len(self._tables) < _TABLES:
                return False
            self._each(json, "annotation", self._annotation)
        else:
            json.skip()
            return True
        self._tables.add(name)
        return True

    def flush(self) -> None:
        """Hands over what waits."""
        self._objects.flush()

    def close(self) -> None:
        """Hands over what still waits, tracks too."""
        if len(self._tables) < _TABLES:
            self._intake.refuse(self._name, "is no COCO file: it lacks categories or images")
        self._objects.flush()
        self._tracks.close()

    def _each(self, json: JsonStream, kind: str, take: Callable[[dict[str, Any], int], None]) -> None:
        if not json.is_array():
            json.fail(f"a list is needed here, of one {kind} after the other")
        for place, found in enumerate(json.elements(), 1):
            if type(found) is not dict:
                self._refuse(f"{kind} {place}", "is no object")
                continue
            number = found.get("id")
            number = number if type(number) is int else place
            try:
                take(found, number)
            except (ObjectError, RleError) as wrong:
                self._refuse(f"{kind} {number}", str(wrong))

    def _refuse(self, where: str, reason: str) -> None:
        self._objects.flush()
        self._intake.refuse(f"{self._name}: {where}", reason)

    def _words(self, number: int) -> str:
        """An annotation by its id, or its place in the file if that is no number."""
        return f"{self._name}: annotation {number}"

    def _category(self, found: dict[str, Any], _: int) -> None:
        number, name = _number(found, "id"), text(found.get("name"), "name")
        if self._categories.setdefault(number, name) != name:
            raise ObjectError(f"is {self._categories[number]!r} already")

    def _image(self, found: dict[str, Any], place: int) -> None:
        number, name = _number(found, "id"), text(found.get("file_name"), "file_name")
        if self._pictures.find(number) is not None:
            raise ObjectError("another image has this id")
        frame, fault = self._frame_of(found, name, f"{self._name}: image {place}")
        self._pictures.add(number, REFUSED if fault or frame is None else frame)
        if fault:
            raise ObjectError(fault)

    def _frame_of(self, found: dict[str, Any], name: str, where: str) -> tuple[int | None, str]:
        """The frame that an image is, if it is one, and what is wrong with the image apart from its name."""
        frame = self._intake.frame_named(name, where)
        if frame is None:
            return None, ""
        width, height = self._intake.frame_size(frame)
        told = found.get("width"), found.get("height")
        if all(told) and told != (width, height):
            return frame, f"is {told[0]}x{told[1]} pixels here, the frame is {width}x{height}"
        return frame, "" if self._tracks.saw(frame) else f"another image is frame {frame} too"

    def _annotation(self, found: dict[str, Any], place: int) -> None:
        picture, label = self._picture_of(found), self._label_of(found, place)
        if picture is None or label is None:
            return
        given = self._attributes.of(label, self._attributes_of(found, label), place, self._words)
        if found.get("keypoints"):
            self._intake.ignore("points", "keypoints of COCO are not read")
        segmentation = found.get("segmentation")
        if not segmentation or segmentation == [[]]:
            self._box(found.get("bbox"), picture, label, given, place)
        elif isinstance(segmentation, dict):
            self._mask(segmentation, picture, label, given, place)
        else:
            self._polygons(_polygons(segmentation), picture, label, given, place)

    def _box(self, sides: object, picture: _Picture, label: Label, given: Given, place: int) -> None:
        if sides is None:
            raise ObjectError("it has neither a segmentation nor a bbox")
        if given.track is None:
            self._objects.box((picture.frame, label.id, sides, given, 0, 0, place))
        else:
            corners = corners_of(sides)
            shape = _shape(picture, label, ShapeKind.RECTANGLE, corners, given, given.rotation)
            self._objects.add(label, shape, given, place)

    def _mask(
        self, given_runs: dict[str, Any], picture: _Picture, label: Label, given: Given, place: int
    ) -> None:
        counts, size = given_runs.get("counts"), given_runs.get("size")
        points = mask_points(counts, size, picture.width, picture.height)
        if points is None:
            self._intake.ignore("mask", "it has no pixels")
        else:
            shape = _shape(picture, label, ShapeKind.MASK, points, given)
            self._objects.add(label, shape, given, place)

    def _polygons(
        self, polygons: list[list[float]], picture: _Picture, label: Label, given: Given, place: int
    ) -> None:
        group = next(self._groups) if len(polygons) > 1 else 0
        if group and given.track is not None:
            self._intake.ignore("track", "an object of several polygons is not tracked")
            given = given._replace(track=None)
        for points in polygons:
            shape = _shape(picture, label, ShapeKind.POLYGON, points, given)
            self._objects.add(label, shape._replace(group=group), given, place)

    def _picture_of(self, found: dict[str, Any]) -> _Picture | None:
        number = _number(found, "image_id")
        if self._last is None or self._last[0] != number:
            frame = self._pictures.find(number)
            if frame is None:
                raise ObjectError(f"there is no image {number!r}")
            picture = None if frame == REFUSED else _Picture(frame, *self._intake.frame_size(frame))
            self._last = number, picture
        return self._last[1]

    def _label_of(self, found: dict[str, Any], place: int) -> Label | None:
        number = _number(found, "category_id")
        if number not in self._labels:
            if number not in self._categories:
                raise ObjectError(f"there is no category {number!r}")
            self._labels[number] = self._intake.label(self._categories[number], self._words(place))
        return self._labels[number]

    def _attributes_of(self, found: dict[str, Any], label: Label) -> object:
        """The member `attributes` with what has fields of its own, if the label wants it or it says much."""
        given = found.get("attributes")
        crowd = found.get("iscrowd", 0)
        takes_crowd = self._crowds.get(label.id)
        if crowd and takes_crowd is False:
            self._intake.ignore("attribute", NO_CROWD)
        says_crowd = crowd if takes_crowd is None else takes_crowd
        if not says_crowd and SCORE not in found:
            return given
        own: dict[str, Any] = {CROWD: bool(crowd)} if says_crowd else {}
        if SCORE in found:
            own[SCORE] = found[SCORE]
        return {**own, **given} if isinstance(given, dict) else given or own


def _shape(
    picture: _Picture,
    label: Label,
    kind: ShapeKind,
    points: Sequence[float],
    given: Given,
    rotation: float = 0.0,
) -> FoundShape:
    return FoundShape(picture.frame, label.id, kind, points, rotation, given.occluded, 0, given.attributes)


def _number(found: dict[str, Any], name: str) -> int | str:
    number = found.get(name)
    if type(number) is int or type(number) is str:
        return number
    raise ObjectError(f"{name} must be a whole number or a text, not {str(number)[:60]}")


def _polygons(segmentation: object) -> list[list[float]]:
    if not isinstance(segmentation, list):
        raise ObjectError("segmentation must be a list or an object")
    found = segmentation if isinstance(segmentation[0], list) else [segmentation]
    for points in found:
        if len(numbers(points)) < _LEAST or len(points) % 2:
            raise ObjectError("a polygon needs three or more pairs of numbers")
    return found
