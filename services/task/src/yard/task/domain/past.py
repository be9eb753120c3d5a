"""Objects of a job as they were: what is told by the saves after a state, the first that touched each.

What is kept names labels and attributes by the ids of its time. Moves of the task gave them others since,
and some are gone: an object comes back with the present ones, or not at all.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime

from yard.annotations.labels import Label
from yard.annotations.model import AnnotationSet, Attributes, Track
from yard.task.domain.annotation_plans import Table
from yard.task.domain.history import Object, Touched, set_of

Key = tuple[Table, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """A label or an attribute took the place of another when the task was moved."""

    is_attribute: bool
    old_id: int
    new_id: int
    moved_at: datetime


class Present:
    """The labels that there are now, and the ways that lead to them."""

    def __init__(self, labels: Iterable[Label], successions: Iterable[Succession] = ()) -> None:
        self._attributes = {label.id: {a.id for a in label.attributes} for label in labels}
        self._next: dict[tuple[bool, int], list[Succession]] = {}
        for step in sorted(successions, key=lambda step: step.moved_at):
            self._next.setdefault((step.is_attribute, step.old_id), []).append(step)

    def fitted(self, item: Object, saved_at: datetime) -> Object | None:
        """The object, kept by a save of that time, with present ids; None if its label is gone."""
        label_id = self._followed(item.label_id, saved_at, is_attribute=False)
        known = self._attributes.get(label_id)
        if known is None:
            return None
        attributes = self._values(item.attributes, saved_at, known)
        if not isinstance(item, Track):
            return replace(item, label_id=label_id, attributes=attributes)
        keyframes = tuple(
            replace(keyframe, attributes=self._values(keyframe.attributes, saved_at, known))
            for keyframe in item.keyframes
        )
        return replace(item, label_id=label_id, attributes=attributes, keyframes=keyframes)

    def _values(self, values: Attributes, saved_at: datetime, known: set[int]) -> dict[int, str]:
        if not values:
            return {}
        followed = {self._followed(key, saved_at, is_attribute=True): value for key, value in values.items()}
        return {key: value for key, value in followed.items() if key in known}

    def _followed(self, id_: int, since: datetime, *, is_attribute: bool) -> int:
        while step := self._step(id_, since, is_attribute=is_attribute):
            id_, since = step.new_id, step.moved_at
        return id_

    def _step(self, id_: int, since: datetime, *, is_attribute: bool) -> Succession | None:
        steps = self._next.get((is_attribute, id_), ())
        return next((step for step in steps if step.moved_at > since), None)


class Past:
    """A state of a job before some saves, which are to be told of in their order.

    It knows those objects alone that a save has touched, or of them those that it is asked about.
    """

    def __init__(self, present: Present, asked: Set[Key] | None = None) -> None:
        self._present = present
        self._asked = asked
        self._found: dict[Key, Object | None] = {}
        self.left_out = 0
        """Objects that were there and cannot come back."""

    def tell(self, touched: Touched) -> None:
        """Ids of the next save; its parts come after them."""
        for table, ids in touched.created.items():
            for id_ in ids:
                self._note((table, id_), None)
        for table, ids in touched.lost.items():
            for id_ in ids:
                self._note((table, id_), None, is_lost=True)

    def tell_part(self, before: AnnotationSet, saved_at: datetime) -> None:
        """Objects as they were before this save."""
        for key, item in keyed(before):
            if key not in self._found:
                fitted = self._present.fitted(item, saved_at)
                self._note(key, fitted, is_lost=fitted is None)

    @property
    def keys(self) -> Set[Key]:
        """The objects that it knows of."""
        return self._found.keys()

    @property
    def objects(self) -> dict[Key, Object]:
        """Those of them that were there."""
        return {key: item for key, item in self._found.items() if item is not None}

    def _note(self, key: Key, item: Object | None, *, is_lost: bool = False) -> None:
        if key in self._found or (self._asked is not None and key not in self._asked):
            return
        self._found[key] = item
        self.left_out += is_lost


def keyed(annotations: AnnotationSet) -> Iterator[tuple[Key, Object]]:
    """The objects with what tells them apart."""
    for tag in annotations.tags:
        yield ("tag", tag.id), tag
    for shape in annotations.shapes:
        yield ("shape", shape.id), shape
    for track in annotations.tracks:
        yield ("track", track.id), track


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What leads from one state to another; `before` and `after` are pairs."""

    created: AnnotationSet
    before: AnnotationSet
    after: AnnotationSet
    deleted: AnnotationSet


def difference(first: Mapping[Key, Object], second: Mapping[Key, Object]) -> Difference:
    """Of two states; objects that are the same in both may be left out of both."""
    changed = sorted(
        (key for key, item in first.items() if key in second and second[key] != item),
        key=lambda key: (first_frame(first[key]), key[1]),
    )
    return Difference(
        created=set_of(item for key, item in second.items() if key not in first).in_order(),
        before=set_of(first[key] for key in changed),
        after=set_of(second[key] for key in changed),
        deleted=set_of(item for key, item in first.items() if key not in second).in_order(),
    )


def first_frame(item: Object) -> int:
    """The frame that an object is sorted by."""
    return item.first_frame if isinstance(item, Track) else item.frame
