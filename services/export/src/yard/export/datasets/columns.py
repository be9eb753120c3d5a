"""Batches of columns as the rows that formats write: a whole column at a time, not an object at a time."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice, pairwise, repeat
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from yard.annotations.batch import Batch
from yard.annotations.columnar_rows import taken
from yard.annotations.labels import LabelSchema
from yard.annotations.model import Attributes, ShapeKind, Source
from yard.export.datasets.drawn import Drawn, Tagged, Values
from yard.runtime import errors

Row = TypeVar("Row", Drawn, Tagged)
Ints = NDArray[np.int64]
Runs = Sequence[tuple[int, int]]

KINDS = {int(kind): kind for kind in ShapeKind}
SOURCES = {int(source): source for source in Source} | {0: Source.MANUAL}
OCCLUDED, OUTSIDE = 1, 2
# What NamedTuple._make does, without a Python function around it.
make_drawn = partial(tuple.__new__, Drawn)
_make_tagged = partial(tuple.__new__, Tagged)
z_order_of = attrgetter("z_order")


class _Defaults(dict[int, Values]):
    """The defaults of labels by their ids."""

    def __init__(self, labels: LabelSchema) -> None:
        super().__init__()
        self._labels = labels

    def __missing__(self, label_id: int) -> Values:
        found = self[label_id] = tuple(self._labels.completed(label_id, {}).items())
        return found


class Completion:
    """Attributes of objects with defaults where none is given, in the order of their label."""

    def __init__(self, labels: LabelSchema) -> None:
        self._labels = labels
        self._defaults = _Defaults(labels)

    def completed(self, label_id: int, given: Attributes) -> Values:
        """All attributes of one object."""
        if not given:
            return self._defaults[label_id]
        return tuple(self._labels.completed(label_id, given).items())

    def of(self, batch: Batch, label_ids: list[int]) -> Iterable[Values]:
        """Those of each row; equal ones of a batch are one object."""
        if not batch.attribute_id:
            return map(self._defaults.__getitem__, label_ids)
        return map(_Known(self, batch).__getitem__, _keys(batch))


class _Known(dict[bytes, Values]):
    """The attributes of a batch by what its columns say of a row: its label, then ids, then texts."""

    def __init__(self, completion: Completion, batch: Batch) -> None:
        super().__init__()
        self._completion = completion
        self._strings = batch.strings

    def __missing__(self, key: bytes) -> Values:
        count = (len(key) - 8) // 12
        label_id, *ids = np.frombuffer(key, "<i8", count + 1).tolist()
        texts: list[int] = np.frombuffer(key, "<i4", count, 8 + 8 * count).tolist()
        strings = self._strings
        own = {number: strings[text] for number, text in zip(ids, texts, strict=True)}
        found = self[key] = self._completion.completed(label_id, own)
        return found


def _keys(batch: Batch) -> Iterable[bytes]:
    labels, ids, texts = batch.label_id, batch.attribute_id, batch.attribute_value
    offsets = _column(batch.attributes_offset, "<i8")
    width = int(offsets[1])
    if (np.diff(offsets) != width).any():
        spans = enumerate(pairwise(offsets.tolist()))
        return (
            labels[8 * row : 8 * row + 8] + ids[8 * begin : 8 * end] + texts[4 * begin : 4 * end]
            for row, (begin, end) in spans
        )
    columns = [_column(column, "u1").reshape(batch.count, -1) for column in (labels, ids, texts)]
    rows, size = np.concatenate(columns, axis=1).tobytes(), 8 + 12 * width
    return [rows[begin : begin + size] for begin in range(0, len(rows), size)]


def given(batch: Batch, begin: int, end: int) -> dict[int, str]:
    """The attributes begin to end of a batch's columns, by id."""
    ids: list[int] = np.frombuffer(batch.attribute_id, "<i8")[begin:end].tolist()
    texts: list[int] = np.frombuffer(batch.attribute_value, "<i4")[begin:end].tolist()
    return {key: batch.strings[text] for key, text in zip(ids, texts, strict=True)}


class Run(NamedTuple):
    """The rows of a batch, by frame."""

    frames: Ints
    z_order: Ints | None
    rows: Iterator[Any]
    """Made when they are asked for: few of them at a time cost the garbage collector nothing."""


def drawn_of(batch: Batch, completion: Completion) -> Run:
    """The shapes of a batch."""
    frames = _column(batch.frame, "<i4")
    z_order = _column(batch.z_order, "<i4")
    label_ids: list[int] = _column(batch.label_id, "<i8").tolist()
    columns = (
        frames.tolist(),
        map(KINDS.__getitem__, batch.shape_kind),
        _points(batch),
        _column(batch.rotation, "<f8").tolist(),
        (_column(batch.flags, "u1") & OCCLUDED).astype(np.bool_).tolist(),
        z_order.tolist(),
        label_ids,
        _column(batch.group, "<i4").tolist(),
        map(SOURCES.__getitem__, batch.source),
        completion.of(batch, label_ids),
        repeat(-1, batch.count),
        repeat(False, batch.count),
    )
    return Run(frames, z_order, map(make_drawn, zip(*columns, strict=True)))


def tagged_of(batch: Batch, completion: Completion) -> Run:
    """The tags of a batch."""
    frames = _column(batch.frame, "<i4")
    label_ids: list[int] = _column(batch.label_id, "<i8").tolist()
    columns = (
        frames.tolist(),
        label_ids,
        _column(batch.group, "<i4").tolist(),
        map(SOURCES.__getitem__, batch.source),
        completion.of(batch, label_ids),
    )
    return Run(frames, None, map(_make_tagged, zip(*columns, strict=True)))


def in_order(batches: Iterable[Batch], deleted: Runs) -> Iterator[Batch]:
    """The batches without what is on deleted frames; Internal if a frame comes after a later one."""
    last = -1
    for batch in batches:
        frames = _column(batch.frame, "<i4")
        if frames[0] < last or (np.diff(frames) < 0).any():
            before = np.concatenate([[last], frames])
            place = int(np.flatnonzero(np.diff(before) < 0)[0])
            raise errors.Internal(
                f"annotations came out of order: frame {before[place + 1]} after {before[place]}"
            )
        last = int(frames[-1])
        kept = np.flatnonzero(shown(frames, deleted)) if deleted else None
        if kept is None or len(kept) == batch.count:
            yield batch
        elif len(kept):
            yield taken(batch, kept)


def shown(frames: Ints, deleted: Runs) -> NDArray[np.bool_]:
    """Which frames lie in none of the runs."""
    starts, ends = np.array(deleted, dtype=np.int64).reshape(-1, 2).T
    place = np.searchsorted(starts, frames, side="right") - 1
    result: NDArray[np.bool_] = (place < 0) | (frames > ends[place])
    return result


def by_frame(runs: Iterable[Run]) -> Iterator[tuple[int, list[Any]]]:
    """Each frame that has rows, with them, by z order if they have one."""
    present = -1
    held: list[Any] = []
    for run in runs:
        rows = _sorted(run)
        cuts = np.append(np.flatnonzero(np.diff(run.frames)), len(run.frames) - 1)
        for number, count in zip(run.frames[cuts].tolist(), np.diff(cuts, prepend=-1).tolist(), strict=True):
            if number != present:
                if held:
                    yield present, held
                present, held = number, list(islice(rows, count))
            else:
                held += islice(rows, count)
                if run.z_order is not None:
                    held.sort(key=z_order_of)
    if held:
        yield present, held


class AtFrames:
    """The rows of one frame after another."""

    def __init__(self, groups: Iterator[tuple[int, list[Any]]]) -> None:
        self._groups = groups
        self._next = next(groups, None)

    def at(self, frame: int) -> list[Any]:
        """Those of a frame, a list of the caller's own; ask by ascending frame."""
        while self._next is not None:
            number, rows = self._next
            if number > frame:
                break
            self._next = next(self._groups, None)
            if number == frame:
                return rows
        return []


def _sorted(run: Run) -> Iterator[Any]:
    """The rows by frame and z order, equal ones as they came."""
    frames, z_order, rows = run
    if z_order is None or not ((np.diff(z_order) < 0) & (np.diff(frames) == 0)).any():
        return rows
    return map(list(rows).__getitem__, np.lexsort((z_order, frames)).tolist())


def _points(batch: Batch) -> Iterable[list[float]]:
    """The numbers of each row."""
    offsets = _column(batch.points_offset, "<i8")
    numbers: list[float] = _column(batch.points, "<f8").tolist()
    width = int(offsets[1])
    if width and (np.diff(offsets) == width).all():
        return in_rows(numbers, width)
    return (numbers[begin:end] for begin, end in pairwise(offsets.tolist()))


def in_rows(numbers: list[float], width: int) -> Iterator[list[float]]:
    """The numbers in lists of one length, made as they are asked for."""
    return map(list, zip(*[iter(numbers)] * width, strict=True))


def _column(column: bytes, form: str) -> NDArray[Any]:
    return np.frombuffer(column, dtype=form)
