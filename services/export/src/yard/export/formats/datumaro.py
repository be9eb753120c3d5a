"""Datumaro 1.0: one JSON document a subset, pictures with their objects; all but cuboids.

Numbers are written in full. An ellipse is a mask, with its centre, radii and rotation in an attribute of
which other readers take no notice. Annotations are numbered in a subset.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from yard.annotations.model import Shape, ShapeKind
from yard.annotations.rasters import raster
from yard.export.archives.archive import Member
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Drawn, Frame, Picture, Tagged, Values
from yard.export.formats import media
from yard.export.formats.box_blocks import corners_of, in_blocks
from yard.export.formats.datumaro_reading import DIVISION, ELLIPSE, read
from yard.export.formats.format import Format
from yard.export.formats.json_text import (
    CACHED,
    OWN,
    TrackNumbers,
    joined,
    members,
    quoted,
)
from yard.export.formats.losses import Losses
from yard.export.formats.own_words import OwnWords
from yard.export.wording.decimals import size_between
from yard.export.wording.number_columns import in_full
from yard.export.wording.rle import text_of
from yard.export.wording.size_columns import sizes_between

NO_PLACE = "Datumaro has no such object in two dimensions"
_OUTLINES = {ShapeKind.POLYGON: "polygon", ShapeKind.POLYLINE: "polyline", ShapeKind.POINTS: "points"}
_PIXELS = (ShapeKind.ELLIPSE, ShapeKind.MASK)
_HELD = (ShapeKind.RECTANGLE, *_OUTLINES, *_PIXELS)
_RECTANGLE = ShapeKind.RECTANGLE


def write(dataset: Dataset) -> Iterator[Member]:
    """`annotations/<subset>.json` and, if wanted, `images/<subset>/`."""
    for subset in dataset.subsets:
        yield Member(name=f"annotations/{subset}.json", content=_document(dataset, subset))
    for subset in dataset.subsets:
        yield from media.members(dataset, f"images/{subset}", subset)


def _document(dataset: Dataset, subset: str) -> Iterator[bytes]:
    yield b'{"info":{},"categories":{"label":{"labels":['
    yield from joined(_labels(dataset))
    own = ",".join(map(quoted, sorted(OWN)))
    yield f'],"attributes":[{own}]}},"points":{{"items":[]}}}},"items":['.encode()
    yield from joined(_Items(dataset).lines(subset))
    yield b"]}"


def _labels(dataset: Dataset) -> Iterator[str]:
    for label in dataset.labels.labels:
        names = ",".join(quoted(one.name) for one in label.attributes if one.name not in OWN)
        yield f'{{"name":{quoted(label.name)},"parent":"","attributes":[{names}]}}'


class _Items:
    """Writes the pictures of one subset, one after the other."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._labels = {label.id: number for number, label in enumerate(dataset.labels.labels)}
        self._members = lru_cache(CACHED)(lambda label, values: members(dataset.labels, label, values))
        self._boxes = lru_cache(CACHED)(self._box_head)
        self._losses = Losses(dataset)
        self._words = OwnWords(dataset, OWN, _HELD, has_tags=True)
        self._tracks = TrackNumbers()
        self._number = 0
        # Labels whose own attribute takes the name.
        self._own_ellipse = {
            label.id for label in dataset.labels.labels if ELLIPSE in {one.name for one in label.attributes}
        }

    def lines(self, subset: str) -> Iterator[str]:
        """Each picture as a JSON object."""
        for pictures, boxes in in_blocks(self._dataset.pictures(subset)):
            ends = iter(self._ends_of(boxes))
            for picture, is_plain in pictures:
                frame = picture.frame
                self._words.account(picture)
                lines = [self._tag(tag) for tag in picture.tags] if picture.tags else []
                lines += self._plain(picture, ends) if is_plain else self._mixed(picture, ends)
                yield (
                    f'{{"id":{quoted(frame.item)},"annotations":[{",".join(lines)}],'
                    f'"attr":{{"frame":{frame.source_number}}},'
                    f'"image":{{"path":{quoted(frame.file_name)},"size":[{frame.height},{frame.width}]}}}}'
                )

    def _plain(self, picture: Picture, ends: Iterator[tuple[str, str]]) -> list[str]:
        """A picture with nothing but boxes."""
        first = self._number + 1
        self._number += len(picture.objects)
        mine = zip(range(first, self._number + 1), ends, strict=False)
        return [f'{{"id":{number}{head}{place}]}}' for number, (head, place) in mine]

    def _mixed(self, picture: Picture, ends: Iterator[tuple[str, str]]) -> Iterator[str]:
        for drawn in picture.objects:
            if drawn[1] is _RECTANGLE and drawn[10] < 0:
                self._number += 1
                head, place = next(ends)
                yield f'{{"id":{self._number}{head}{place}]}}'
            else:
                yield from self._other(drawn, picture.frame)

    def _ends_of(self, boxes: Sequence[Drawn]) -> Iterable[tuple[str, str]]:
        """All of each box behind its number, in two pieces."""
        if not boxes:
            return ()
        _, _, points, rotations, occluded, orders, label_ids, groups, _, attributes, _, _ = zip(
            *boxes, strict=True
        )
        corners = corners_of(points)
        sizes = sizes_between(corners[:, :2], corners[:, 2:])
        places = in_full(np.hstack([corners[:, :2], sizes]))
        heads = map(self._boxes, label_ids, attributes, occluded, rotations, groups, orders)
        return zip(heads, places, strict=True)

    def _box_head(self, *said: Any) -> str:
        """All of a box between its number and its corners; most boxes have that in common with others."""
        label_id, attributes, occluded, rotation, group, z = said
        own = f',"rotation":{rotation!r}'
        middle = self._middle("bbox", label_id, attributes, occluded, own)
        return f'{middle}{group}{self._end(label_id, z)}"bbox":['

    def _other(self, drawn: Drawn, frame: Frame) -> Iterator[str]:
        """An object that is no box, or on a track; nothing if the format has no such type."""
        _, kind, points, rotation, occluded, z, label_id, group, _, attributes, track, is_keyframe = drawn
        if kind is _RECTANGLE:
            x0, y0, x1, y1 = points
            name, own = "bbox", f',"rotation":{rotation!r}'
            place = f'"bbox":[{x0!r},{y0!r},{size_between(x0, x1)!r},{size_between(y0, y1)!r}]'
        else:
            name, own, place = self._place(drawn, frame)
        if not name:
            self._losses.note(frame.part, drawn, kind.name.lower(), NO_PLACE)
            return
        if track >= 0:
            keyframe = "true" if is_keyframe else "false"
            own += f',"track_id":{self._tracks.of(frame.part, track)},"keyframe":{keyframe}'
        self._number += 1
        middle = self._middle(name, label_id, attributes, occluded, own)
        yield f'{{"id":{self._number}{middle}{group}{self._end(label_id, z)}{place}}}'

    def _middle(self, name: str, label_id: int, attributes: Values, occluded: bool, own: str) -> str:
        said = f'{self._members(label_id, attributes)}"occluded":{"true" if occluded else "false"}{own}'
        return f',"type":"{name}","attributes":{{{said}}},"group":'

    def _end(self, label_id: int, z: int) -> str:
        return f',"label_id":{self._labels.get(label_id, 0)},"z_order":{z},'

    def _place(self, drawn: Drawn, frame: Frame) -> tuple[str, str, str]:
        """The type, attributes of its own, and the geometry; empty if the format has no such type."""
        kind = drawn.kind
        if kind in _OUTLINES:
            text = ",".join(map(repr, drawn.points))
            seen = _seen(len(drawn.points)) if kind is ShapeKind.POINTS else ""
            return _OUTLINES[kind], "", f'"points":[{text}]{seen}'
        if kind is ShapeKind.ELLIPSE and drawn.label_id not in self._own_ellipse:
            text = " ".join(map(repr, [*drawn.points, drawn.rotation]))
            return "mask", f',"{ELLIPSE}":"{text}"', _mask(drawn, frame)
        return ("mask", "", _mask(drawn, frame)) if kind in _PIXELS else ("", "", "")

    def _tag(self, tag: Tagged) -> str:
        self._number += 1
        found = self._members(tag.label_id, tag.attributes)[:-1]
        label = self._labels.get(tag.label_id, 0)
        return (
            f'{{"id":{self._number},"type":"label","attributes":{{{found}}},"group":{tag.group},'
            f'"label_id":{label}}}'
        )


@lru_cache(256)
def _seen(count: int) -> str:
    return f',"visibility":[{",".join(["2"] * (count // 2))}]'


def _mask(drawn: Drawn, frame: Frame) -> str:
    points = tuple(drawn.points)
    shape = Shape(frame=0, label_id=0, kind=drawn.kind, points=points, rotation=drawn.rotation)
    counts = text_of(raster(shape, frame.width, frame.height).column_runs(frame.width, frame.height))
    return f'"rle":{{"counts":{quoted(counts)},"size":[{frame.height},{frame.width}]}}'


DATUMARO = Format(
    name="Datumaro",
    version="1.0",
    extension="zip",
    description=(
        "JSON with all but cuboids: ellipses are masks, tracks are objects with a track_id on each frame."
    ),
    holds=("tag", "rectangle", "polygon", "polyline", "points", "ellipse", "mask", "track"),
    keeps=("attributes", "group", "occluded", "rotation", "z_order"),
    for_interpolation=True,
    for_annotation=True,
    write=write,
    read=read,
    division=DIVISION,
    bare=("json",),
)
