import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.errors import AnnotationError
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind, label_faults
from yard.annotations.raw_labels import canonical, parse, written


def faults(text: str) -> dict[str, str]:
    with pytest.raises(AnnotationError) as caught:
        parse(text)
    return {fault.field: fault.description for fault in caught.value.faults}


def raw_attribute(**fields: Any) -> dict[str, Any]:
    return {"name": "a", "input_type": "text", "mutable": False, "values": [""], **fields}


def attribute_of(**fields: Any) -> Attribute:
    [label] = parse(json.dumps([{"name": "x", "attributes": [raw_attribute(**fields)]}])).labels
    return label.attributes[0]


def test_a_text_from_elsewhere_is_read() -> None:
    text = """
    [
      {
        "name": "car",
        "id": 7,
        "color": "#FF00aa",
        "type": "rectangle",
        "attributes": [
          {"id": 8, "name": "model", "input_type": "SELECT", "mutable": false,
           "values": ["volvo", "saab"], "default_value": "saab",},
          {"name": "speed", "input_type": "number", "mutable": true, "values": ["0", "200", "5"],
           "default_value": "50"},
          {"name": "parked", "input_type": "checkbox", "mutable": true, "values": ["true"],
           "default_value": "true"},
        ],
      },
      {"name": "sky, ]", "color": "", "attributes": [], "sublabels": [], "has_parent": false},
    ]
    """
    parsed = parse(text)
    car, sky = parsed.labels
    assert (car.id, car.name, car.color, car.kind) == (7, "car", "#ff00aa", LabelKind.RECTANGLE)
    assert car.attributes == (
        Attribute(
            id=8, name="model", input=AttributeInput.SELECT, values=("volvo", "saab"), default_value="saab"
        ),
        Attribute(
            name="speed",
            input=AttributeInput.NUMBER,
            mutable=True,
            values=("0", "200", "5"),
            default_value="50",
        ),
        Attribute(name="parked", input=AttributeInput.CHECKBOX, mutable=True, default_value="true"),
    )
    assert sky == Label(name="sky, ]")
    assert parsed.unknown_keys == ["[1].has_parent"]


@pytest.mark.parametrize(
    ("fields", "values", "default"),
    [
        ({"values": ["one"]}, (), "one"),
        ({"values": ["one"], "default_value": ""}, (), "one"),
        ({"values": [""], "default_value": "two"}, (), "two"),
        ({"values": []}, (), ""),
        ({"input_type": "checkbox", "values": ["false"]}, (), "false"),
        ({"input_type": "checkbox", "values": ["true"], "default_value": ""}, (), "true"),
        ({"input_type": "checkbox", "values": ["a", "b"], "default_value": ""}, ("a", "b"), ""),
        ({"input_type": "checkbox", "values": ["a", "b"], "default_value": "b\na"}, ("a", "b"), "b\na"),
        ({"input_type": "radio", "values": ["a", "b"]}, ("a", "b"), "a"),
        ({"input_type": "number", "values": ["1", "9", "2"], "default_value": ""}, ("1", "9", "2"), "1"),
        ({"input_type": "number", "values": ["1;9;2"], "default_value": "3"}, ("1", "9", "2"), "3"),
    ],
)
def test_values_of_every_input(fields: dict[str, Any], values: tuple[str, ...], default: str) -> None:
    read = attribute_of(**fields)
    assert (read.values, read.default) == (values, default)


def test_all_faults_come_at_once_by_their_place() -> None:
    attributes = [
        raw_attribute(name=5, mutable="yes", hint="?"),
        raw_attribute(input_type="slider"),
        raw_attribute(name="b", input_type="number", values=["9", "1", "1"]),
        raw_attribute(name="c", input_type="number", values=["0", "9", "1"], default_value="10"),
        raw_attribute(name="d", input_type="select", values=["x", 3, "x"]),
        raw_attribute(name="e", values="x"),
        raw_attribute(name="f", values=["x", "y"], id=-1),
        raw_attribute(name="f", default_value="\ud800"),
        7,
    ]
    text = json.dumps(
        [
            {"name": "car", "attributes": attributes, "color": "red"},
            {"name": "car", "type": "skeleton", "id": 1.5},
            {"name": "man", "sublabels": [{"name": "head"}]},
            {"type": "blob", "attributes": {}},
            None,
        ]
    )
    assert sorted(faults(text)) == sorted(
        [
            "[0].color",
            "[0].attributes[0].name",
            "[0].attributes[0].mutable",
            "[0].attributes[1].input_type",
            "[0].attributes[2].values",
            "[0].attributes[3].default_value",
            "[0].attributes[4].values[1]",
            "[0].attributes[4].values[2]",
            "[0].attributes[5].values",
            "[0].attributes[6].values",
            "[0].attributes[6].id",
            "[0].attributes[7].name",
            "[0].attributes[7].default_value",
            "[0].attributes[8]",
            "[1].name",
            "[1].type",
            "[1].id",
            "[2].type",
            "[3].name",
            "[3].type",
            "[4]",
        ]
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no JSON"),
        ("[{]", "is no JSON"),
        ('[{"name": "x', "is no JSON"),
        ('["' + '\\"' * 500_000, "is no JSON"),
        ('["' + '\\"' * 500_000 + "\\", "is no JSON"),
        ('"' * 1_000_001, "is no JSON"),
        ('[{"id": NaN}]', "NaN is no number"),
        ('[{"id": -Infinity}]', "is no number"),
        ("[" * 100_000, "nests deeper"),
        ('[{"a":' * 100_000, "nests deeper"),
        ("[" + " " * 4 * 1024 * 1024 + "]", "at most 4194304"),
    ],
)
def test_hostile_texts_are_refused(text: str, words: str) -> None:
    assert words in faults(text)["text"]


def test_odd_numbers_and_repeated_keys_are_refused() -> None:
    huge = "9" * 100_000
    assert faults('{"name": "x"}') == {"[]": "must be a list, not an object"}
    assert faults(f'[{{"name": "x", "id": {huge}}}]') == {"[0].id": "must be a whole number larger than 0"}
    assert faults('[{"name": "x", "id": true}]') == {"[0].id": "must be a whole number larger than 0"}
    assert faults('[{"name": 1e999999999}]') == {"[0].name": "must be a text, not a number"}
    assert faults('[{"name": "x", "name": "y"}]') == {"[0].name": "is given more than once"}


def test_keys_that_mean_nothing_are_named_within_bounds() -> None:
    odd = {"\ud800": 1} | {f"{'k' * 100}{number}": 1 for number in range(2_000)}
    unknown = parse(json.dumps([{"name": "x", "attributes": [raw_attribute(hint="?")], **odd}])).unknown_keys
    assert unknown[0] == "[0].\\ud800"
    assert len(unknown) == 1_000
    assert max(map(len, unknown)) < 100


texts = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=20)
names = texts.filter(lambda text: bool(text.strip()) and text.isprintable())
ids = st.integers(0, 2**63 - 1)


@st.composite
def attributes(draw: st.DrawFn) -> Attribute:
    kind = draw(st.sampled_from(list(AttributeInput)))
    values: tuple[str, ...] = ()
    default: str | None = None
    options = st.lists(names, min_size=1, max_size=4, unique=True).map(tuple)
    if kind in (AttributeInput.SELECT, AttributeInput.RADIO):
        values = draw(options)
        default = draw(st.none() | st.sampled_from(values))
    elif kind is AttributeInput.CHECKBOX:
        values = draw(
            st.sampled_from([(), ("true",), ("false",)]) | options.filter(lambda some: len(some) > 1)
        )
        one = st.sampled_from(["true", "false"])
        some = st.lists(st.sampled_from(values or [""]), unique=True).map("\n".join)
        default = draw(st.none() | (some if len(values) > 1 else one))
    elif kind is AttributeInput.TEXT:
        values = draw(st.just(()) | texts.map(lambda text: (text,)))
        default = draw(st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0")))
    else:
        low, step, count = draw(st.integers(-99, 99)), draw(st.integers(1, 9)), draw(st.integers(0, 9))
        values = (str(low), str(low + step * count), str(step))
        default = draw(st.none() | st.integers(0, count).map(lambda number: str(low + step * number)))
    return Attribute(
        id=draw(ids),
        name=draw(names),
        input=kind,
        mutable=draw(st.booleans()),
        values=values,
        default_value=default,
    )


@st.composite
def labels(draw: st.DrawFn) -> list[Label]:
    made = st.builds(
        Label,
        id=ids,
        name=names,
        color=st.just("") | st.from_regex(r"#[0-9a-fA-F]{6}", fullmatch=True),
        kind=st.sampled_from(list(LabelKind)),
        attributes=st.lists(attributes(), max_size=4, unique_by=lambda one: one.name).map(tuple),
    )
    return draw(st.lists(made, max_size=4, unique_by=lambda one: one.name))


@given(labels())
def test_what_is_written_is_read_again(some: list[Label]) -> None:
    assert label_faults(some) == []
    parsed = parse(written(some))
    assert parsed.labels == list(map(canonical, some))
    assert parsed.unknown_keys == []
    assert written(parsed.labels) == written(some)
    without = parse(written(some, with_ids=False)).labels
    assert all(not label.id and not any(one.id for one in label.attributes) for label in without)


@given(attributes(), st.text(max_size=5) | st.sampled_from(["true", "false", "1", "-3"]))
def test_the_canonical_form_means_the_same(one: Attribute, value: str) -> None:
    [same] = canonical(Label(name="x", attributes=(one,))).attributes
    assert same.default == one.default
    assert same.fault_of(value) == one.fault_of(value)
    assert canonical(canonical(Label(name="x", attributes=(one,)))).attributes == (same,)
