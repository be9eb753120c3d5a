"""Some rows of a batch of tags or shapes: one as an object, or several as another batch."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from yard.annotations.batch import Batch, ObjectKind
from yard.annotations.model import Shape, ShapeKind, Source, Tag

_OCCLUDED: Final = 1
_SOURCES: Final = {int(source): source for source in Source} | {0: Source.MANUAL}


def decode_row(batch: Batch, row: int) -> Tag | Shape:
    """One row of a batch of tags or shapes as an object."""
    first, last = np.frombuffer(batch.attributes_offset, "<i8")[row : row + 2].tolist()
    ids = np.frombuffer(batch.attribute_id, "<i8")[first:last].tolist()
    texts = np.frombuffer(batch.attribute_value, "<i4")[first:last].tolist()
    origin = _number(batch.origin, "<i4", row)
    common: dict[str, Any] = {
        "id": _number(batch.id, "<i8", row),
        "frame": _number(batch.frame, "<i4", row),
        "label_id": _number(batch.label_id, "<i8", row),
        "group": _number(batch.group, "<i4", row),
        "source": _SOURCES[_number(batch.source, "u1", row)],
        "attributes": {key: batch.strings[text] for key, text in zip(ids, texts, strict=True)},
        "job_id": _number(batch.job_id, "<i8", row),
        "origin": batch.strings[origin] if origin >= 0 else "",
    }
    if batch.object_kind is ObjectKind.TAG:
        return Tag(**common)
    begin, end = np.frombuffer(batch.points_offset, "<i8")[row : row + 2].tolist()
    return Shape(
        **common,
        kind=ShapeKind(_number(batch.shape_kind, "u1", row)),
        points=tuple(np.frombuffer(batch.points, "<f8")[begin:end].tolist()),
        rotation=_number(batch.rotation, "<f8", row),
        occluded=bool(_number(batch.flags, "u1", row) & _OCCLUDED),
        z_order=_number(batch.z_order, "<i4", row),
    )


def taken(batch: Batch, rows: NDArray[np.int64]) -> Batch:
    """The rows with these numbers, in this order; a row may come more than once."""
    columns: dict[str, bytes] = {
        name: np.frombuffer(column, form)[rows].tobytes()
        for name, form in _EVEN.items()
        if (column := getattr(batch, name))
    }
    offsets, places = _spread(batch.attributes_offset, rows)
    columns["attributes_offset"] = offsets
    columns["attribute_id"] = np.frombuffer(batch.attribute_id, "<i8")[places].tobytes()
    columns["attribute_value"] = np.frombuffer(batch.attribute_value, "<i4")[places].tobytes()
    if batch.points_offset:
        columns["points_offset"], places = _spread(batch.points_offset, rows)
        columns["points"] = np.frombuffer(batch.points, "<f8")[places].tobytes()
    return replace(batch, count=len(rows), **columns)  # type: ignore[arg-type]


def ranges(begins: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places begin, begin + 1, ... of all rows, one row after another."""
    starts = np.cumsum(lengths) - lengths
    places: NDArray[np.int64] = np.arange(int(lengths.sum())) + np.repeat(begins - starts, lengths)
    return places


_EVEN: Final = {
    "id": "<i8",
    "frame": "<i4",
    "label_id": "<i8",
    "shape_kind": "u1",
    "flags": "u1",
    "z_order": "<i4",
    "group": "<i4",
    "rotation": "<f8",
    "source": "u1",
    "origin": "<i4",
    "job_id": "<i8",
}


def _spread(column: bytes, rows: NDArray[np.int64]) -> tuple[bytes, NDArray[np.int64]]:
    """New offsets of the rows, and the places of their values."""
    offsets: NDArray[np.int64] = np.frombuffer(column, "<i8")
    lengths = np.diff(offsets)[rows]
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype("<i8")
    return ends.tobytes(), ranges(offsets[rows], lengths)


def _number(column: bytes, form: str, row: int) -> Any:
    return np.frombuffer(column, dtype=form)[row].item()
