"""What a change of labels does to the objects that have them: what is to be counted, and what is told."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from frameyard.task.v1.label_pb2 import LabelEffect
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind
from yard.task.domain.label_changes import LabelPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Objects to count; all labels are named by id."""

    deleted: Sequence[int] = ()
    kinds: Mapping[int, LabelKind] = field(default_factory=dict)
    """Labels that become narrower, or others: what they will be for."""
    stripped: Mapping[int, Sequence[int]] = field(default_factory=dict)
    """Attributes that go, by label."""
    rules: Mapping[int, Sequence[Attribute]] = field(default_factory=dict)
    """Attributes whose values may be wrong afterwards, by label, as they will be."""

    @property
    def label_ids(self) -> list[int]:
        """All labels of which something is to be counted."""
        return sorted({*self.deleted, *self.kinds, *self.stripped, *self.rules})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Objects of one label; see LabelEffect."""

    deleted: int = 0
    stripped: int = 0
    misfit_objects: int = 0
    misfit_values: int = 0

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(
            deleted=self.deleted + other.deleted,
            stripped=self.stripped + other.stripped,
            misfit_objects=self.misfit_objects + other.misfit_objects,
            misfit_values=self.misfit_values + other.misfit_values,
        )


def asked(existing: Sequence[Label], plan: LabelPlan) -> Question:
    """What has to be counted to tell what a plan does; nothing for changes that no object notices."""
    present = {label.id: label for label in existing}
    gone = frozenset(plan.deleted_attributes)
    stripped = {label.id: [a.id for a in label.attributes if a.id in gone] for label in existing}
    rules = {label.id: list(_stricter(present[label.id], label)) for label in plan.changed}
    return Question(
        deleted=plan.deleted_labels,
        kinds={
            label.id: label.kind
            for label in plan.changed
            if label.kind not in (LabelKind.ANY, present[label.id].kind)
        },
        stripped={label_id: ids for label_id, ids in stripped.items() if ids},
        rules={label_id: attributes for label_id, attributes in rules.items() if attributes},
    )


def told(existing: Sequence[Label], plan: LabelPlan, counted: Mapping[int, Counted]) -> Iterator[LabelEffect]:
    """Effects on labels that are changed or deleted, in their order, then on those that are new."""
    changed = {label.id: label for label in plan.changed}
    gone, gone_attributes = frozenset(plan.deleted_labels), frozenset(plan.deleted_attributes)
    for label in existing:
        after = changed.get(label.id, label)
        is_stripped = any(attribute.id in gone_attributes for attribute in label.attributes)
        if label.id in gone or is_stripped or _differs(label, after):
            name_after = "" if label.id in gone else after.name
            yield _effect(label, name_after, counted.get(label.id, Counted()))
    for label in plan.added:
        yield LabelEffect(name_after=label.name)


def _effect(label: Label, name_after: str, counted: Counted) -> LabelEffect:
    return LabelEffect(
        label_id=label.id,
        name_before=label.name,
        name_after=name_after,
        deleted_objects=counted.deleted,
        stripped_objects=counted.stripped,
        misfit_objects=counted.misfit_objects,
        misfit_values=counted.misfit_values,
    )


def _differs(label: Label, after: Label) -> bool:
    """Whether a change of the label changes anything; attributes that it does not list stay."""
    if (label.name, label.color, label.kind) != (after.name, after.color, after.kind):
        return True
    return any(attribute not in label.attributes for attribute in after.attributes)


def _stricter(label: Label, after: Label) -> Iterable[Attribute]:
    """Attributes that may not allow what they did: other values, another input, another place in tracks."""
    present = {attribute.id: attribute for attribute in label.attributes}
    for attribute in after.attributes:
        before = present.get(attribute.id)
        if before is None:
            continue
        is_moved = before.mutable != attribute.mutable
        is_other = (before.input, before.values) != (attribute.input, attribute.values)
        if is_moved or (is_other and attribute.input is not AttributeInput.TEXT):
            yield attribute
