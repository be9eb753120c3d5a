"""Found objects as columns. Numbers that no column can hold are refused here, object by object."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from yard.annotations.batch import Batch, ObjectKind
from yard.annotations.model import Attributes, Keyframe, ShapeKind, Source
from yard.export.intakes.intake import Floats, FoundTag, FoundTrack, Ints, Points, ShapeColumns

_OCCLUDED, _OUTSIDE, _KEYFRAME = 1, 2, 4
_INT32: Final = (-(2**31), 2**31 - 1)

Refuse = Callable[[int, str], None]
"""Takes the place of an object and what is wrong with it."""


def tag_batch(tags: Sequence[FoundTag], refuse: Refuse) -> Batch:
    """Rows of tags."""
    frames, labels, attributes, groups, sources = zip(*tags, strict=True)
    return Batch(
        object_kind=ObjectKind.TAG,
        count=len(tags),
        frame=_column(frames, "<i4"),
        **_common(labels, groups, sources, refuse),
        **_attribute_columns(attributes),
    )


def joined(parts: Sequence[ShapeColumns]) -> ShapeColumns:
    """All rows in their order."""
    if len(parts) == 1:
        return parts[0]
    points = _joined_points([part.points for part in parts])
    others = (part._replace(points=()) for part in parts)
    rows = ShapeColumns(*(list(chain.from_iterable(column)) for column in zip(*others, strict=True)))
    return rows._replace(points=points)


def _joined_points(parts: Sequence[Points]) -> Points:
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if len(arrays) == len(parts) and len({array.shape[1] for array in arrays}) == 1:
        return np.concatenate(arrays)
    lists = (part.tolist() if isinstance(part, np.ndarray) else part for part in parts)
    return list(chain.from_iterable(lists))


def shape_batch(rows: ShapeColumns, refuse: Refuse) -> Batch:
    """Rows of shapes."""
    return Batch(
        object_kind=ObjectKind.SHAPE,
        count=len(rows.frames),
        frame=_column(rows.frames, "<i4"),
        shape_kind=bytes(rows.kinds),
        flags=bytes(map(bool, rows.occluded)),
        z_order=_small(rows.orders, "z order", refuse),
        rotation=_turns(_floats(rows.rotations, "rotation", refuse)),
        **_common(rows.label_ids, rows.groups, rows.sources, refuse),
        **_point_columns(rows.points, refuse),
        **_attribute_columns(rows.attributes),
    )


def box_batch(frames: Ints, label_ids: Ints, corners: Floats) -> Batch:
    """Rows of rectangles without anything else."""
    count = len(frames)
    return Batch(
        object_kind=ObjectKind.SHAPE,
        count=count,
        frame=frames.astype("<i4").tobytes(),
        shape_kind=bytes([ShapeKind.RECTANGLE]) * count,
        flags=bytes(count),
        z_order=bytes(4 * count),
        rotation=bytes(8 * count),
        points_offset=np.arange(0, 4 * count + 1, 4, dtype="<i8").tobytes(),
        points=np.ascontiguousarray(corners, "<f8").tobytes(),
        attributes_offset=bytes(8 * (count + 1)),
        label_id=label_ids.astype("<i8").tobytes(),
        group=bytes(4 * count),
        source=bytes([Source.FILE]) * count,
        **_unknown(count),
    )


def track_batch(tracks: Sequence[FoundTrack], refuse: Refuse) -> Batch:
    """Rows of tracks without their keyframes."""
    labels, _, attributes, groups, sources = zip(*tracks, strict=True)
    return Batch(
        object_kind=ObjectKind.TRACK,
        count=len(tracks),
        **_common(labels, groups, sources, refuse),
        **_attribute_columns(attributes),
    )


def keyframe_batch(parents: Ints, keyframes: Sequence[Keyframe], refuse: Refuse) -> Batch:
    """Rows of keyframes; `parents` are the numbers of their tracks in the stream."""
    flags = [_KEYFRAME | _OCCLUDED * one.occluded | _OUTSIDE * one.outside for one in keyframes]
    return Batch(
        object_kind=ObjectKind.KEYFRAME,
        count=len(keyframes),
        parent=parents.astype("<i8").tobytes(),
        frame=_column([one.frame for one in keyframes], "<i4"),
        shape_kind=bytes([one.kind for one in keyframes]),
        flags=bytes(flags),
        z_order=_small([one.z_order for one in keyframes], "z order", refuse),
        rotation=_turns(_floats([one.rotation for one in keyframes], "rotation", refuse)),
        **_point_columns([one.points for one in keyframes], refuse),
        **_attribute_columns([one.attributes for one in keyframes]),
    )


def as_shapes(batch: Batch, label_ids: Ints) -> Batch:
    """Keyframes as if they were shapes, for the same checks."""
    columns = batch.columns() | {"object_kind": ObjectKind.SHAPE, "parent": b""}
    columns |= {"label_id": label_ids.astype("<i8").tobytes(), "group": bytes(4 * batch.count)}
    columns |= {"source": bytes([Source.FILE]) * batch.count} | _unknown(batch.count)
    return Batch(**columns)


def _common(
    labels: Sequence[int], groups: Sequence[int], sources: Sequence[int], refuse: Refuse
) -> dict[str, Any]:
    return {
        "label_id": _column(labels, "<i8"),
        "group": _small(groups, "group", refuse),
        "source": bytes(sources),
        **_unknown(len(labels)),
    }


def _unknown(count: int) -> dict[str, Any]:
    """Columns of what only the platform gives."""
    return {"id": bytes(8 * count), "job_id": bytes(8 * count), "origin": b"\xff" * (4 * count)}


def _column(values: Sequence[int], form: str) -> bytes:
    return np.fromiter(values, form, len(values)).tobytes()


def _small(values: Sequence[int], name: str, refuse: Refuse) -> bytes:
    """A column of int32."""
    low, high = _INT32
    if min(values) < low or max(values) > high:
        for row, value in enumerate(values):
            if not low <= value <= high:
                refuse(row, f"{name}: the number is not between {low} and {high}")
        values = [value if low <= value <= high else 0 for value in values]
    return _column(values, "<i4")


def _floats(values: Sequence[float], name: str, refuse: Refuse) -> Floats:
    try:
        return np.fromiter(values, np.float64, len(values))
    except (OverflowError, TypeError, ValueError):
        return np.array([_float(value, name, row, refuse) for row, value in enumerate(values)])


def _float(value: Any, name: str, row: int, refuse: Refuse) -> float:
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError):
        refuse(row, f"{name}: {str(value)[:40]!r} is not a number that can be kept")
        return 0.0


def _turns(degrees: Floats) -> bytes:
    """The same directions from 0 to less than 360."""
    outside = ~((degrees >= 0) & (degrees < 360))
    if outside.any():
        with np.errstate(invalid="ignore"):
            turned = np.where(outside, degrees % 360, degrees)
        degrees = np.where(turned >= 360, 0.0, turned)
    return degrees.astype("<f8").tobytes()


def _point_columns(points: Points, refuse: Refuse) -> dict[str, Any]:
    if isinstance(points, np.ndarray):
        offsets = np.arange(0, points.size + 1, points.shape[1], dtype="<i8")
        return {"points_offset": offsets.tobytes(), "points": points.astype("<f8").tobytes()}
    lengths = np.fromiter(map(len, points), np.int64, len(points))
    try:
        numbers: NDArray[np.float64] = np.fromiter(chain.from_iterable(points), "<f8", int(lengths.sum()))
    except (OverflowError, TypeError, ValueError):
        rows = enumerate(points)
        numbers = np.array([_float(one, "points", row, refuse) for row, own in rows for one in own], "<f8")
    return {"points_offset": _offsets(lengths), "points": numbers.tobytes()}


def _attribute_columns(values: Sequence[Attributes]) -> dict[str, Any]:
    if not any(values):
        return {"attributes_offset": bytes(8 * (len(values) + 1))}
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    strings: dict[str, int] = {}
    numbers = [strings.setdefault(text, len(strings)) for own in values for text in own.values()]
    return {
        "attributes_offset": _offsets(lengths),
        "attribute_id": _ids(values, len(numbers)),
        "attribute_value": _column(numbers, "<i4"),
        "strings": tuple(strings),
    }


def _ids(values: Iterable[Attributes], count: int) -> bytes:
    return np.fromiter(chain.from_iterable(values), "<i8", count).tobytes()


def _offsets(lengths: Ints) -> bytes:
    offsets = np.zeros(len(lengths) + 1, "<i8")
    np.cumsum(lengths, out=offsets[1:])
    return offsets.tobytes()
