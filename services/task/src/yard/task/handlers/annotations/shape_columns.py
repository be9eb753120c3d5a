"""Shapes of a message as columns: one pass over them, and none becomes an object of ours."""

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from frameyard.annotation.v1 import annotation_pb2 as messages
from yard.annotations.batch import LARGEST_BATCH, Batch, ObjectKind
from yard.annotations.model import ShapeKind, Source

_KINDS = frozenset(map(int, ShapeKind))
_SOURCES = frozenset((0, *map(int, Source)))


def batches(shapes: Sequence[messages.Shape], job_id: int) -> Iterator[Batch] | None:
    """The shapes as batches of one job, in their order; None if some are of a kind that there is not."""
    if not ({shape.kind for shape in shapes} <= _KINDS and {shape.source for shape in shapes} <= _SOURCES):
        return None
    # Columns have 32 bits for a frame; what does not fit is not on any frame.
    if not all(0 <= shape.frame < 2**31 for shape in shapes):
        return None
    return (
        _batch(shapes[begin : begin + LARGEST_BATCH], job_id)
        for begin in range(0, len(shapes), LARGEST_BATCH)
    )


def _batch(shapes: Sequence[messages.Shape], job_id: int) -> Batch:
    count = len(shapes)
    points = array("d")
    ends = [0]
    for shape in shapes:
        points.extend(shape.points)
        ends.append(len(points))
    return Batch(
        object_kind=ObjectKind.SHAPE,
        count=count,
        id=bytes(8 * count),
        frame=np.array([shape.frame for shape in shapes], "<i4").tobytes(),
        label_id=np.array([shape.label_id for shape in shapes], "<i8").tobytes(),
        shape_kind=bytes([shape.kind for shape in shapes]),
        flags=bytes([shape.occluded for shape in shapes]),
        z_order=np.array([shape.z_order for shape in shapes], "<i4").tobytes(),
        group=np.array([shape.group for shape in shapes], "<i4").tobytes(),
        rotation=np.array([shape.rotation for shape in shapes], "<f8").tobytes(),
        points_offset=np.array(ends, "<i8").tobytes(),
        points=np.frombuffer(points, "d").astype("<f8").tobytes(),
        source=bytes([shape.source for shape in shapes]),
        origin=np.full(count, -1, "<i4").tobytes(),
        job_id=np.full(count, job_id, "<i8").tobytes(),
        **_attributes(shapes),
    )


def _attributes(shapes: Sequence[messages.Shape]) -> dict[str, Any]:
    lengths = [len(shape.attributes) for shape in shapes]
    if not any(lengths):
        return {"attributes_offset": bytes(8 * (len(shapes) + 1))}
    values = list(chain.from_iterable(shape.attributes for shape in shapes))
    strings: dict[str, int] = {}
    texts = [strings.setdefault(value.value, len(strings)) for value in values]
    return {
        "attributes_offset": np.concatenate([[0], np.cumsum(lengths)]).astype("<i8").tobytes(),
        "attribute_id": np.array([value.attribute_id for value in values], "<i8").tobytes(),
        "attribute_value": np.array(texts, "<i4").tobytes(),
        "strings": tuple(strings),
    }
