"""Labels and their attributes in JSON."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from frameyard.task.v1 import label_pb2
from frameyard.task.v1.label_service_pb2 import OwnedLabel
from pydantic import BaseModel, ConfigDict, Field
from yard.gateway.cvat.numbers import Id
from yard.gateway.cvat.texts import Text
from yard.gateway.upstream.labels import LabelChanges
from yard.runtime import errors

KINDS: Final[Mapping[str, label_pb2.LabelKind.ValueType]] = {
    "any": label_pb2.LABEL_KIND_ANY,
    "rectangle": label_pb2.LABEL_KIND_RECTANGLE,
    "polygon": label_pb2.LABEL_KIND_POLYGON,
    "polyline": label_pb2.LABEL_KIND_POLYLINE,
    "points": label_pb2.LABEL_KIND_POINTS,
    "ellipse": label_pb2.LABEL_KIND_ELLIPSE,
    "cuboid": label_pb2.LABEL_KIND_CUBOID,
    "mask": label_pb2.LABEL_KIND_MASK,
    "tag": label_pb2.LABEL_KIND_TAG,
}
INPUTS: Final[Mapping[str, label_pb2.AttributeInput.ValueType]] = {
    "select": label_pb2.ATTRIBUTE_INPUT_SELECT,
    "radio": label_pb2.ATTRIBUTE_INPUT_RADIO,
    "checkbox": label_pb2.ATTRIBUTE_INPUT_CHECKBOX,
    "text": label_pb2.ATTRIBUTE_INPUT_TEXT,
    "number": label_pb2.ATTRIBUTE_INPUT_NUMBER,
}
# Any text is a value of these, also none.
_FREE: Final = frozenset({label_pb2.ATTRIBUTE_INPUT_TEXT})
_KIND_NAMES: Final = {kind: name for name, kind in KINDS.items()}
_INPUT_NAMES: Final = {kind: name for name, kind in INPUTS.items()}


class AttributeRead(BaseModel):
    """An attribute of a label; all values are texts."""

    id: int
    name: str
    mutable: bool
    input_type: str
    default_value: str
    values: list[str]


class LabelRead(BaseModel):
    """A label; `task_id` and `project_id` say whose own it is, one of them."""

    id: int
    name: str
    color: str
    type: str
    attributes: list[AttributeRead]
    sublabels: list[Any] = []
    has_parent: bool = False
    parent_id: int | None = None
    task_id: int | None = None
    project_id: int | None = None


class AttributeWrite(BaseModel):
    """An attribute to add, or one to change if it has an id."""

    model_config = ConfigDict(extra="ignore")

    id: Id = None
    name: Text | None = None
    mutable: bool | None = None
    input_type: Text | None = None
    default_value: Text | None = None
    values: list[Text] | None = None
    deleted: bool = False


class LabelWrite(BaseModel):
    """A label to add, to change if it has an id, or to delete if it is marked so; what is not given stays."""

    model_config = ConfigDict(extra="ignore")

    id: Id = None
    name: str | None = Field(None, max_length=64)
    color: Text | None = None
    type: Text | None = None
    attributes: list[AttributeWrite] | None = None
    sublabels: list[Any] | None = None
    svg: Annotated[str | None, Field(max_length=1_000_000)] = None
    deleted: bool = False


def label_read(owned: OwnedLabel) -> LabelRead:
    """A label with its owner."""
    label = owned.label
    return LabelRead(
        id=label.id,
        name=label.name,
        color=label.color,
        type=_KIND_NAMES[label.kind],
        attributes=[_attribute_read(attribute) for attribute in label.attributes],
        task_id=owned.task_id or None,
        project_id=owned.project_id or None,
    )


def new_labels(written: Sequence[LabelWrite], faults: list[errors.Violation]) -> list[label_pb2.Label]:
    """Labels of something new: ids mean nothing there. `faults` grows with what is wrong, by its place."""
    reader = _Reader(faults)
    return [
        reader.label(label, label_pb2.Label(), f"labels.{index}.")
        for index, label in enumerate(written)
        if not label.deleted
    ]


def label_changes(
    written: Sequence[LabelWrite], present: Sequence[label_pb2.Label], faults: list[errors.Violation]
) -> LabelChanges:
    """What a PATCH asks for; fields that it leaves out are as they are at present."""
    reader = _Reader(faults, is_change=True)
    known = {label.id: label for label in present}
    changes = LabelChanges()
    for index, label in enumerate(written):
        at = f"labels.{index}."
        start = reader.known(known, label.id, f"{at}id", "label", label_pb2.Label())
        if label.deleted:
            changes.deleted += [start.id] if start.id else []
            continue
        changes.changed.append(reader.label(label, start, at))
        changes.deleted_attributes += [a.id for a in label.attributes or [] if a.deleted and a.id]
    return changes


def one_label_changes(
    written: LabelWrite, present: label_pb2.Label, faults: list[errors.Violation]
) -> LabelChanges:
    """The same for one label, whose id is known otherwise."""
    label = _Reader(faults, is_change=True).label(written, present, "")
    deleted = [a.id for a in written.attributes or [] if a.deleted and a.id]
    return LabelChanges(changed=[label], deleted_attributes=deleted)


class _Reader:
    """Reads labels; `faults` grows with what is wrong with all of them."""

    def __init__(self, faults: list[errors.Violation], *, is_change: bool = False) -> None:
        self._faults = faults
        self._is_change = is_change

    def known(self, present: Mapping[int, Any], id_: int | None, place: str, what: str, new: Any) -> Any:
        """What has this id; something new without one, or where ids mean nothing."""
        if not id_ or not self._is_change:
            return new
        if id_ not in present:
            self._fault(place, f"there is no {what} {id_} here")
        return present.get(id_, new)

    def label(self, written: LabelWrite, start: label_pb2.Label, place: str) -> label_pb2.Label:
        """A label as it is to be."""
        for name in ("sublabels", "svg"):
            if getattr(written, name):
                self._fault(f"{place}{name}", "skeletons are not supported")
        label = label_pb2.Label(id=start.id, name=start.name, color=start.color, kind=start.kind)
        if written.name is not None:
            label.name = written.name
        if written.color is not None:
            label.color = written.color
        if written.type is not None:
            label.kind = self._one_of(KINDS, written.type, f"{place}type", label.kind)
        known = {attribute.id: attribute for attribute in start.attributes}
        for index, attribute in enumerate(written.attributes or []):
            at = f"{place}attributes.{index}."
            base = self.known(known, attribute.id, f"{at}id", "attribute", label_pb2.Attribute())
            if not attribute.deleted:
                label.attributes.append(self._attribute(attribute, base, at))
        return label

    def _attribute(
        self, written: AttributeWrite, start: label_pb2.Attribute, place: str
    ) -> label_pb2.Attribute:
        attribute = label_pb2.Attribute()
        attribute.CopyFrom(start)
        if written.name is not None:
            attribute.name = written.name
        if written.mutable is not None:
            attribute.mutable = written.mutable
        if written.input_type is not None:
            attribute.input = self._one_of(INPUTS, written.input_type, f"{place}input_type", attribute.input)
        if written.values is not None:
            # Clients write no value as an empty one.
            attribute.values[:] = [value for value in written.values if value]
        if written.default_value or (written.default_value == "" and attribute.input in _FREE):
            attribute.default_value = written.default_value
        return attribute

    def _one_of(self, table: Mapping[str, Any], name: str, place: str, otherwise: Any) -> Any:
        if name == "skeleton":
            self._fault(place, "skeletons are not supported")
        elif name not in table:
            self._fault(place, f"{name!r} is none of {', '.join(table)}")
        return table.get(name, otherwise)

    def _fault(self, place: str, description: str) -> None:
        self._faults.append(errors.Violation(place, description))


def _attribute_read(attribute: label_pb2.Attribute) -> AttributeRead:
    return AttributeRead(
        id=attribute.id,
        name=attribute.name,
        mutable=attribute.mutable,
        input_type=_INPUT_NAMES[attribute.input],
        default_value=_default_of(attribute),
        values=list(attribute.values),
    )


def _default_of(attribute: label_pb2.Attribute) -> str:
    """What objects have that give no value."""
    if attribute.HasField("default_value"):
        return attribute.default_value
    if attribute.values:
        return attribute.values[0]
    return "false" if attribute.input == label_pb2.ATTRIBUTE_INPUT_CHECKBOX else ""
