"""Labels as clients write them."""

from typing import Any

import pytest
from frameyard.task.v1 import label_pb2
from frameyard.task.v1.label_service_pb2 import OwnedLabel
from yard.gateway.cvat.labels import LabelWrite, label_changes, label_read, new_labels
from yard.gateway.upstream.labels import LabelChanges
from yard.runtime import errors

MODEL = label_pb2.Attribute(
    id=7, name="model", input=label_pb2.ATTRIBUTE_INPUT_SELECT, values=["a", "b"], default_value="b"
)
CAR = label_pb2.Label(
    id=3, name="car", color="#ff0000", kind=label_pb2.LABEL_KIND_RECTANGLE, attributes=[MODEL]
)


def written(*labels: dict[str, Any]) -> list[LabelWrite]:
    return [LabelWrite.model_validate(label) for label in labels]


def changed(asked: list[LabelWrite], present: list[label_pb2.Label]) -> LabelChanges:
    """Without faults."""
    faults: list[errors.Violation] = []
    changes = label_changes(asked, present, faults)
    assert not faults
    return changes


def new(asked: list[LabelWrite]) -> list[label_pb2.Label]:
    """Without faults."""
    faults: list[errors.Violation] = []
    labels = new_labels(asked, faults)
    assert not faults
    return labels


def test_what_is_read_can_be_written_back_and_changes_nothing() -> None:
    shown = label_read(OwnedLabel(label=CAR, task_id=1)).model_dump()
    changes = changed(written(shown), [CAR])
    assert changes.changed == [CAR]
    assert (changes.deleted, changes.deleted_attributes) == ([], [])


def test_labels_are_added_changed_and_deleted() -> None:
    dog = label_pb2.Label(id=4, name="dog", kind=label_pb2.LABEL_KIND_ANY)
    note = {"name": "n", "input_type": "text"}
    asked = written(
        {"name": "cat"},
        {"id": 3, "name": "cart", "attributes": [{"id": 7, "deleted": True}, note]},
        {"id": 4, "deleted": True},
        {"name": "never", "deleted": True},
    )
    changes = changed(asked, [CAR, dog])
    cat, cart = changes.changed
    assert (cat.id, cat.name) == (0, "cat")
    assert (cart.id, cart.name, cart.color, cart.kind) == (3, "cart", CAR.color, CAR.kind)
    assert [(attribute.id, attribute.name) for attribute in cart.attributes] == [(0, "n")]
    assert (changes.deleted, changes.deleted_attributes) == ([4], [7])


def test_a_changed_attribute_keeps_what_is_not_given() -> None:
    [label] = changed(written({"id": 3, "attributes": [{"id": 7, "mutable": True}]}), [CAR]).changed
    [attribute] = label.attributes
    assert attribute.mutable
    assert (attribute.name, list(attribute.values), attribute.default_value) == ("model", ["a", "b"], "b")


def test_all_faults_are_told_with_their_places() -> None:
    asked = written(
        {"id": 99, "name": "x"},
        {"id": 3, "type": "blob", "attributes": [{"id": 8}, {"name": "y", "input_type": "slider"}]},
        {"name": "z", "sublabels": [{"name": "knee"}], "svg": "<svg/>"},
        {"name": "w", "type": "skeleton"},
    )
    faults: list[errors.Violation] = []
    label_changes(asked, [CAR], faults)
    assert [fault.field for fault in faults] == [
        "labels.0.id",
        "labels.1.type",
        "labels.1.attributes.0.id",
        "labels.1.attributes.1.input_type",
        "labels.2.sublabels",
        "labels.2.svg",
        "labels.3.type",
    ]


def test_labels_of_another_task_are_copied_without_their_ids() -> None:
    shown = label_read(OwnedLabel(label=CAR, task_id=1)).model_dump()
    [label] = new(written(shown))
    assert (label.id, [attribute.id for attribute in label.attributes]) == (0, [0])


@pytest.mark.parametrize(
    ("attribute", "default"),
    [
        ({"input_type": "select", "values": ["a", "b"], "default_value": ""}, "a"),
        ({"input_type": "text", "values": [""], "default_value": ""}, ""),
        ({"input_type": "text", "values": []}, ""),
        ({"input_type": "checkbox", "values": []}, "false"),
        ({"input_type": "checkbox", "values": ["true"], "default_value": "true"}, "true"),
        ({"input_type": "number", "values": ["0", "10", "1"]}, "0"),
    ],
)
def test_clients_always_read_the_default_in_force(attribute: dict[str, Any], default: str) -> None:
    [label] = new(written({"name": "a", "type": "any", "attributes": [{"name": "b", **attribute}]}))
    [shown] = label_read(OwnedLabel(label=label)).attributes
    assert shown.default_value == default
    assert "" not in shown.values
