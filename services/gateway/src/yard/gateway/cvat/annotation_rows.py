"""Annotations as JSON, a columnar batch at a time: no set of objects is ever whole here."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import orjson
from yard.annotations.batch import Batch, ObjectKind, broken
from yard.annotations.model import ShapeKind, Source

TYPES: Final[Mapping[int, str]] = {kind: kind.name.lower() for kind in ShapeKind}
SOURCES: Final[Mapping[int, str]] = {
    0: "manual",
    Source.MANUAL: "manual",
    Source.AUTO: "auto",
    Source.SEMI_AUTO: "semi-auto",
    Source.FILE: "file",
}
_SECTIONS: Final = ("tags", "shapes", "tracks")
_OCCLUDED, _OUTSIDE = 1, 2

Row = dict[str, Any]


class AnnotationText:
    """The text of `{"version", "tags", "shapes", "tracks"}`, piece by piece as batches come."""

    def __init__(self, version: int) -> None:
        self._begin = f'{{"version":{version}'
        self._section = -1
        self._is_empty = True
        self._tracks = _Tracks()

    def feed(self, batch: Batch) -> bytes:
        """What follows by this batch."""
        kind = batch.object_kind
        if kind is ObjectKind.TAG:
            return self._rows(0, tag_rows(batch))
        if kind is ObjectKind.SHAPE:
            return self._rows(1, shape_rows(batch))
        return self._rows(2, list(self._tracks.feed(batch)))

    def end(self) -> bytes:
        """What follows the last batch."""
        return self._rows(2, list(self._tracks.close())) + b"]}"

    def _rows(self, section: int, rows: list[Row]) -> bytes:
        head = self._open(section)
        if not rows:
            return head
        comma = b"" if self._is_empty else b","
        self._is_empty = False
        return head + comma + orjson.dumps(rows)[1:-1]

    def _open(self, section: int) -> bytes:
        """Ends the lists before this one and begins it; nothing if it has begun."""
        text = ""
        while self._section < section:
            text += self._begin if self._section < 0 else "]"
            self._section += 1
            text += f',"{_SECTIONS[self._section]}":['
            self._is_empty = True
        return text.encode()


def tag_rows(batch: Batch) -> list[Row]:
    """The tags of a batch."""
    frames = _list(batch.frame, "<i4")
    return [
        {**common, "frame": frame, "attributes": values}
        for common, frame, values in zip(_common(batch), frames, attribute_lists(batch), strict=True)
    ]


def shape_rows(batch: Batch) -> list[Row]:
    """The shapes of a batch."""
    return [
        {**common, **geometry, "attributes": values, "elements": []}
        for common, geometry, values in zip(
            _common(batch), _geometries(batch), attribute_lists(batch), strict=True
        )
    ]


class _Tracks:
    """Puts tracks and their keyframes together; holds those only that still wait for keyframes."""

    def __init__(self) -> None:
        self._waiting: deque[Row] = deque()
        self._first = 0

    def feed(self, batch: Batch) -> Iterator[Row]:
        if batch.object_kind is ObjectKind.TRACK:
            self._waiting += [
                {**common, "frame": 0, "attributes": values, "shapes": [], "elements": []}
                for common, values in zip(_common(batch), attribute_lists(batch), strict=True)
            ]
            return
        rows = zip(_list(batch.parent, "<i8"), _geometries(batch), attribute_lists(batch), strict=True)
        for parent, geometry, values in rows:
            while parent > self._first:
                yield self._complete()
            if parent < self._first or not self._waiting:
                raise broken("parent", f"track {parent} is not the present one, {self._first}")
            self._waiting[0]["shapes"].append({**geometry, "attributes": values})

    def close(self) -> Iterator[Row]:
        while self._waiting:
            yield self._complete()

    def _complete(self) -> Row:
        if not self._waiting or not self._waiting[0]["shapes"]:
            raise broken("parent", f"track {self._first} has no keyframes")
        self._first += 1
        track = self._waiting.popleft()
        track["frame"] = track["shapes"][0]["frame"]
        return track


def attribute_lists(batch: Batch) -> list[list[Row]]:
    """The attributes of each row; most rows of a batch share few values, whose objects are made once."""
    keys = _list(batch.attribute_id, "<i8")
    texts = _list(batch.attribute_value, "<i4")
    made: dict[tuple[int, int], Row] = {}
    values: list[Row] = []
    for pair in zip(keys, texts, strict=True):
        value = made.get(pair)
        if value is None:
            value = made[pair] = {"spec_id": pair[0], "value": batch.strings[pair[1]]}
        values.append(value)
    offsets = _list(batch.attributes_offset, "<i8")
    return [values[begin:end] for begin, end in pairwise(offsets)]


def _common(batch: Batch) -> list[Row]:
    columns = zip(
        _list(batch.id, "<i8"),
        _list(batch.label_id, "<i8"),
        _list(batch.group, "<i4"),
        batch.source,
        strict=True,
    )
    return [
        {"id": number, "label_id": label, "group": group, "source": SOURCES[source]}
        for number, label, group, source in columns
    ]


def _geometries(batch: Batch) -> list[Row]:
    columns = zip(
        _list(batch.frame, "<i4"),
        batch.shape_kind,
        batch.flags,
        _list(batch.z_order, "<i4"),
        _list(batch.rotation, "<f8"),
        _points(batch),
        strict=True,
    )
    return [
        {
            "frame": frame,
            "type": TYPES[kind],
            "points": points,
            "occluded": bool(flags & _OCCLUDED),
            "outside": bool(flags & _OUTSIDE),
            "z_order": order,
            "rotation": rotation,
        }
        for frame, kind, flags, order, rotation, points in columns
    ]


def _points(batch: Batch) -> Sequence[list[float]]:
    numbers = _list(batch.points, "<f8")
    return [numbers[begin:end] for begin, end in pairwise(_list(batch.points_offset, "<i8"))]


def _list(column: bytes, kind: str) -> list[Any]:
    numbers: list[Any] = np.frombuffer(column, dtype=kind).tolist()
    return numbers
