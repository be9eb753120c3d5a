"""Rows of tags and shapes in the binary form of COPY, made from columns without an object for any of them.

Columns of even width come first. Where all rows of a batch have equally many points and nothing else of
variable length, which is the common case, the whole batch is one array.
"""

import struct
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from yard.annotations.batch import Batch, ObjectKind

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"

_TAG: Final = (
    ("task_id", "i8"),
    ("id", "i8"),
    ("job_id", "i8"),
    ("label_id", "i8"),
    ("group_number", "i4"),
    ("source", "i2"),
    ("frame", "i4"),
)
_GEOMETRY: Final = (("kind", "i2"), ("z_order", "i4"), ("occluded", "u1"), ("rotation", "f8"))
_ATTRIBUTES: Final = ("attribute_ids", "attribute_values", "origin")
TAG_COLUMNS: Final = (*(name for name, _ in _TAG), *_ATTRIBUTES)
SHAPE_COLUMNS: Final = (*(name for name, _ in (*_TAG, *_GEOMETRY)), "points", *_ATTRIBUTES)

# Length, dimensions, whether there are NULLs, element type; then size and lower bound of the dimension.
_EMPTY: Final = struct.Struct(">iiiI")
_FILLED: Final = struct.Struct(">iiiIii")
_LENGTH: Final = struct.Struct(">i")
_FLOAT8, _INT8, _TEXT = 701, 20, 25
_NO_ATTRIBUTES: Final = _EMPTY.pack(12, 0, 0, _INT8) + _EMPTY.pack(12, 0, 0, _TEXT)
_NO_ORIGIN: Final = _LENGTH.pack(-1)


def copy_rows(batch: Batch, *, task_id: int, job_id: int, ids: Sequence[int] | NDArray[np.int64]) -> bytes:
    """The rows of a batch with these ids for TAG_COLUMNS or SHAPE_COLUMNS; origins stay as they are."""
    is_shape = batch.object_kind is ObjectKind.SHAPE
    fixed = _fixed(batch, task_id, job_id, ids)
    is_plain = not batch.attribute_id and not np.any(np.frombuffer(batch.origin, "<i4") >= 0)
    lengths = np.diff(np.frombuffer(batch.points_offset, "<i8")) if is_shape else np.zeros(batch.count, int)
    if is_plain and np.all(lengths == lengths[0]):
        return _even(fixed, batch, int(lengths[0]), is_shape=is_shape)
    tails = [_NO_ATTRIBUTES + _NO_ORIGIN] * batch.count if is_plain else list(_tails(batch))
    parts = (_pieces(fixed), _points(batch, lengths.tolist()), tails) if is_shape else (_pieces(fixed), tails)
    return b"".join(chain.from_iterable(zip(*parts, strict=True)))


def _fixed(batch: Batch, task_id: int, job_id: int, ids: Sequence[int] | NDArray[np.int64]) -> NDArray[Any]:
    """The columns of even width, each after its length, behind the number of columns."""
    is_shape = batch.object_kind is ObjectKind.SHAPE
    values: dict[str, Any] = {
        "task_id": task_id,
        "id": ids,
        "job_id": job_id,
        "label_id": np.frombuffer(batch.label_id, "<i8"),
        "group_number": np.frombuffer(batch.group, "<i4"),
        # Not given is the same as drawn by a person.
        "source": np.maximum(np.frombuffer(batch.source, "u1"), 1),
        "frame": np.frombuffer(batch.frame, "<i4"),
    }
    if is_shape:
        values["kind"] = np.frombuffer(batch.shape_kind, "u1")
        values["z_order"] = np.frombuffer(batch.z_order, "<i4")
        values["occluded"] = np.frombuffer(batch.flags, "u1") & 1
        values["rotation"] = np.frombuffer(batch.rotation, "<f8")
    columns = (*_TAG, *_GEOMETRY) if is_shape else _TAG
    form = [("columns", ">i2")]
    for name, width in columns:
        form += [(f"{name} length", ">i4"), (name, f">{width}")]
    rows = np.zeros(batch.count, dtype=form)
    rows["columns"] = len(SHAPE_COLUMNS if is_shape else TAG_COLUMNS)
    for name, width in columns:
        rows[f"{name} length"] = int(width[1])
        rows[name] = values[name]
    return rows


def _even(fixed: NDArray[Any], batch: Batch, length: int, *, is_shape: bool) -> bytes:
    """Rows of the same length as one array."""
    head = _array_head(length) if is_shape else b""
    tail = _NO_ATTRIBUTES + _NO_ORIGIN
    form: list[Any] = [("fixed", f"V{fixed.dtype.itemsize}"), ("head", f"V{len(head)}")]
    form += [("points", _element_form(), (length,)), ("tail", f"V{len(tail)}")]
    rows = np.zeros(len(fixed), dtype=form)
    rows["fixed"] = fixed.view(f"V{fixed.dtype.itemsize}")
    rows["tail"] = np.frombuffer(tail, f"V{len(tail)}")
    if head:
        rows["head"] = np.frombuffer(head, f"V{len(head)}")
    if length:
        rows["points"]["length"] = 8
        rows["points"]["value"] = np.frombuffer(batch.points, "<f8").reshape(len(fixed), length)
    return rows.tobytes()


def _element_form() -> np.dtype[Any]:
    return np.dtype([("length", ">i4"), ("value", ">f8")])


def _array_head(length: int) -> bytes:
    if not length:
        return _EMPTY.pack(12, 0, 0, _FLOAT8)
    return _FILLED.pack(20 + 12 * length, 1, 0, _FLOAT8, length, 1)


def _pieces(rows: NDArray[Any]) -> list[bytes]:
    width = rows.dtype.itemsize
    packed = rows.tobytes()
    return [packed[begin : begin + width] for begin in range(0, len(packed), width)]


def _points(batch: Batch, lengths: Sequence[int]) -> Iterable[bytes]:
    values = np.frombuffer(batch.points, "<f8")
    elements = np.empty(len(values), dtype=_element_form())
    elements["length"], elements["value"] = 8, values
    packed, begin = elements.tobytes(), 0
    heads = {length: _array_head(length) for length in set(lengths)}
    for length in lengths:
        yield heads[length] + packed[begin : begin + 12 * length]
        begin += 12 * length


def _tails(batch: Batch) -> Iterable[bytes]:
    """Attributes and origin of each row; rows with the same attributes are packed once."""
    offsets = np.frombuffer(batch.attributes_offset, "<i8").tolist()
    origins = np.frombuffer(batch.origin, "<i4").tolist()
    known: dict[tuple[bytes, bytes], bytes] = {}
    for row, origin in enumerate(origins):
        begin, end = offsets[row], offsets[row + 1]
        given = batch.attribute_id[8 * begin : 8 * end], batch.attribute_value[4 * begin : 4 * end]
        attributes = known.get(given)
        if attributes is None:
            attributes = known[given] = _attributes(batch, *given)
        yield attributes + _origin(batch.strings[origin] if origin >= 0 else "")


def _origin(text: str) -> bytes:
    return _LENGTH.pack(16) + UUID(text).bytes if text else _NO_ORIGIN


def _attributes(batch: Batch, ids: bytes, texts: bytes) -> bytes:
    if not ids:
        return _NO_ATTRIBUTES
    keys = np.frombuffer(ids, "<i8").tolist()
    values = [batch.strings[number].encode() for number in np.frombuffer(texts, "<i4").tolist()]
    return _filled(_INT8, [struct.pack(">q", key) for key in keys]) + _filled(_TEXT, values)


def _filled(kind: int, values: Sequence[bytes]) -> bytes:
    elements = b"".join(_LENGTH.pack(len(value)) + value for value in values)
    return _FILLED.pack(20 + len(elements), 1, 0, kind, len(values), 1) + elements
