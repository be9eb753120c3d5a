"""Labels as they are asked for: checked, with colours assigned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from frameyard.task.v1 import label_pb2
from yard.annotations.colors import assigned
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind, label_faults
from yard.runtime.errors import Violation

MOST_LABELS: Final = 1_000
_INPUTS: Final = frozenset(map(int, AttributeInput))


def label_from(message: label_pb2.Label) -> Label:
    """The label as the domain knows it; what is unknown becomes any kind or text, see `violations`."""
    known = message.kind in label_pb2.LabelKind.values() and message.kind
    return Label(
        id=message.id,
        name=message.name,
        color=message.color.lower(),
        kind=LabelKind(message.kind) if known else LabelKind.ANY,
        attributes=tuple(map(_attribute_from, message.attributes)),
    )


def violations(messages: Sequence[label_pb2.Label], path: str = "labels") -> list[Violation]:
    """All that is wrong with labels that share an owner, as far as they tell themselves."""
    found = [violation for i, label in enumerate(messages) for violation in _unknown(label, f"{path}[{i}]")]
    faults = label_faults(list(map(label_from, messages)), path=path)
    return [*found, *(Violation(fault.field, fault.description) for fault in faults)]


def new_violations(messages: Sequence[label_pb2.Label], path: str = "labels") -> list[Violation]:
    """All that is wrong with the labels of something new."""
    found = violations(messages, path)
    if len(messages) > MOST_LABELS:
        found.append(Violation(path, f"has {len(messages)} labels, at most {MOST_LABELS} are possible"))
    for index, label in enumerate(messages):
        if label.id:
            found.append(Violation(f"{path}[{index}].id", "must be 0 in a new label"))
        found += [
            Violation(f"{path}[{index}].attributes[{number}].id", "must be 0 in a new attribute")
            for number, attribute in enumerate(label.attributes)
            if attribute.id
        ]
    return found


def colored(labels: Iterable[Label], used: Iterable[str] = ()) -> list[Label]:
    """The labels with a colour each: assigned ones are as far as can be from all others."""
    given = list(labels)
    free = assigned({*used, *(label.color for label in given if label.color)})
    return [label if label.color else replace(label, color=next(free)) for label in given]


def _attribute_from(message: label_pb2.Attribute) -> Attribute:
    if message.input not in _INPUTS:
        return Attribute(id=message.id, name=message.name, input=AttributeInput.TEXT)
    return Attribute(
        id=message.id,
        name=message.name,
        mutable=message.mutable,
        input=AttributeInput(message.input),
        values=tuple(message.values),
        default_value=message.default_value if message.HasField("default_value") else None,
    )


def _unknown(label: label_pb2.Label, path: str) -> Iterator[Violation]:
    if label.kind not in label_pb2.LabelKind.values():
        yield Violation(f"{path}.kind", f"is no kind of label: {label.kind}")
    for number, attribute in enumerate(label.attributes):
        at = f"{path}.attributes[{number}]"
        if attribute.input not in _INPUTS:
            yield Violation(f"{at}.input", f"must be a kind of input, got {attribute.input}")
        if any("\0" in value for value in attribute.values):
            yield Violation(f"{at}.values", "must not hold null characters")
