"""Reads Segmentation mask 1.1, and the masks of PASCAL VOC: classes and objects as PNGs.

Pixels have the colours of `labelmap.txt`, or, in PNGs of one channel, the numbers of its lines. Each colour
of the picture of objects is an object; without that picture each class is one. A mask comes in as a mask:
holes stay holes.
"""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from yard.annotations.labels import Label
from yard.annotations.model import ShapeKind
from yard.export.archives.opened import Entry, Opened
from yard.export.archives.refusals import refused
from yard.export.formats.png import decoded
from yard.export.formats.voc_labelmap import (
    BACKGROUND,
    NAME,
    VOID,
    instance_color,
    label_written_as,
    numbers_of,
    parsed,
)
from yard.export.intakes.intake import FoundShape, Intake
from yard.export.wording.mask_runs import points_of

CLASSES: Final = "SegmentationClass/"
OBJECTS: Final = "SegmentationObject/"
_MOST_OBJECTS: Final = 10_000
_LARGEST_MAP: Final = 1 << 20
_PLACE: Final = re.compile(r"(?:.*/)?SegmentationClass/(.+)\.png", re.IGNORECASE)
_LIST: Final = re.compile(r"(?:.*/)?ImageSets/Segmentation/.+\.txt")
Pixels = NDArray[np.uint32]
Ints = NDArray[np.int64]


def read(opened: Opened, intake: Intake) -> None:
    """Hands over the masks of all frames; a list of frames without any PNG is a data set without objects."""
    if not read_masks(opened, intake) and not any(_LIST.fullmatch(entry.name) for entry in opened.entries()):
        intake.refuse(opened.name, f"holds no PNG in {CLASSES}")


def read_masks(opened: Opened, intake: Intake) -> int:
    """Hands over the masks; returns how many pictures of classes there are."""
    total = sum(1 for entry in opened.entries() if _PLACE.fullmatch(entry.name))
    if not total:
        return 0
    classes = _Classes(opened, intake)
    done = 0
    for entry in opened.entries():
        match = _PLACE.fullmatch(entry.name)
        if match is None:
            continue
        frame = intake.frame_named(match[1], entry.name)
        if frame is not None:
            _Picture(opened, intake, classes, entry, frame).read()
        done += 1
        intake.read(done / total)
    return total


class _Classes:
    """Labels by the colour or the number of their pixels; None is what holds nothing."""

    def __init__(self, opened: Opened, intake: Intake) -> None:
        entry = opened.find(NAME)
        if entry is None:
            raise refused(opened.name, f"has no {NAME}, which tells the colours of classes")
        with opened.open(entry) as file:
            content = file.read(_LARGEST_MAP + 1)
        if len(content) > _LARGEST_MAP:
            raise refused(entry.name, f"has more than {_LARGEST_MAP} bytes")
        try:
            lines = parsed(content.decode("utf-8-sig"))
        except ValueError as fault:
            raise refused(entry.name, str(fault)) from fault
        self._intake = intake
        self._where = entry.name
        self._names = [name for name, _ in lines]
        # A line without a colour has that of its number, as in PASCAL VOC.
        colors = (color or instance_color(number) for number, (_, color) in enumerate(lines))
        self._colors = {
            (red << 16) | (green << 8) | blue: name
            for name, (red, green, blue) in zip(self._names, colors, strict=True)
        }
        self._labels: dict[str, Label | None] = {}

    def label(self, pixel: int, where: str, *, is_number: bool) -> Label | None:
        """What a pixel is of; refuses what no line tells."""
        if is_number:
            name = self._names[pixel] if pixel < len(self._names) else None
        else:
            name = self._colors.get(pixel)
        if name is None:
            known = f"number {pixel}" if is_number else f"#{pixel:06x}"
            self._intake.refuse(where, f"has pixels of {known}, which {self._where} does not tell")
            return None
        if name not in self._labels:
            self._labels[name] = self._known(name, where)
        return self._labels[name]

    def _known(self, name: str, where: str) -> Label | None:
        names = {label.name for label in self._intake.labels.labels}
        if name == BACKGROUND and name not in names:
            return None
        return label_written_as(self._intake, name, where)


class _Picture:
    """The two PNGs of one frame."""

    def __init__(self, opened: Opened, intake: Intake, classes: _Classes, entry: Entry, frame: int) -> None:
        self._opened = opened
        self._intake = intake
        self._classes = classes
        self._entry = entry
        self._frame = frame

    def read(self) -> None:
        """Hands over a mask for each object."""
        found = self._pixels(self._entry)
        if found is None:
            return
        classes, is_number = found
        objects = classes
        place = self._entry.name.rfind(CLASSES)
        name = self._entry.name
        other = self._opened.find(name[:place] + OBJECTS + name[place + len(CLASSES) :])
        if other is not None:
            of_objects = self._pixels(other)
            if of_objects is None:
                return
            objects, has_numbers = of_objects
            # By their numbers objects are in the order in which they were made.
            objects = objects if has_numbers else numbers_of(objects)
        for pixels, pixel in self._objects(classes, objects):
            label = self._classes.label(pixel, name, is_number=is_number)
            if label is not None:
                points = points_of(pixels, classes.shape[1])
                self._intake.shape(FoundShape(self._frame, label.id, ShapeKind.MASK, points), name)

    def _objects(self, classes: Pixels, objects: Pixels) -> Iterator[tuple[Ints, int]]:
        """The places of each object and what class most of its pixels have."""
        flat, of_classes = objects.ravel(), classes.ravel()
        is_object = flat != 0
        if objects is not classes:
            is_object &= flat != VOID
        places = np.flatnonzero(is_object)
        places = places[np.argsort(flat[places], kind="stable")]
        ends = np.append(np.flatnonzero(np.diff(flat[places])) + 1, len(places))
        if len(ends) > _MOST_OBJECTS:
            self._intake.refuse(self._entry.name, f"has more than {_MOST_OBJECTS} objects")
            return
        begin = 0
        for end in ends.tolist() if len(places) else ():
            own, begin = places[begin:end], end
            kinds, counts = np.unique(of_classes[own], return_counts=True)
            yield own, int(kinds[counts.argmax()])

    def _pixels(self, entry: Entry) -> tuple[Pixels, bool] | None:
        return decoded(self._opened, self._intake, entry, self._frame, _numbers)


def _numbers(image: Image.Image) -> tuple[Pixels, bool]:
    """A number a pixel, red in the upper bits; or that of the one channel there is."""
    if image.mode in ("L", "1", "I;16", "I"):
        numbers: Pixels = np.asarray(image, dtype=np.uint32)
        return numbers, True
    channels: Pixels = np.asarray(image.convert("RGB"), dtype=np.uint32)
    weights: Pixels = np.array([1 << 16, 1 << 8, 1], np.uint32)
    colors: Pixels = (channels * weights).sum(axis=2, dtype=np.uint32)
    return colors, False
