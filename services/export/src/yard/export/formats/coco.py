"""COCO 1.0: instances with boxes, polygons and run lengths.

Exact where others are not: groups are never merged into one object, and `iscrowd` is 1 only for objects whose
attribute `is_crowd` says so, not for all masks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from yard.annotations.geometry import area, envelope
from yard.annotations.labels import AttributeInput
from yard.annotations.model import Shape, ShapeKind
from yard.annotations.rasters import raster
from yard.export.archives.archive import Member
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Drawn, Frame, Picture, Values
from yard.export.formats import media
from yard.export.formats.box_blocks import corners_of, in_blocks
from yard.export.formats.coco_reading import CROWD, DIVISION, SCORE, read
from yard.export.formats.format import Format
from yard.export.formats.json_text import (
    CACHED,
    OWN,
    TrackNumbers,
    joined,
    quoted,
    typed,
)
from yard.export.formats.losses import Z_ORDER, Losses
from yard.export.formats.own_words import OwnWords
from yard.export.wording.number_columns import to_hundredths

_RECTANGLE = ShapeKind.RECTANGLE
NO_PLACE = "COCO instances have no place for it"
# What two decimals can tell of a box, which would be none otherwise.
_LEAST = 0.01
_HELD = (ShapeKind.RECTANGLE, ShapeKind.POLYGON, ShapeKind.ELLIPSE, ShapeKind.MASK)
NO_GROUPS = "COCO has no groups: their members are single objects"
AS_PIXELS = "COCO has no place for its outline: its pixels are there, as those of a mask"
_HEAD = (
    '{"licenses":[{"name":"","id":0,"url":""}],"info":{"contributor":"","date_created":"","description":"",'
    '"url":"","version":"","year":""},"categories":['
)
_IMAGE_END = '"license":0,"flickr_url":"","coco_url":"","date_captured":0}'


def write(dataset: Dataset) -> Iterator[Member]:
    """`annotations/instances_<subset>.json` and, if wanted, `images/<subset>/`."""
    for subset in dataset.subsets:
        yield Member(name=f"annotations/instances_{subset}.json", content=_document(dataset, subset))
    for subset in dataset.subsets:
        yield from media.members(dataset, f"images/{subset}", subset)


def _document(dataset: Dataset, subset: str) -> Iterator[bytes]:
    categories = (
        f'{{"id":{number},"name":{quoted(label.name)},"supercategory":""}}'
        for number, label in enumerate(dataset.labels.labels, 1)
    )
    yield _HEAD.encode()
    yield from joined(categories)
    yield b'],"images":['
    yield from joined(_image(number, frame) for number, frame in enumerate(dataset.frames(subset), 1))
    yield b'],"annotations":['
    yield from joined(_Annotations(dataset).lines(subset))
    yield b"]}"


def _image(number: int, frame: Frame) -> str:
    size = f'"width":{frame.width},"height":{frame.height}'
    return f'{{"id":{number},{size},"file_name":{quoted(frame.file_name)},{_IMAGE_END}'


class _Properties(NamedTuple):
    """What attributes become: members of `attributes`, the field `iscrowd`, the text of a field `score`."""

    members: str
    is_crowd: int
    score: str


_Texts = tuple[str, str, str, str]
"""Of a box: what is before its area, the area, its place, and what follows that."""


class _Heads(dict[int, str]):
    """What boxes of a label have before their area."""

    def __init__(self, categories: Mapping[int, int]) -> None:
        super().__init__()
        self._categories = categories

    def __missing__(self, label_id: int) -> str:
        category = self._categories.get(label_id, 0)
        head = self[label_id] = f',"category_id":{category},"segmentation":[],"area":'
        return head


class _Annotations:
    """Writes the objects of one subset, one after the other."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._categories = {label.id: number for number, label in enumerate(dataset.labels.labels, 1)}
        self._properties = lru_cache(CACHED)(self._read_properties)
        self._heads = _Heads(self._categories)
        self._ends = lru_cache(CACHED)(self._box_end)
        self._losses = Losses(dataset)
        self._words = OwnWords(dataset, OWN, _HELD)
        self._tracks = TrackNumbers()
        self._number = 0

    def lines(self, subset: str) -> Iterator[str]:
        """The annotations of each picture that has any, as JSON objects with commas between them."""
        image = 0
        for pictures, boxes in in_blocks(self._dataset.pictures(subset)):
            texts = iter(self._texts_of(boxes))
            for picture, is_plain in pictures:
                image += 1
                if picture.tags:
                    self._dataset.leave_out("tag", NO_PLACE, len(picture.tags))
                self._words.account(picture)
                if is_plain:
                    lines = self._plain(image, len(picture.objects), texts)
                else:
                    lines = list(self._mixed(image, picture, texts))
                if lines:
                    yield ",".join(lines)

    def _plain(self, image: int, count: int, texts: Iterator[_Texts]) -> list[str]:
        """A picture with nothing but boxes."""
        first = self._number + 1
        self._number += count
        mine = zip(range(first, self._number + 1), texts, strict=False)
        return [
            f'{{"id":{number},"image_id":{image}{head}{size},"bbox":[{box}]{end}'
            for number, (head, size, box, end) in mine
        ]

    def _mixed(self, image: int, picture: Picture, texts: Iterator[_Texts]) -> Iterator[str]:
        for drawn in picture.objects:
            if drawn[1] is _RECTANGLE and drawn[10] < 0:
                head, size, box, end = next(texts)
                line = f'{head}{size},"bbox":[{box}]{end}'
            elif not (line := self._other(drawn, picture.frame)):
                continue
            self._number += 1
            yield f'{{"id":{self._number},"image_id":{image}{line}'

    def _texts_of(self, boxes: Sequence[Drawn]) -> Iterable[_Texts]:
        """All of each box behind the number of its picture."""
        if not boxes:
            return ()
        _, _, points, rotations, occluded, orders, label_ids, groups, _, attributes, _, _ = zip(
            *boxes, strict=True
        )
        if grouped := len(boxes) - groups.count(0):
            self._dataset.leave_out("group", NO_GROUPS, grouped)
        if ordered := len(boxes) - orders.count(0):
            self._dataset.leave_out("z_order", Z_ORDER, ordered)
        corners = corners_of(points)
        sizes = np.maximum(corners[:, 2:] - corners[:, :2], _LEAST)
        areas = to_hundredths(sizes[:, :1] * sizes[:, 1:])
        places = to_hundredths(np.hstack([corners[:, :2], sizes]))
        heads = map(self._heads.__getitem__, label_ids)
        return zip(
            heads, areas, places, map(self._ends, label_ids, attributes, occluded, rotations), strict=True
        )

    def _box_end(self, label_id: int, attributes: Values, occluded: bool, rotation: float) -> str:
        """All of a box behind its place; most boxes have that in common with others."""
        return self._end(self._properties(label_id, attributes), occluded, _rotation(rotation))

    def _other(self, drawn: Drawn, frame: Frame) -> str:
        """An object that is no box, or on a track, behind the number of its picture; maybe nothing."""
        _, kind, points, rotation, occluded, z, label_id, group, _, attributes, track, is_keyframe = drawn
        properties = self._properties(label_id, attributes)
        if kind is _RECTANGLE:
            x0, y0, x1, y1 = points
            width, height = max(x1 - x0, _LEAST), max(y1 - y0, _LEAST)
            place = f'"segmentation":[],"area":{width * height:.2f},{_box(x0, y0, width, height)}'
            own = _rotation(rotation)
        else:
            place, own = self._place(drawn, frame, properties.is_crowd), ""
        if not place:
            return ""
        if group:
            self._losses.note(frame.part, drawn, "group", NO_GROUPS)
        if z:
            self._losses.note(frame.part, drawn, "z_order", Z_ORDER)
        if track >= 0:
            keyframe = "true" if is_keyframe else "false"
            own += f',"track_id":{self._tracks.of(frame.part, track)},"keyframe":{keyframe}'
        category = self._categories.get(label_id, 0)
        return f',"category_id":{category},{place}{self._end(properties, occluded, own)}'

    def _end(self, properties: _Properties, occluded: bool, own: str) -> str:
        members, is_crowd, score = properties
        said = f'{members}"occluded":{"true" if occluded else "false"}{own}'
        return f',"iscrowd":{is_crowd},"attributes":{{{said}}}{score}}}'

    def _place(self, drawn: Drawn, frame: Frame, is_crowd: int) -> str:
        """The fields that COCO has for where an object is; empty if it has none for it."""
        kind, name = drawn.kind, drawn.kind.name.lower()
        if kind is ShapeKind.MASK:
            return _pixels(drawn, frame)
        if kind is ShapeKind.POLYGON and not is_crowd:
            return _polygon(drawn)
        if kind in (ShapeKind.POLYGON, ShapeKind.ELLIPSE):
            self._losses.note(frame.part, drawn, name, AS_PIXELS)
            return _pixels(drawn, frame)
        self._losses.note(frame.part, drawn, name, NO_PLACE)
        return ""

    def _read_properties(self, label_id: int, values: Values) -> _Properties:
        schema = self._dataset.labels.attributes(label_id)
        members, is_crowd, score = "", 0, ""
        for key, value in values:
            attribute, text = schema[key], typed(schema[key], value)
            if attribute.name == CROWD and attribute.is_boolean:
                is_crowd = int(text == "true")
            elif attribute.name == SCORE and attribute.input is AttributeInput.NUMBER:
                score = f',"score":{text}'
            elif attribute.name not in OWN:
                members += f"{quoted(attribute.name)}:{text},"
        return _Properties(members, is_crowd, score)


def _rotation(degrees: float) -> str:
    return f',"rotation":{degrees:.2f}' if degrees else ',"rotation":0.0'


def _polygon(drawn: Drawn) -> str:
    points, shape = drawn.points, _shape(drawn)
    x0, y0, x1, y1 = envelope(shape)
    # Minus zero is of no use to anybody.
    text = (_pattern(len(points)) % tuple(points)).replace("-0.00", "0.00")
    return f'"segmentation":[[{text}]],"area":{area(shape):.2f},{_box(x0, y0, x1 - x0, y1 - y0)}'


@lru_cache(256)
def _pattern(count: int) -> str:
    return ",".join(["%.2f"] * count)


def _pixels(drawn: Drawn, frame: Frame) -> str:
    shape, width, height = _shape(drawn), frame.width, frame.height
    found = raster(shape, width, height)
    rows, columns = found.pixels.nonzero()
    x0, y0, x1, y1 = envelope(shape)
    if len(rows):
        x0, x1 = found.left + float(columns.min()), found.left + float(columns.max()) + 1
        y0, y1 = found.top + float(rows.min()), found.top + float(rows.max()) + 1
    counts = ",".join(map(str, found.column_runs(width, height)))
    return (
        f'"segmentation":{{"counts":[{counts}],"size":[{height},{width}]}},"area":{len(rows)}.00,'
        f"{_box(x0, y0, x1 - x0, y1 - y0)}"
    )


def _shape(drawn: Drawn) -> Shape:
    points = tuple(drawn.points)
    return Shape(frame=0, label_id=0, kind=drawn.kind, points=points, rotation=drawn.rotation)


def _box(x: float, y: float, width: float, height: float) -> str:
    return f'"bbox":[{x:z.2f},{y:z.2f},{width:.2f},{height:.2f}]'


COCO = Format(
    name="COCO",
    version="1.0",
    extension="zip",
    description=(
        "JSON with instances: boxes, polygons, and run lengths for masks and ellipses. The box of a rotated "
        "rectangle is that before rotation, the angle is an attribute. Tracks are objects with a track_id."
    ),
    holds=("rectangle", "polygon", "mask", "track"),
    keeps=("attributes", "occluded", "rotation"),
    for_interpolation=False,
    for_annotation=True,
    write=write,
    read=read,
    division=DIVISION,
    bare=("json",),
)
