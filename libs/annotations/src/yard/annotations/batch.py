"""One batch of columns and the check that they fit together; columnar.proto says what each column is."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from yard.annotations.errors import AnnotationError, Fault
from yard.annotations.model import ShapeKind, Source

LARGEST_BATCH = 8192


class ObjectKind(IntEnum):
    """What the rows of a batch are."""

    TAG = 1
    SHAPE = 2
    TRACK = 3
    KEYFRAME = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One batch; the fields are documented in columnar.proto."""

    object_kind: ObjectKind
    count: int
    id: bytes = b""
    frame: bytes = b""
    label_id: bytes = b""
    shape_kind: bytes = b""
    flags: bytes = b""
    z_order: bytes = b""
    group: bytes = b""
    rotation: bytes = b""
    points_offset: bytes = b""
    points: bytes = b""
    attributes_offset: bytes = b""
    attribute_id: bytes = b""
    attribute_value: bytes = b""
    strings: tuple[str, ...] = ()
    source: bytes = b""
    parent: bytes = b""
    origin: bytes = b""
    job_id: bytes = b""

    def columns(self) -> dict[str, Any]:
        """Arguments of the proto message's constructor."""
        return {column.name: getattr(self, column.name) for column in fields(self)}

    @classmethod
    def of(cls, message: object) -> "Batch":
        """The columns of a proto message; raises AnnotationError when they do not fit together."""
        try:
            given = {column.name: getattr(message, column.name) for column in fields(cls)}
            given["object_kind"] = ObjectKind(given["object_kind"])
        except ValueError as unknown:
            raise broken("object_kind", str(unknown)) from unknown
        batch = cls(**{**given, "strings": tuple(given["strings"])})
        _check(batch)
        return batch


_WIDTHS = {"id": 8, "frame": 4, "label_id": 8, "shape_kind": 1, "flags": 1, "z_order": 4, "group": 4}
_WIDTHS |= {"rotation": 8, "source": 1, "parent": 8, "origin": 4, "job_id": 8}
_OBJECT = ("id", "label_id", "group", "source", "origin", "job_id")
_GEOMETRY = ("frame", "shape_kind", "flags", "z_order", "rotation")
_COLUMNS = {
    ObjectKind.TAG: (*_OBJECT, "frame"),
    ObjectKind.SHAPE: (*_OBJECT, *_GEOMETRY),
    ObjectKind.TRACK: _OBJECT,
    ObjectKind.KEYFRAME: (*_GEOMETRY, "parent"),
}


def _check(batch: Batch) -> None:
    """Refuses columns of wrong length, and offsets and indexes that lead outside."""
    if not 1 <= batch.count <= LARGEST_BATCH:
        raise broken("count", f"{batch.count} is not between 1 and {LARGEST_BATCH}")
    present = _COLUMNS[batch.object_kind]
    for name, width in _WIDTHS.items():
        expected = batch.count * width if name in present else 0
        if len(getattr(batch, name)) != expected:
            raise broken(name, f"has {len(getattr(batch, name))} bytes, {expected} are needed")
    if batch.object_kind in (ObjectKind.SHAPE, ObjectKind.KEYFRAME):
        _check_offsets("points_offset", batch.points_offset, batch.count, len(batch.points) / 8)
        _check_codes("shape_kind", batch.shape_kind, ShapeKind)
    if batch.object_kind is not ObjectKind.KEYFRAME:
        _check_codes("source", batch.source, (0, *Source))
        _check_indexes("origin", batch, least=-1)
    _check_attributes(batch)


def _check_attributes(batch: Batch) -> None:
    if len(batch.attribute_value) * 2 != len(batch.attribute_id):
        raise broken("attribute_value", "must have one value for each attribute id")
    _check_offsets("attributes_offset", batch.attributes_offset, batch.count, len(batch.attribute_id) / 8)
    _check_indexes("attribute_value", batch, least=0)


def _check_offsets(name: str, column: bytes, count: int, total: float) -> None:
    if len(column) != 8 * (count + 1):
        raise broken(name, f"has {len(column)} bytes, {8 * (count + 1)} are needed")
    offsets: NDArray[np.int64] = np.frombuffer(column, dtype="<i8")
    if offsets[0] != 0 or offsets[-1] != total or bool(np.any(np.diff(offsets) < 0)):
        raise broken(name, f"must ascend from 0 to {total:g}")


def _check_indexes(name: str, batch: Batch, *, least: int) -> None:
    indexes = np.frombuffer(getattr(batch, name), dtype="<i4")
    if len(indexes) and not (least <= indexes.min() and indexes.max() < len(batch.strings)):
        raise broken(name, f"has an index outside the {len(batch.strings)} strings")


def _check_codes(name: str, column: bytes, known: Iterable[int]) -> None:
    if unknown := set(column) - set(known):
        raise broken(name, f"unknown number {min(unknown)}")


def broken(name: str, description: str) -> AnnotationError:
    """The fault of one column."""
    return AnnotationError([Fault(f"batch.{name}", description)])
