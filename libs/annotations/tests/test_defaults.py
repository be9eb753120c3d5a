from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.columnar import decode, encode
from yard.annotations.defaults import Defaults
from yard.annotations.interpolation import state_at
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelSchema
from yard.annotations.model import AnnotationSet, Shape, Tag, Track

from libs.annotations.tests.examples import CAR, SCHEMA, box, key, sets, track

DEFAULTS = Defaults(SCHEMA)


def test_what_nobody_gave_has_its_default_after_what_was_given() -> None:
    assert DEFAULTS.of(box(1, 0, 0, 1, 1)).attributes == {11: "red", 12: "0"}
    given = DEFAULTS.of(Tag(frame=1, label_id=1, attributes={12: "5"}))
    assert list(given.attributes.items()) == [(12, "5"), (11, "red")]
    person = box(1, 0, 0, 1, 1, label_id=2)
    assert DEFAULTS.of(person) is person


def test_a_track_has_mutable_defaults_on_its_first_keyframe_only() -> None:
    moving = DEFAULTS.of(
        track(key(1, 0, 0, 1, 1), key(5, 0, 0, 2, 2, attributes={12: "5"}), key(9, 0, 0, 3, 3))
    )
    assert moving.attributes == {11: "red"}
    assert [keyframe.attributes for keyframe in moving.keyframes] == [{12: "0"}, {12: "5"}, {}]
    assert [state_at(moving, frame).attributes for frame in (3, 9)] == [{12: "0"}, {12: "5"}]  # type: ignore[union-attr]


def test_values_that_no_label_knows_stay_where_they_are() -> None:
    strange = {12: "5", 99: "x"}
    moving = DEFAULTS.of(track(key(1, 0, 0, 1, 1, attributes={11: "blue"}), attributes=strange))
    assert moving.attributes == {**strange, 11: "red"}
    assert moving.keyframes[0].attributes == {11: "blue", 12: "0"}


@given(sets())
def test_what_has_all_values_stays_the_same_object(drawn: AnnotationSet) -> None:
    full = DEFAULTS.of_set(drawn)
    items: tuple[Tag | Shape | Track, ...] = (*full.tags, *full.shapes, *full.tracks)
    for item in items:
        assert DEFAULTS.of(item) is item


@given(sets(), st.sampled_from([1, 3, 8192]), st.booleans())
def test_columns_are_filled_as_objects_are(drawn: AnnotationSet, rows: int, is_turned: bool) -> None:
    # Ids in the order of the label need not ascend.
    turned = replace(CAR, attributes=CAR.attributes[::-1])
    tree = Label(id=2, name="tree", attributes=(Attribute(id=5, name="note", input=AttributeInput.TEXT),))
    defaults = Defaults(LabelSchema([turned, tree])) if is_turned else DEFAULTS
    stills = AnnotationSet(tags=drawn.tags, shapes=drawn.shapes)
    filled = decode(map(defaults.of_batch, encode(stills, rows=rows)))
    expected = defaults.of_set(stills)
    assert filled == expected
    assert _orders(filled) == _orders(expected)


def _orders(stills: AnnotationSet) -> list[list[int]]:
    tags, shapes = stills.tags, stills.shapes
    return [list(tag.attributes) for tag in tags] + [list(shape.attributes) for shape in shapes]


def test_keyframes_alone_do_not_tell_their_label() -> None:
    batches = encode(AnnotationSet(tracks=(track(key(1, 0, 0, 1, 1)),)))
    with pytest.raises(ValueError, match="rows of TRACK"):
        list(map(DEFAULTS.of_batch, batches))
