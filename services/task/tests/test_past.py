from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Tag, Track
from yard.task.domain.annotation_plans import Counts, Trace
from yard.task.domain.history import (
    Kept,
    Object,
    Touched,
    kept,
    packed_ids,
    set_of,
    unpacked_ids,
    unpacked_part,
)
from yard.task.domain.past import Key, Past, Present, Succession, difference, keyed

START = datetime(2026, 1, 1, tzinfo=UTC)
JOB = 5
Times = list[dict[Key, Object]]


def label(label_id: int, *attribute_ids: int) -> Label:
    attributes = tuple(
        Attribute(id=id_, name=f"a{id_}", input=AttributeInput.TEXT, values=()) for id_ in attribute_ids
    )
    return Label(id=label_id, name=f"l{label_id}", color="#112233", kind=LabelKind.ANY, attributes=attributes)


LABELS = [label(1, 11, 12), label(2, 21)]


def item(table: str, id_: int, label_id: int, number: int) -> Object:
    common = {"id": id_, "label_id": label_id, "job_id": JOB, "origin": "o" if number % 3 else ""}
    values = {11: f"v{number}"} if label_id == 1 and number % 2 else {}
    if table == "tag":
        return Tag(frame=number, attributes=values, **common)  # type: ignore[arg-type]
    if table == "shape":
        points = tuple(float(value) for value in range(4 + number % 5))
        return Shape(frame=number, kind=ShapeKind.POLYGON, points=points, attributes=values, **common)  # type: ignore[arg-type]
    keyframes = tuple(
        Keyframe(frame=number + step, kind=ShapeKind.POINTS, points=(1.5, step), attributes=values)
        for step in range(1 + number % 3)
    )
    return Track(keyframes=keyframes, **common)  # type: ignore[arg-type]


keys = st.tuples(st.sampled_from(["tag", "shape", "track"]), st.integers(1, 8))
objects = st.builds(
    lambda key, label_id, number: (key, item(key[0], key[1], label_id, number)),
    keys,
    st.sampled_from([1, 2]),
    st.integers(0, 9),
)
states = st.lists(st.lists(objects, max_size=8).map(dict), max_size=6)


def save(before: dict[Key, Object], after: dict[Key, Object]) -> Kept:
    """What is kept of the save that leads from one state to the other."""
    removed = [each for key, each in before.items() if after.get(key) != each]
    written = [key for key, each in after.items() if before.get(key) != each]
    return kept(
        Trace(
            counts=Counts(),
            removed=set_of(removed),
            written={
                table: [id_ for name, id_ in written if name == table] for table in ("tag", "shape", "track")
            },
        )
    )


def walked(saves: list[Kept], after: int, until: int, asked: set[Key] | None = None) -> Past:
    past = Past(Present(LABELS), asked)
    for number in range(after, until):
        past.tell(unpacked_ids(saves[number].ids))
        for part in saves[number].parts:
            past.tell_part(unpacked_part(part), START + timedelta(seconds=number))
    return past


@given(states)
def test_every_state_is_found_from_the_present_one(after: Times) -> None:
    every: Times = [{}, *after]
    saves = [save(*pair) for pair in zip(every, after, strict=False)]
    for number, expected in enumerate(every):
        past = walked(saves, number, len(saves))
        found = {key: each for key, each in every[-1].items() if key not in past.keys} | past.objects
        assert found == expected
        assert past.left_out == 0


@given(states, st.data())
def test_two_states_differ_by_what_was_touched_between_them(after: Times, data: st.DataObject) -> None:
    every: Times = [{}, *after]
    saves = [save(*pair) for pair in zip(every, after, strict=False)]
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(after))] * 2)))
    before = walked(saves, first, second)
    later = walked(saves, second, len(saves), set(before.keys))
    present = {key: each for key, each in every[-1].items() if key in before.keys - later.keys}
    found = difference(before.objects, later.objects | present)
    assert found == difference(every[first], every[second])
    undone = {key: each for key, each in every[second].items() if key not in dict(keyed(found.created))}
    assert undone | dict(keyed(found.before)) | dict(keyed(found.deleted)) == every[first]


@given(st.lists(st.integers(1, 2**62), unique=True), st.lists(st.integers(1, 99), unique=True))
def test_ids_come_back_in_order(created: list[int], lost: list[int]) -> None:
    content = packed_ids(Touched(created={"shape": created}, lost={"track": lost}))
    found = unpacked_ids(content)
    assert found.created == {"tag": [], "shape": sorted(created), "track": []}
    assert found.lost == {"tag": [], "shape": [], "track": sorted(lost)}


def test_ids_that_were_reserved_together_take_next_to_nothing() -> None:
    content = packed_ids(Touched(created={"shape": range(10**9, 10**9 + 10_000)}))
    assert len(content) < 500


def test_labels_and_attributes_are_followed_in_the_order_of_moves() -> None:
    moves = [
        Succession(is_attribute=False, old_id=2, new_id=7, moved_at=START + timedelta(hours=1)),
        Succession(is_attribute=False, old_id=7, new_id=2, moved_at=START + timedelta(hours=2)),
        Succession(is_attribute=False, old_id=2, new_id=1, moved_at=START + timedelta(hours=3)),
        Succession(is_attribute=True, old_id=21, new_id=12, moved_at=START + timedelta(hours=3)),
    ]
    present = Present(LABELS, moves)
    shape = Shape(frame=1, label_id=2, kind=ShapeKind.POINTS, points=(1, 1), attributes={21: "x", 99: "y"})
    for hours in (0, 2):
        fitted = present.fitted(shape, START + timedelta(hours=hours, minutes=30))
        assert fitted is not None
        assert (fitted.label_id, fitted.attributes) == (1, {12: "x"})
    late = present.fitted(shape, START + timedelta(hours=4))
    assert late is not None
    assert (late.label_id, late.attributes) == (2, {21: "x"})
    assert present.fitted(Tag(frame=1, label_id=7), START + timedelta(hours=9)) is None


def test_what_had_a_label_that_is_gone_is_counted_once() -> None:
    past = Past(Present(LABELS))
    gone = Tag(id=1, frame=1, label_id=9)
    past.tell_part(AnnotationSet(tags=(gone,)), START)
    past.tell(Touched(lost={"tag": [1, 2], "shape": [1]}))
    past.tell(Touched(created={"tag": [2]}))
    assert past.left_out == 3
    assert past.objects == {}
    assert len(past.keys) == 3
