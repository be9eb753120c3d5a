"""Values that nobody has given: what is read has all attributes of its label, whenever they were added.

Values that are there stay as they are and where they are; the others come after them, in the label's order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numpy as np
from yard.annotations.batch import Batch, ObjectKind
from yard.annotations.labels import LabelSchema
from yard.annotations.model import AnnotationSet, Attributes, Shape, Tag, Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

Item = TypeVar("Item", bound=Tag | Shape | Track)


class Defaults:
    """Default values of labels; a track has those of mutable attributes on its first keyframe."""

    def __init__(self, schema: LabelSchema) -> None:
        ids = [label.id for label in schema.labels if label.attributes]
        self._all = {id_: schema.completed(id_, {}) for id_ in ids}
        self._fixed = {id_: schema.completed(id_, {}, mutable=False) for id_ in ids}
        self._mutable = {id_: schema.completed(id_, {}, mutable=True) for id_ in ids}

    def values(self, label_id: int) -> Attributes:
        """All attributes of a label with their defaults, in their order."""
        return self._all.get(label_id, _NOTHING)

    def of(self, item: Item) -> Item:
        """The object with all values."""
        if item.label_id not in self._all:
            return item
        if isinstance(item, Track):
            return cast("Item", self._of_track(item))
        attributes = _filled(item.attributes, self._all[item.label_id])
        return item if attributes is item.attributes else replace(item, attributes=attributes)

    def of_set(self, annotations: AnnotationSet) -> AnnotationSet:
        """The objects with all values."""
        if not self._all:
            return annotations
        return AnnotationSet(
            tags=tuple(map(self.of, annotations.tags)),
            shapes=tuple(map(self.of, annotations.shapes)),
            tracks=tuple(map(self.of, annotations.tracks)),
        )

    def of_batch(self, batch: Batch) -> Batch:
        """The rows with all values; only tags and shapes are known to be whole."""
        if batch.object_kind not in (ObjectKind.TAG, ObjectKind.SHAPE):
            raise ValueError(f"rows of {batch.object_kind.name} need what is in other batches")
        labels = np.frombuffer(batch.label_id, "<i8")
        present = [id_ for id_ in np.unique(labels).tolist() if id_ in self._all]
        if not present:
            return batch
        lengths = np.diff(np.frombuffer(batch.attributes_offset, "<i8"))
        owners = [np.repeat(np.arange(batch.count), lengths)]
        ids = [np.frombuffer(batch.attribute_id, "<i8").astype(np.int64)]
        texts = [np.frombuffer(batch.attribute_value, "<i4").astype(np.int64)]
        strings = {text: number for number, text in enumerate(batch.strings)}
        for label_id in present:
            defaults = self._all[label_id]
            rows = np.flatnonzero(labels == label_id)
            keys = np.fromiter(defaults, np.int64)
            numbers = np.array([strings.setdefault(text, len(strings)) for text in defaults.values()])
            missing, places = _missing(rows, keys, owners[0], ids[0], batch.count)
            owners.append(rows[missing])
            ids.append(keys[places])
            texts.append(numbers[places])
        return replace(batch, strings=tuple(strings), **_columns(batch.count, owners, ids, texts))

    def _of_track(self, track: Track) -> Track:
        first, *others = track.keyframes
        fixed = _filled(track.attributes, self._fixed[track.label_id])
        mutable = _filled(first.attributes, self._mutable[track.label_id])
        if mutable is not first.attributes:
            keyframes = (replace(first, attributes=mutable), *others)
            return replace(track, attributes=fixed, keyframes=keyframes)
        return track if fixed is track.attributes else replace(track, attributes=fixed)


_NOTHING: Final[Attributes] = {}


def _filled(given: Attributes, defaults: Attributes) -> Attributes:
    """The given values and what is missing; the same object if nothing is."""
    if defaults.keys() <= given.keys():
        return given
    return {**given, **{key: value for key, value in defaults.items() if key not in given}}


def _missing(
    rows: NDArray[np.int64],
    keys: NDArray[np.int64],
    owners: NDArray[np.int64],
    ids: NDArray[np.int64],
    count: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of a place in `rows` and one in `keys` for which there is no value, row by row."""
    is_missing = np.ones((len(rows), len(keys)), bool)
    if len(ids):
        place_of = np.full(count, -1)
        place_of[rows] = np.arange(len(rows))
        order = np.argsort(keys)
        found = order[np.minimum(np.searchsorted(keys, ids, sorter=order), len(keys) - 1)]
        known = (keys[found] == ids) & (place_of[owners] >= 0)
        is_missing[place_of[owners[known]], found[known]] = False
    places, columns = np.nonzero(is_missing)
    return places, columns


def _columns(
    count: int,
    owners: list[NDArray[np.int64]],
    ids: list[NDArray[np.int64]],
    texts: list[NDArray[np.int64]],
) -> dict[str, Any]:
    """The values of all rows; those of one row in the order in which they are listed."""
    of_rows = np.concatenate(owners)
    order = np.argsort(of_rows, kind="stable")
    lengths = np.bincount(of_rows, minlength=count)
    return {
        "attributes_offset": np.concatenate([[0], np.cumsum(lengths)]).astype("<i8").tobytes(),
        "attribute_id": np.concatenate(ids)[order].astype("<i8").tobytes(),
        "attribute_value": np.concatenate(texts)[order].astype("<i4").tobytes(),
    }
