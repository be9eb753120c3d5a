"""Single rows of a batch as objects, where most rows need not become any."""

from typing import Any, Final

import numpy as np
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


def _number(column: bytes, form: str, row: int) -> Any:
    return np.frombuffer(column, dtype=form)[row].item()
