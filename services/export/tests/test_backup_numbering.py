"""Ids become numbers and back, and texts stand in the order of their use."""

from __future__ import annotations

import pytest
from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from frameyard.task.v1.label_pb2 import Attribute, Label
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.batch import Batch
from yard.annotations.columnar import decode, encode
from yard.annotations.model import AnnotationSet, Shape, ShapeKind
from yard.export.backups.layout import media_path
from yard.export.backups.numbering import Numbering, numbered, stripped, unnumbered
from yard.media.member_names import label_of
from yard.runtime import errors

LABELS = [
    Label(id=70, name="car", attributes=[Attribute(id=9, name="make"), Attribute(id=4, name="speed")]),
    Label(id=12, name="tree"),
    Label(id=13, name="dog", attributes=[Attribute(id=30, name="age")]),
]
ORIGIN = "0197f2f0-7c3e-7d8b-9a45-2f0c0d9b6c11"
ATTRIBUTES = {70: (9, 4), 12: (), 13: (30,)}


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    label = draw(st.sampled_from(sorted(ATTRIBUTES)))
    values = {each: draw(st.sampled_from(["", "a", "b", "ü"])) for each in ATTRIBUTES[label]}
    return Shape(
        frame=draw(st.integers(0, 3)),
        kind=ShapeKind.POINTS,
        points=(draw(st.floats(allow_nan=False)), 1.0),
        label_id=label,
        attributes=values,
        origin=draw(st.sampled_from(["", ORIGIN])),
        id=draw(st.integers(1, 9)),
        job_id=3,
    )


def batch_of(found: list[Shape]) -> ColumnarBatch:
    (batch,) = encode(AnnotationSet(shapes=tuple(found)))
    return ColumnarBatch(**batch.columns())


@given(st.lists(shapes(), min_size=1, max_size=5))
def test_there_and_back(found: list[Shape]) -> None:
    batch = batch_of(found)
    stripped(batch)
    once = batch.SerializeToString(deterministic=True)
    numbering = Numbering.of_ids(LABELS)
    numbering.apply(batch)
    assert {each.label_id for each in decode([Batch.of(batch)]).shapes} <= {1, 2, 3}
    numbering.reversed().apply(batch)
    assert batch.SerializeToString(deterministic=True) == once
    shown = decode([Batch.of(batch)]).shapes
    assert [(each.label_id, each.attributes, each.origin, each.points) for each in shown] == [
        (each.label_id, each.attributes, each.origin, each.points) for each in found
    ]


@given(st.lists(shapes(), min_size=1, max_size=5))
def test_equal_objects_are_equal_bytes_wherever_their_texts_stand(found: list[Shape]) -> None:
    batch, other = batch_of(found), batch_of(found)
    turned = list(reversed(range(len(other.strings))))
    texts = [other.strings[place] for place in turned]
    shift = len(texts) - 1
    for name in ("attribute_value", "origin"):
        column = getattr(other, name)
        values = [int.from_bytes(column[i : i + 4], "little", signed=True) for i in range(0, len(column), 4)]
        moved = [value if value < 0 else shift - value for value in values]
        setattr(other, name, b"".join(value.to_bytes(4, "little", signed=True) for value in moved))
    del other.strings[:]
    other.strings.extend([*texts, "unused"])
    stripped(batch)
    stripped(other)
    assert batch == other


def test_what_is_not_known_any_more_is_read_again() -> None:
    batch = batch_of([Shape(frame=0, kind=ShapeKind.POINTS, points=(1.0, 1.0), label_id=99)])
    with pytest.raises(errors.Unavailable):
        Numbering.of_ids(LABELS).apply(batch)


def test_labels_get_numbers_and_lose_them() -> None:
    found = numbered(LABELS)
    assert [label.id for label in found] == [1, 2, 3]
    assert [attribute.id for label in found for attribute in label.attributes] == [1, 2, 3]
    assert {attribute.id for label in unnumbered(LABELS) for attribute in label.attributes} == {0}
    assert LABELS[0].id == 70


@given(st.text(min_size=1))
def test_paths_of_media_are_names_that_can_be_read_back(name: str) -> None:
    path = media_path(0, 7, name)
    assert label_of(path) == path
    assert path in {f"media/0/{name}", "media/0/~7"}
