"""Tracks as they are kept, cut into stretches as they are read."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from yard.annotations.batch import Batch, ObjectKind, broken
from yard.annotations.model import Attributes, Track
from yard.export.datasets.columns import OCCLUDED, OUTSIDE, SOURCES, Completion, given
from yard.export.datasets.drawn import Values
from yard.export.datasets.stretches import (
    FLAGS,
    FOR_EVER,
    FRAME,
    KIND,
    ROTATION,
    VALUES,
    WIDTH,
    Z_ORDER,
    Keyframes,
    Owner,
    Stretch,
)
from yard.runtime import errors

# Keyframes and numbers after which a track is cut: what one track holds in memory at a time.
LONGEST = 128
MOST_NUMBERS = 8192
Take = Callable[[Stretch], None]


def cut_stream(take: Take, batches: Iterable[Batch], completion: Completion) -> None:
    """Hands over the stretches of all tracks; Internal unless those ascend by first frame."""
    waiting: deque[tuple[Owner, Attributes]] = deque()
    count = 0
    cutter: Cutter | None = None
    for batch in batches:
        if batch.object_kind is ObjectKind.TRACK:
            waiting += _owners(batch, count)
            count += batch.count
            continue
        for parent, keyframes, attributes in _runs(batch):
            if cutter is None or parent != cutter.owner.number:
                least = -1 if cutter is None else cutter.close()
                if not waiting or waiting[0][0].number != parent:
                    raise broken("parent", f"track {parent} is not the present one")
                cutter = Cutter(take, completion, *waiting.popleft(), least=least)
            cutter.feed(keyframes, attributes)
    if cutter is not None:
        cutter.close()
    if waiting:
        raise broken("parent", f"track {waiting[0][0].number} has no keyframes")


def stretches_of(track: Track, number: int, completion: Completion) -> list[Stretch]:
    """The stretches of one track."""
    found: list[Stretch] = []
    owner = Owner(number, track.label_id, track.group, track.source)
    cutter = Cutter(found.append, completion, owner, track.attributes, least=-1)
    kept = track.keyframes
    heads = [
        (k.frame, k.kind, OCCLUDED * k.occluded | OUTSIDE * k.outside, k.z_order, 0, k.rotation) for k in kept
    ]
    counts = np.fromiter((len(k.points) for k in kept), dtype=np.int64, count=len(kept))
    points = np.fromiter(chain.from_iterable(k.points for k in kept), dtype=np.float64)
    cutter.feed(Keyframes(np.array(heads, dtype=np.float64), counts, points), [k.attributes for k in kept])
    cutter.close()
    return found


class Cutter:
    """Gathers the keyframes of one track and hands over a stretch when there are enough."""

    def __init__(
        self, take: Take, completion: Completion, owner: Owner, attributes: Attributes, *, least: int
    ) -> None:
        self.owner = owner
        self._take = take
        self._completion = completion
        self._attributes = attributes
        self._least = least
        self._first = -1
        # Sets of attributes by number, the last of which holds now.
        self._values: dict[int, Values] = {0: completion.completed(owner.label_id, attributes)}
        self._now = 0
        self._held: Keyframes | None = None

    def feed(self, keyframes: Keyframes, attributes: Sequence[Attributes] | None) -> None:
        """Takes the keyframes that follow; `attributes` None: none of them sets any."""
        if attributes is not None or self._now:
            keyframes = self._numbered(keyframes, attributes or [{}] * len(keyframes.counts))
        if self._held is None:
            self._first = int(keyframes.heads[0, FRAME])
            if self._first < self._least:
                raise errors.Internal(
                    f"annotations came out of order: frame {self._first} after {self._least}"
                )
        else:
            keyframes = Keyframes.joined((self._held, keyframes))
        while (length := _length(keyframes.counts)) < len(keyframes.counts) - 1:
            self._hand_over(keyframes.cut(0, length + 1), is_last=False)
            keyframes = keyframes.cut(length, len(keyframes.counts))
        self._held = keyframes

    def close(self) -> int:
        """Hands over the rest; returns the track's first frame."""
        if self._held is not None:
            self._hand_over(self._held, is_last=True)
        return self._first

    def _numbered(self, keyframes: Keyframes, attributes: Sequence[Attributes]) -> Keyframes:
        """The same keyframes with the numbers of the attributes that hold there."""
        numbers = []
        for own in attributes:
            if own:
                self._attributes = {**self._attributes, **own}
                values = self._completion.completed(self.owner.label_id, self._attributes)
                if values != self._values[self._now]:
                    self._now += 1
                    self._values[self._now] = values
            numbers.append(self._now)
        heads = keyframes.heads.copy()
        heads[:, VALUES] = numbers
        return keyframes._replace(heads=heads)

    def _hand_over(self, keyframes: Keyframes, *, is_last: bool) -> None:
        heads, values = keyframes.heads, [self._values[0]] if not self._now else []
        if self._now:
            used, places = np.unique(heads[:, VALUES], return_inverse=True)
            values = [self._values[int(number)] for number in used]
            self._values = {number: held for number, held in self._values.items() if number >= used[-1]}
            heads = heads.copy()
            heads[:, VALUES] = places
        frames: list[int] = heads[:, FRAME].astype(np.int64).tolist()
        until = FOR_EVER if is_last else frames[-1] - 1
        if is_last and int(heads[-1, FLAGS]) & OUTSIDE:
            until = frames[-1]
        self._take(Stretch(self.owner, until, keyframes._replace(heads=heads), frames, values))


def _length(counts: NDArray[np.int64]) -> int:
    """How many keyframes make a stretch, one at least."""
    if len(counts) <= LONGEST and int(counts.sum()) <= MOST_NUMBERS:
        return len(counts)
    return max(1, min(LONGEST, int(np.searchsorted(np.cumsum(counts), MOST_NUMBERS, side="right"))))


def _owners(batch: Batch, first: int) -> Iterator[tuple[Owner, Attributes]]:
    label_ids: list[int] = np.frombuffer(batch.label_id, "<i8").tolist()
    groups: list[int] = np.frombuffer(batch.group, "<i4").tolist()
    ends: list[int] = np.frombuffer(batch.attributes_offset, "<i8").tolist()
    rows = zip(label_ids, groups, batch.source, pairwise(ends), strict=True)
    for number, (label_id, group, source, (begin, end)) in enumerate(rows, first):
        attributes = given(batch, begin, end) if end > begin else {}
        yield Owner(number, label_id, group, SOURCES[source]), attributes


def _runs(batch: Batch) -> Iterator[tuple[int, Keyframes, Sequence[Attributes] | None]]:
    """The keyframes of a batch, track by track."""
    heads = np.zeros((batch.count, WIDTH))
    for column, name, form in _HEADS:
        heads[:, column] = np.frombuffer(getattr(batch, name), dtype=form)
    offsets: NDArray[np.int64] = np.frombuffer(batch.points_offset, "<i8")
    points: NDArray[np.float64] = np.frombuffer(batch.points, "<f8")
    counts = np.diff(offsets)
    parents: NDArray[np.int64] = np.frombuffer(batch.parent, "<i8")
    cuts = [0, *(np.flatnonzero(np.diff(parents)) + 1).tolist(), batch.count]
    numbers = offsets[cuts].tolist()
    for (begin, end), (first, last) in zip(pairwise(cuts), pairwise(numbers), strict=True):
        keyframes = Keyframes(heads[begin:end], counts[begin:end], points[first:last])
        yield int(parents[begin]), keyframes, _attributes(batch, begin, end)


_HEADS: Any = (
    (FRAME, "frame", "<i4"),
    (KIND, "shape_kind", "u1"),
    (FLAGS, "flags", "u1"),
    (Z_ORDER, "z_order", "<i4"),
    (ROTATION, "rotation", "<f8"),
)


def _attributes(batch: Batch, begin: int, end: int) -> list[Attributes] | None:
    """Those of the rows begin to end, None if there are none at all."""
    if not batch.attribute_id:
        return None
    ends: list[int] = np.frombuffer(batch.attributes_offset, "<i8")[begin : end + 1].tolist()
    if ends[0] == ends[-1]:
        return None
    return [given(batch, one, other) if other > one else {} for one, other in pairwise(ends)]
