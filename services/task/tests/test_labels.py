from collections.abc import Sequence
from typing import Any

import pytest
from frameyard.task.v1 import label_pb2
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind
from yard.runtime.errors import InvalidArgument
from yard.task.domain import label_changes, labels
from yard.task.domain.label_changes import LabelPlan, Wanted

SELECT = label_pb2.ATTRIBUTE_INPUT_SELECT
COLOR_OF_PERSON, COLOR_OF_CAR = "#112233", "#445566"


def attribute(name: str, **fields: Any) -> label_pb2.Attribute:
    return label_pb2.Attribute(**{"name": name, "input": SELECT, "values": ["a", "b"], **fields})


def existing() -> list[Label]:
    pose = Attribute(id=11, name="pose", input=AttributeInput.SELECT, values=("a", "b"))
    age = Attribute(id=12, name="age", input=AttributeInput.TEXT)
    return [
        Label(id=1, name="person", color=COLOR_OF_PERSON, attributes=(pose, age)),
        Label(id=2, name="car", color=COLOR_OF_CAR),
    ]


def plan(
    *changes: label_pb2.Label, delete: Sequence[int] = (), delete_attributes: Sequence[int] = ()
) -> LabelPlan:
    wanted = Wanted(labels=changes, delete_label_ids=delete, delete_attribute_ids=delete_attributes)
    return label_changes.plan(existing(), wanted)


def faults(*changes: label_pb2.Label, **deletions: Sequence[int]) -> list[str]:
    with pytest.raises(InvalidArgument) as caught:
        plan(*changes, **deletions)
    return sorted(violation.field for violation in caught.value.violations)


def test_all_faults_of_new_labels_come_at_once() -> None:
    unknown: Any = 99
    given = [
        label_pb2.Label(name="person", id=3, color="red"),
        label_pb2.Label(name="person", kind=unknown),
        label_pb2.Label(name="", attributes=[attribute("x", input=0), attribute("y", values=[])]),
        label_pb2.Label(name="ok", attributes=[attribute("z", values=["\0"], id=4), attribute("z")]),
    ]
    assert sorted(violation.field for violation in labels.new_violations(given)) == [
        "labels[0].color",
        "labels[0].id",
        "labels[1].kind",
        "labels[1].name",
        "labels[2].attributes[0].input",
        "labels[2].attributes[1].values",
        "labels[2].name",
        "labels[3].attributes[0].id",
        "labels[3].attributes[0].values",
        "labels[3].attributes[0].values[0]",
        "labels[3].attributes[1].name",
    ]


def test_there_are_1_000_labels_at_most() -> None:
    many = [label_pb2.Label(name=str(number)) for number in range(1_001)]
    assert labels.new_violations(many[:1_000]) == []
    assert [violation.field for violation in labels.new_violations(many)] == ["labels"]


def test_every_label_gets_a_colour_of_its_own() -> None:
    given = [Label(name=str(number)) for number in range(1_000)] + [Label(name="red", color="#ff0000")]
    colors = [label.color for label in labels.colored(given)]
    assert len(set(colors)) == len(colors)
    assert colors[-1] == "#ff0000"


def test_unspecified_kind_is_any() -> None:
    assert labels.label_from(label_pb2.Label(name="x")).kind is LabelKind.ANY


def test_what_is_not_listed_stays_and_what_is_new_is_added() -> None:
    fresh = label_pb2.Label(name="bus", color="#ABCDEF")
    person = label_pb2.Label(id=1, name="human", attributes=[attribute("mood")])
    found = plan(fresh, person)
    assert [(label.name, label.color) for label in found.added] == [("bus", "#abcdef")]
    assert [(label.id, label.name, label.color) for label in found.changed] == [(1, "human", COLOR_OF_PERSON)]
    assert [(a.id, a.name) for a in found.changed[0].attributes] == [(0, "mood")]
    assert (found.deleted_labels, found.deleted_attributes) == ([], [])


def test_names_can_be_swapped_and_names_of_deleted_ones_used_again() -> None:
    swapped = plan(label_pb2.Label(id=1, name="car"), label_pb2.Label(id=2, name="person"))
    assert [label.name for label in swapped.changed] == ["car", "person"]
    again = plan(label_pb2.Label(name="car"), delete=[2])
    assert (again.added[0].name, again.deleted_labels) == ("car", [2])
    attributes = [attribute("pose")]
    replaced = plan(label_pb2.Label(id=1, name="person", attributes=attributes), delete_attributes=[11])
    assert replaced.deleted_attributes == [11]


def test_attributes_of_a_deleted_label_go_with_it() -> None:
    found = plan(delete=[1], delete_attributes=[11])
    assert (found.deleted_labels, found.deleted_attributes) == ([1], [])


def test_nothing_is_nothing() -> None:
    assert plan().is_empty
    assert not plan(delete=[1]).is_empty


def test_all_faults_of_a_change_come_at_once() -> None:
    assert faults(
        label_pb2.Label(name="car"),
        label_pb2.Label(id=9, name="x"),
        label_pb2.Label(id=1, name="y", attributes=[attribute("age"), attribute("new", id=99)]),
        label_pb2.Label(id=1, name="z"),
        delete=[7],
        delete_attributes=[8],
    ) == [
        "delete_attribute_ids[0]",
        "delete_label_ids[0]",
        "labels[0].name",
        "labels[1].id",
        "labels[2].attributes[0].name",
        "labels[2].attributes[1].id",
        "labels[3].id",
    ]


def test_what_is_deleted_cannot_be_changed_too() -> None:
    person = label_pb2.Label(id=1, name="person", attributes=[attribute("pose", id=11)])
    assert faults(person, delete=[1], delete_attributes=[11]) == [
        "labels[0].attributes[0].id",
        "labels[0].id",
    ]
