"""Rows in the binary form of COPY, made from columns without an object for any of them.

Columns of even width come first. Where all rows of a batch have equally many points and nothing else of
variable length, which is the common case, the whole batch is one array.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from yard.annotations.batch import Batch, ObjectKind

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"

_Form = tuple[tuple[str, str], ...]
_OBJECT: Final[_Form] = (
    ("task_id", "i8"),
    ("id", "i8"),
    ("job_id", "i8"),
    ("label_id", "i8"),
    ("group_number", "i4"),
    ("source", "i2"),
)
_GEOMETRY: Final[_Form] = (
    ("frame", "i4"),
    ("kind", "i2"),
    ("z_order", "i4"),
    ("occluded", "u1"),
    ("rotation", "f8"),
)
_EXTENT: Final[_Form] = (("first_frame", "i4"), ("last_frame", "i4"), ("is_open", "u1"), ("weight", "i8"))
_EVEN: Final[dict[ObjectKind, _Form]] = {
    ObjectKind.TAG: (*_OBJECT, ("frame", "i4")),
    ObjectKind.SHAPE: (*_OBJECT, *_GEOMETRY),
    ObjectKind.TRACK: (*_OBJECT, *_EXTENT),
    ObjectKind.KEYFRAME: (("task_id", "i8"), ("track_id", "i8"), *_GEOMETRY, ("outside", "u1")),
}
_UNEVEN: Final[dict[ObjectKind, tuple[str, ...]]] = {
    ObjectKind.TAG: ("attribute_ids", "attribute_values", "origin"),
    ObjectKind.SHAPE: ("points", "attribute_ids", "attribute_values", "origin"),
    ObjectKind.TRACK: ("attribute_ids", "attribute_values", "origin"),
    ObjectKind.KEYFRAME: ("points", "attribute_ids", "attribute_values"),
}
COLUMNS: Final[dict[ObjectKind, tuple[str, ...]]] = {
    kind: (*(name for name, _ in form), *_UNEVEN[kind]) for kind, form in _EVEN.items()
}

# Length, dimensions, whether there are NULLs, element type; then size and lower bound of the dimension.
_EMPTY: Final = struct.Struct(">iiiI")
_FILLED: Final = struct.Struct(">iiiIii")
_LENGTH: Final = struct.Struct(">i")
_FLOAT8, _INT8, _TEXT = 701, 20, 25
_NO_ATTRIBUTES: Final = _EMPTY.pack(12, 0, 0, _INT8) + _EMPTY.pack(12, 0, 0, _TEXT)
_NO_ORIGIN: Final = _LENGTH.pack(-1)


def copy_rows(batch: Batch, **others: Any) -> bytes:
    """The rows of a batch for COLUMNS of its kind; `others` are the columns that a batch does not have.

    These are the id of the task, ids where the batch has none or other ones, the track ids of keyframes, and
    where tracks begin and end.
    """
    has_points = batch.object_kind in (ObjectKind.SHAPE, ObjectKind.KEYFRAME)
    fixed = _fixed(batch, others)
    is_plain = not batch.attribute_id and not np.any(np.frombuffer(batch.origin, "<i4") >= 0)
    if has_points:
        lengths = np.diff(np.frombuffer(batch.points_offset, "<i8"))
    else:
        lengths = np.zeros(batch.count, np.int64)
    if is_plain and np.all(lengths == lengths[0]):
        return _even(fixed, batch, int(lengths[0]), has_points=has_points)
    tails = [_plain_tail(batch)] * batch.count if is_plain else list(_tails(batch))
    parts = (
        (_pieces(fixed), _points(batch, lengths.tolist()), tails) if has_points else (_pieces(fixed), tails)
    )
    return b"".join(chain.from_iterable(zip(*parts, strict=True)))


def _fixed(batch: Batch, others: Mapping[str, Any]) -> NDArray[Any]:
    """The columns of even width, each after its length, behind the number of columns."""
    columns = _EVEN[batch.object_kind]
    form = [("columns", ">i2")]
    for name, width in columns:
        form += [(f"{name} length", ">i4"), (name, f">{width}")]
    rows = np.zeros(batch.count, dtype=form)
    rows["columns"] = len(COLUMNS[batch.object_kind])
    for name, width in columns:
        rows[f"{name} length"] = int(width[1])
        rows[name] = others[name] if name in others else _column(batch, name)
    return rows


def _column(batch: Batch, name: str) -> NDArray[Any]:
    field, form = _SOURCES[name]
    values: NDArray[Any] = np.frombuffer(getattr(batch, field), form)
    if name == "source":
        # Not given is the same as drawn by a person.
        values = np.maximum(values, 1)
    return values >> _BITS[name] & 1 if name in _BITS else values


_SOURCES: Final = {
    "id": ("id", "<i8"),
    "job_id": ("job_id", "<i8"),
    "label_id": ("label_id", "<i8"),
    "group_number": ("group", "<i4"),
    "source": ("source", "u1"),
    "frame": ("frame", "<i4"),
    "kind": ("shape_kind", "u1"),
    "z_order": ("z_order", "<i4"),
    "occluded": ("flags", "u1"),
    "outside": ("flags", "u1"),
    "rotation": ("rotation", "<f8"),
}
_BITS: Final = {"occluded": 0, "outside": 1}


def _even(fixed: NDArray[Any], batch: Batch, length: int, *, has_points: bool) -> bytes:
    """Rows of the same length as one array."""
    head, tail = _array_head(length) if has_points else b"", _plain_tail(batch)
    form: list[Any] = [("fixed", f"V{fixed.dtype.itemsize}"), ("tail", f"V{len(tail)}")]
    if has_points:
        form[1:1] = [("head", f"V{len(head)}"), ("points", _element_form(), (length,))]
    rows = np.zeros(len(fixed), dtype=form)
    rows["fixed"] = fixed.view(f"V{fixed.dtype.itemsize}")
    rows["tail"] = np.frombuffer(tail, f"V{len(tail)}")
    if has_points:
        rows["head"] = np.frombuffer(head, f"V{len(head)}")
        rows["points"]["length"] = 8
        rows["points"]["value"] = np.frombuffer(batch.points, "<f8").reshape(len(fixed), length)
    return rows.tobytes()


def _plain_tail(batch: Batch) -> bytes:
    """No attributes, and no origin where there could be one."""
    return _NO_ATTRIBUTES if batch.object_kind is ObjectKind.KEYFRAME else _NO_ATTRIBUTES + _NO_ORIGIN


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
    has_origins = batch.object_kind is not ObjectKind.KEYFRAME
    origins = np.frombuffer(batch.origin, "<i4").tolist() if has_origins else [-1] * batch.count
    known: dict[tuple[bytes, bytes], bytes] = {}
    for row, origin in enumerate(origins):
        begin, end = offsets[row], offsets[row + 1]
        given = batch.attribute_id[8 * begin : 8 * end], batch.attribute_value[4 * begin : 4 * end]
        attributes = known.get(given)
        if attributes is None:
            attributes = known[given] = _attributes(batch, *given)
        if has_origins:
            attributes += _origin(batch.strings[origin] if origin >= 0 else "")
        yield attributes


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
