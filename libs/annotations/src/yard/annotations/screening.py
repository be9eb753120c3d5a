"""Checks of tags and shapes as columns, by the rules of `validation`.

Whole columns are searched for rows that may not be as they should; only those are looked at one by one, by
the same checks that objects get. Rows that are plainly good, as nearly all are, never become objects.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from yard.annotations.batch import Batch, ObjectKind
from yard.annotations.columnar_rows import decode_row, ranges
from yard.annotations.errors import AnnotationError, Fault
from yard.annotations.model import AnnotationSet, Shape, ShapeKind
from yard.annotations.validation import MOST_NUMBERS, Rules, validated

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_EXACT = {ShapeKind.RECTANGLE: 4, ShapeKind.ELLIPSE: 4, ShapeKind.CUBOID: 16}
_UNKNOWN = 1e300
_LEAST = {ShapeKind.POLYGON: 6, ShapeKind.POLYLINE: 4, ShapeKind.POINTS: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """A batch with coordinates clamped, and what is wrong with it."""

    batch: Batch
    faults: list[Fault]


def screened(batch: Batch, rules: Rules, path_of: Callable[[int], str]) -> Screened:
    """Checks a batch of tags or shapes; `path_of` names a row in faults."""
    faults: list[Fault] = []
    repeated = _repeated(batch)
    doubtful = np.flatnonzero(_doubtful(batch, rules) | repeated)
    points: Floats | None = None
    for row in doubtful.tolist():
        path = path_of(row)
        if repeated[row]:
            faults.append(Fault(f"{path}.attributes", "give an attribute more than once"))
        item = decode_row(batch, row)
        is_shape = isinstance(item, Shape)
        given = AnnotationSet(shapes=(item,)) if isinstance(item, Shape) else AnnotationSet(tags=(item,))
        try:
            checked = validated(given, rules, path="")
        except AnnotationError as refused:
            prefix = len(".shapes[0]" if is_shape else ".tags[0]")
            faults += (Fault(path + fault.field[prefix:], fault.description) for fault in refused.faults)
            continue
        if is_shape and checked.shapes[0].points != given.shapes[0].points:
            points = points if points is not None else np.frombuffer(batch.points, "<f8").copy()
            begin = int(np.frombuffer(batch.points_offset, "<i8")[row])
            points[begin : begin + len(checked.shapes[0].points)] = checked.shapes[0].points
    return Screened(batch=batch if points is None else replace(batch, points=points.tobytes()), faults=faults)


def _doubtful(batch: Batch, rules: Rules) -> Flags:
    """Rows that may have faults, or coordinates to clamp."""
    frames = np.frombuffer(batch.frame, "<i4")
    doubtful = (frames < rules.first) | (frames > rules.last)
    doubtful |= np.frombuffer(batch.group, "<i4") < 0
    doubtful |= _wrong_labels(batch, rules) | _wrong_attributes(batch, rules)
    if batch.object_kind is ObjectKind.SHAPE:
        doubtful |= _doubtful_geometry(batch, rules, frames, doubtful)
    return doubtful


def _wrong_labels(batch: Batch, rules: Rules) -> Flags:
    labels = np.frombuffer(batch.label_id, "<i8")
    kinds = np.frombuffer(batch.shape_kind, "u1") if batch.shape_kind else np.zeros(batch.count, "u1")
    bad = np.zeros(batch.count, bool)
    for label_id in np.unique(labels).tolist():
        of_label = labels == label_id
        label = rules.schema.label(label_id)
        for kind in np.unique(kinds[of_label]).tolist():
            takes = label is not None and (
                label.kind.takes_shape(ShapeKind(kind)) if kind else label.kind.takes_tag()
            )
            if not takes:
                bad |= of_label & (kinds == kind)
    return bad


def _wrong_attributes(batch: Batch, rules: Rules) -> Flags:
    """Each value that occurs is checked once for its label and attribute."""
    bad = np.zeros(batch.count, bool)
    if not batch.attribute_id:
        return bad
    owners = _owners(batch.attributes_offset)
    triples = np.empty(len(owners), dtype=[("label", "i8"), ("attribute", "i8"), ("text", "i8")])
    triples["label"] = np.frombuffer(batch.label_id, "<i8")[owners]
    triples["attribute"] = np.frombuffer(batch.attribute_id, "<i8")
    triples["text"] = np.frombuffer(batch.attribute_value, "<i4")
    found, places = np.unique(triples, return_inverse=True)
    wrong = np.array(
        [
            (attribute := rules.schema.attributes(label).get(id_)) is None
            or attribute.fault_of(batch.strings[text]) is not None
            for label, id_, text in found.tolist()
        ]
    )
    bad[owners[wrong[places.reshape(-1)]]] = True
    return bad


def _repeated(batch: Batch) -> Flags:
    """Rows that give an attribute more than once."""
    bad = np.zeros(batch.count, bool)
    if batch.attribute_id:
        owners, ids = _owners(batch.attributes_offset), np.frombuffer(batch.attribute_id, "<i8")
        order = np.lexsort((ids, owners))
        same = (np.diff(owners[order]) == 0) & (np.diff(ids[order]) == 0)
        bad[owners[order][1:][same]] = True
    return bad


def _doubtful_geometry(batch: Batch, rules: Rules, frames: NDArray[np.int32], known: Flags) -> Flags:
    kinds, rotations = np.frombuffer(batch.shape_kind, "u1"), np.frombuffer(batch.rotation, "<f8")
    offsets, points = np.frombuffer(batch.points_offset, "<i8"), np.frombuffer(batch.points, "<f8")
    turned = rotations != 0
    bad = ~((rotations >= 0) & (rotations < 360))
    bad |= turned & (kinds != ShapeKind.RECTANGLE) & (kinds != ShapeKind.ELLIPSE)
    bad |= _wrong_counts(kinds, np.diff(offsets))
    rows = np.flatnonzero(~(bad | known))
    if not len(rows):
        return bad
    begins, lengths = offsets[rows], np.diff(offsets)[rows]
    numbers = points if len(rows) == batch.count else points[ranges(begins, lengths)]
    starts = np.cumsum(lengths) - lengths
    is_second = (np.arange(len(numbers)) - np.repeat(starts, lengths)) & 1
    xs, ys = np.where(is_second, np.nan, numbers), np.where(is_second, numbers, np.nan)
    infinite = np.logical_or.reduceat(~np.isfinite(numbers), starts)
    low_x, high_x = np.fmin.reduceat(xs, starts), np.fmax.reduceat(xs, starts)
    low_y, high_y = np.fmin.reduceat(ys, starts), np.fmax.reduceat(ys, starts)
    width, height = _sizes(frames[rows], rules)
    kinds, turned = kinds[rows], turned[rows]
    margin = (turned | (kinds == ShapeKind.ELLIPSE) | (kinds == ShapeKind.CUBOID)).astype(np.float64)
    inside = (low_x >= -margin * width) & (high_x <= (1 + margin) * width)
    inside &= (low_y >= -margin * height) & (high_y <= (1 + margin) * height)
    inside |= width == _UNKNOWN
    bad[rows] = infinite | ~inside | _turned_over(kinds, numbers, starts)
    return bad


def _wrong_counts(kinds: NDArray[np.uint8], lengths: Integers) -> Flags:
    """Masks too: their run lengths are always looked at one by one."""
    bad: Flags = (kinds == ShapeKind.MASK) | (lengths > MOST_NUMBERS)
    for kind, exact in _EXACT.items():
        bad |= (kinds == kind) & (lengths != exact)
    for kind, least in _LEAST.items():
        bad |= (kinds == kind) & ((lengths < least) | (lengths % 2 == 1))
    return bad


def _turned_over(kinds: NDArray[np.uint8], numbers: Floats, starts: Integers) -> Flags:
    """Rectangles and ellipses without an area."""
    bad = np.zeros(len(kinds), bool)
    for kind in (ShapeKind.RECTANGLE, ShapeKind.ELLIPSE):
        rows = np.flatnonzero(kinds == kind)
        if len(rows):
            x0, y0, x1, y1 = numbers[starts[rows][:, None] + np.arange(4)].T
            is_good = (x0 < x1) & ((y0 < y1) if kind is ShapeKind.RECTANGLE else (y1 < y0))
            bad[rows] = ~is_good
    return bad


def _sizes(frames: NDArray[np.int32], rules: Rules) -> tuple[Floats, Floats]:
    """Width and height by row, _UNKNOWN where they are not known."""
    found, places = np.unique(frames, return_inverse=True)
    sizes = np.array(
        [rules.frame_size(frame) or (_UNKNOWN, _UNKNOWN) for frame in found.tolist()], np.float64
    )
    of_rows = sizes[places.reshape(-1)]
    return of_rows[:, 0], of_rows[:, 1]


def _owners(offsets: bytes) -> Integers:
    """The row of each value."""
    lengths = np.diff(np.frombuffer(offsets, "<i8"))
    return np.repeat(np.arange(len(lengths)), lengths)
