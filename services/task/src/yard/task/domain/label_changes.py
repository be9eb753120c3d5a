"""What a change of labels does to those that are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from frameyard.task.v1 import label_pb2
from yard.annotations.labels import Attribute, Label
from yard.runtime.errors import Violation, refuse
from yard.task.domain import labels as rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A change as it is asked for: labels to add or change, ids to delete."""

    labels: Sequence[label_pb2.Label]
    delete_label_ids: Sequence[int]
    delete_attribute_ids: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPlan:
    """A checked change; attributes of changed labels are those to add (id 0) or to change."""

    added: list[Label]
    changed: list[Label]
    deleted_labels: list[int]
    deleted_attributes: list[int]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.added or self.changed or self.deleted_labels or self.deleted_attributes)


def plan(existing: Sequence[Label], wanted: Wanted) -> LabelPlan:
    """What to do; InvalidArgument names every fault."""
    found = [
        *rules.violations(wanted.labels),
        *_Check(existing, wanted).violations(),
    ]
    refuse(found)
    present = {label.id: label for label in existing}
    labels = [_keeping_color(rules.label_from(message), present) for message in wanted.labels]
    labels = rules.colored(labels, [label.color for label in existing])
    gone = frozenset(wanted.delete_label_ids)
    going_with_label = {a.id for label in existing if label.id in gone for a in label.attributes}
    return LabelPlan(
        added=[label for label in labels if not label.id],
        changed=[label for label in labels if label.id],
        deleted_labels=sorted(gone),
        deleted_attributes=sorted(frozenset(wanted.delete_attribute_ids) - going_with_label),
    )


def _keeping_color(label: Label, present: dict[int, Label]) -> Label:
    return replace(label, color=present[label.id].color) if label.id and not label.color else label


class _Check:
    """The rules that need both the present labels and the change."""

    def __init__(self, existing: Sequence[Label], wanted: Wanted) -> None:
        self._existing = existing
        self._wanted = wanted
        self._labels = {label.id: label for label in existing}
        self._attributes = {a.id for label in existing for a in label.attributes}
        self._gone = frozenset(wanted.delete_label_ids)
        self._gone_attributes = frozenset(wanted.delete_attribute_ids)

    def violations(self) -> Iterator[Violation]:
        """All that is wrong."""
        yield from _unknown(self._wanted.delete_label_ids, set(self._labels), "delete_label_ids", "label")
        yield from _unknown(
            self._wanted.delete_attribute_ids, self._attributes, "delete_attribute_ids", "attribute"
        )
        yield from self._count()
        listed = [label.id for label in self._wanted.labels]
        stays = {
            label.name
            for label in self._existing
            if label.id not in self._gone and label.id not in set(listed)
        }
        for index, message in enumerate(self._wanted.labels):
            path = f"labels[{index}]"
            yield from _identity(message.id, listed[:index], self._labels, self._gone, path)
            if message.name in stays:
                yield Violation(f"{path}.name", f"{message.name!r} is the name of another label")
            yield from self._attribute_violations(message, path)

    def _count(self) -> Iterator[Violation]:
        added = sum(not label.id for label in self._wanted.labels)
        total = len(self._existing) + added - len(self._gone & self._labels.keys())
        if total > rules.MOST_LABELS:
            yield Violation("labels", f"would be {total}, at most {rules.MOST_LABELS} are possible")

    def _attribute_violations(self, message: label_pb2.Label, path: str) -> Iterator[Violation]:
        present: dict[int, Attribute] = {}
        if message.id in self._labels:
            present = {attribute.id: attribute for attribute in self._labels[message.id].attributes}
        listed = [attribute.id for attribute in message.attributes]
        stays = {
            attribute.name
            for attribute in present.values()
            if attribute.id not in self._gone_attributes and attribute.id not in set(listed)
        }
        for number, attribute in enumerate(message.attributes):
            at = f"{path}.attributes[{number}]"
            yield from _identity(attribute.id, listed[:number], present, self._gone_attributes, at)
            if attribute.name in stays:
                yield Violation(f"{at}.name", f"{attribute.name!r} is the name of another attribute")


def _identity(
    id_: int, before: Sequence[int], present: Iterable[int], gone: frozenset[int], path: str
) -> Iterator[Violation]:
    """What is wrong with the id of something that is to be changed; 0 is new."""
    if not id_:
        return
    if id_ not in present:
        yield Violation(f"{path}.id", f"{id_} is not there to be changed; 0 adds")
    elif id_ in before:
        yield Violation(f"{path}.id", f"{id_} is changed more than once")
    elif id_ in gone:
        yield Violation(f"{path}.id", f"{id_} is to be deleted too")


def _unknown(ids: Sequence[int], known: set[int], path: str, kind: str) -> Iterator[Violation]:
    for index, id_ in enumerate(ids):
        if id_ not in known:
            yield Violation(f"{path}[{index}]", f"{id_} is no {kind} of this owner")
