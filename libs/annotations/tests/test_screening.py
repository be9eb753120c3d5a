from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from yard.annotations.batch import Batch
from yard.annotations.columnar import decode, encode
from yard.annotations.columnar_rows import decode_row, taken
from yard.annotations.errors import AnnotationError, Fault
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind, LabelSchema
from yard.annotations.model import AnnotationSet, Shape, ShapeKind, Tag
from yard.annotations.screening import screened
from yard.annotations.validation import Rules, validated

COLOUR = Attribute(id=1, name="colour", input=AttributeInput.SELECT, values=("red", "blue"))
SPEED = Attribute(id=2, name="speed", input=AttributeInput.NUMBER, values=("0", "10", "5"), mutable=True)
SCHEMA = LabelSchema(
    [
        Label(id=1, name="car", attributes=(COLOUR, SPEED)),
        Label(id=2, name="box", kind=LabelKind.RECTANGLE),
        Label(id=3, name="sunny", kind=LabelKind.TAG),
    ]
)
SIZES = {2: (100, 80), 3: (40, 40)}
RULES = Rules(schema=SCHEMA, first=2, last=5, frame_size=SIZES.get)

coordinates = st.one_of(
    st.sampled_from([-0.6, -0.5, -0.25, 0.0, 40.0, 80.25, 100.5, 101.0, float("nan"), float("inf")]),
    st.floats(-60, 160),
)
attributes = st.dictionaries(st.sampled_from([1, 2, 9]), st.sampled_from(["red", "green", "5", "6", "x"]))
boxes = st.tuples(st.floats(1, 20), st.floats(1, 20), st.floats(21, 39), st.floats(21, 39))
masks = st.sampled_from([(0.0, 4.0, 1.0, 1.0, 2.0, 2.0), (0.0, 3.0, 1.0, 1.0, 2.0, 2.0), (0.5, 1.0)])
shapes = st.builds(
    Shape,
    frame=st.integers(0, 6),
    label_id=st.integers(1, 4),
    kind=st.sampled_from(ShapeKind),
    points=st.one_of(boxes, masks, st.lists(coordinates, max_size=18).map(tuple)),
    rotation=st.sampled_from([0.0, 30.0, 359.5, 360.0, -1.0]),
    occluded=st.booleans(),
    z_order=st.integers(-3, 3),
    group=st.sampled_from([0, 1, -1]),
    attributes=attributes,
)
tags = st.builds(
    Tag, frame=st.integers(0, 6), label_id=st.integers(1, 4), group=st.integers(-1, 2), attributes=attributes
)


def by_row(kind: str, items: AnnotationSet) -> tuple[AnnotationSet, list[Fault]]:
    try:
        return validated(items, RULES, path=""), []
    except AnnotationError as refused:
        return items, [Fault(f.field.removeprefix(f".{kind}"), f.description) for f in refused.faults]


def by_column(batch: Batch) -> tuple[AnnotationSet, list[Fault]]:
    found = screened(batch, RULES, lambda row: f"[{row}]")
    return decode([found.batch]), found.faults


@settings(max_examples=300, deadline=None)
@given(st.lists(shapes, min_size=1, max_size=12))
def test_columns_of_shapes_are_judged_as_objects_are(given_: list[Shape]) -> None:
    items = AnnotationSet(shapes=tuple(given_))
    [batch] = encode(items)
    checked, faults = by_row("shapes", items)
    found, columns = by_column(batch)
    assert columns == faults
    if not faults:
        assert found == checked


@settings(max_examples=100, deadline=None)
@given(st.lists(tags, min_size=1, max_size=12))
def test_columns_of_tags_are_judged_as_objects_are(given_: list[Tag]) -> None:
    items = AnnotationSet(tags=tuple(given_))
    [batch] = encode(items)
    assert by_column(batch)[1] == by_row("tags", items)[1]


@given(st.lists(shapes, min_size=1, max_size=8), st.data())
def test_rows_can_be_taken_in_any_order(given_: list[Shape], data: st.DataObject) -> None:
    [batch] = encode(AnnotationSet(shapes=tuple(given_)))
    rows = data.draw(st.lists(st.integers(0, len(given_) - 1), min_size=1))
    part = taken(batch, np.array(rows))
    assert [repr(decode_row(part, place)) for place in range(len(rows))] == [
        repr(given_[row]) for row in rows
    ]


def test_an_attribute_is_given_once_a_row() -> None:
    given_ = Shape(
        frame=2, label_id=1, kind=ShapeKind.POINTS, points=(1.0, 1.0), attributes={1: "red", 2: "5"}
    )
    [batch] = encode(AnnotationSet(shapes=(given_, given_)))
    twice = replace(batch, attribute_id=np.array([1, 2, 1, 1], "<i8").tobytes())
    assert Fault("[1].attributes", "give an attribute more than once") in by_column(twice)[1]
