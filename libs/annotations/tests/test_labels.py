import pytest
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind, label_faults
from yard.annotations.model import ShapeKind

from libs.annotations.tests.examples import CAR, SCHEMA


def attribute(kind: AttributeInput, *values: str, **more: object) -> Attribute:
    return Attribute(name="a", input=kind, values=values, **more)  # type: ignore[arg-type]


CHECKBOX, NUMBER, SELECT, TEXT = (
    AttributeInput.CHECKBOX,
    AttributeInput.NUMBER,
    AttributeInput.SELECT,
    AttributeInput.TEXT,
)


@pytest.mark.parametrize(
    ("one", "value"),
    [
        (attribute(SELECT, "a", "b"), "b"),
        (attribute(CHECKBOX), "true"),
        (attribute(CHECKBOX, "true"), "false"),
        (attribute(CHECKBOX, "a", "b", "c"), "c\na"),
        (attribute(CHECKBOX, "a", "b"), ""),
        (attribute(NUMBER, "0", "1", "0.1"), "0.3"),
        (attribute(NUMBER, "0", "10", "3"), "10"),
        (attribute(TEXT), "any\ntext"),
    ],
)
def test_values_that_are_allowed(one: Attribute, value: str) -> None:
    assert one.fault_of(value) is None


@pytest.mark.parametrize(
    ("one", "value", "words"),
    [
        (attribute(SELECT, "a", "b"), "c", "is not one of"),
        (attribute(CHECKBOX), "yes", "neither true nor false"),
        (attribute(CHECKBOX, "a", "b"), "a\na", "more than once"),
        (attribute(CHECKBOX, "a", "b"), "a\nx", "'x' is not one of"),
        (attribute(NUMBER, "0", "10", "3"), "4", "multiple of 3"),
        (attribute(NUMBER, "0", "10", "3"), "12", "between 0 and 10"),
        (attribute(NUMBER, "0", "10", "3"), "NaN", "not a decimal"),
        (attribute(NUMBER, "0", "10", "3"), "1e999999", "not a decimal"),
        (attribute(TEXT), "x" * 4097, "at most 4096"),
    ],
)
def test_values_that_are_refused(one: Attribute, value: str, words: str) -> None:
    assert words in (one.fault_of(value) or "")


def test_defaults() -> None:
    assert attribute(SELECT, "a", "b").default == "a"
    assert attribute(SELECT, "a", "b", default_value="b").default == "b"
    assert attribute(CHECKBOX).default == "false"
    assert attribute(TEXT).default == ""


def test_a_schema_completes_attributes_with_defaults() -> None:
    assert SCHEMA.completed(1, {12: "5"}) == {11: "red", 12: "5"}
    assert SCHEMA.completed(1, {}, mutable=True) == {12: "0"}
    assert SCHEMA.attributes(99) == {}


def test_kinds_of_labels() -> None:
    assert LabelKind.ANY.takes_shape(ShapeKind.MASK)
    assert LabelKind.ANY.takes_tag()
    assert LabelKind.MASK.takes_shape(ShapeKind.MASK)
    assert not LabelKind.TAG.takes_shape(ShapeKind.MASK)
    assert not LabelKind.RECTANGLE.takes_tag()
    assert {kind.name for kind in ShapeKind} <= {kind.name for kind in LabelKind}


def test_all_faults_of_definitions_are_told_at_once_with_their_paths() -> None:
    wrong = Label(
        name="car",
        color="red",
        attributes=(
            attribute(SELECT),
            attribute(NUMBER, "5", "1", "1"),
            Attribute(name="b", input=NUMBER, values=("0", "1", "0")),
            Attribute(name="c", input=SELECT, values=("x", "x")),
            Attribute(name="d", input=SELECT, values=("x",), default_value="y"),
            Attribute(name="e", input=CHECKBOX, values=("maybe",)),
            Attribute(name=" ", input=TEXT),
        ),
    )
    assert [fault.field for fault in label_faults([CAR, wrong])] == [
        "labels[1].name",
        "labels[1].color",
        "labels[1].attributes[1].name",
        "labels[1].attributes[0].values",
        "labels[1].attributes[1].values",
        "labels[1].attributes[2].values",
        "labels[1].attributes[3].values[1]",
        "labels[1].attributes[4].default_value",
        "labels[1].attributes[5].values",
        "labels[1].attributes[6].name",
    ]
    assert label_faults([CAR]) == []


def test_numbers_far_apart_are_compared_exactly() -> None:
    wide = attribute(NUMBER, "0", "1e30", "1e-30")
    assert wide.fault_of("123456789.000000000000000000000000000001") is None
    assert "multiple of" in (wide.fault_of("1." + "0" * 40 + "1") or "")


def test_labels_have_so_many_attributes_and_these_so_many_values_at_most() -> None:
    many = tuple(Attribute(name=str(number), input=TEXT) for number in range(201))
    assert label_faults([Label(name="x", attributes=many[:200])]) == []
    assert [fault.field for fault in label_faults([Label(name="x", attributes=many)])] == [
        "labels[0].attributes"
    ]
    options = attribute(SELECT, *map(str, range(1_001)))
    found = label_faults([Label(name="x", attributes=(options,))])
    assert [fault.field for fault in found] == ["labels[0].attributes[0].values"]
