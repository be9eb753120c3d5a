"""Labels as the contract has them."""

from collections.abc import Iterable

from frameyard.task.v1 import label_pb2
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind, LabelSchema


def labels_of(labels: Iterable[label_pb2.Label]) -> LabelSchema:
    """The labels of a task or a project, found by id."""
    return LabelSchema(map(_label, labels))


def _label(label: label_pb2.Label) -> Label:
    return Label(
        id=label.id,
        name=label.name,
        color=label.color,
        kind=LabelKind(label.kind or LabelKind.ANY),
        attributes=tuple(map(_attribute, label.attributes)),
    )


def _attribute(attribute: label_pb2.Attribute) -> Attribute:
    return Attribute(
        id=attribute.id,
        name=attribute.name,
        mutable=attribute.mutable,
        input=AttributeInput(attribute.input),
        values=tuple(attribute.values),
        default_value=attribute.default_value if attribute.HasField("default_value") else None,
    )
