"""What the intake makes of found objects: columns that are right, or refusals with their place."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.batch import LARGEST_BATCH, Batch, ObjectKind
from yard.annotations.columnar import decode
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind
from yard.export.archives.refusals import FileFault, RefusedError
from yard.export.intakes.collected import Collected
from yard.export.intakes.intake import FoundShape, FoundTag, FoundTrack

from services.export.tests.intake_probe import box, collected, faults
from services.export.tests.intake_scene import target_of
from services.export.tests.sample import CAR, OBJECTS, ROAD, SUBJECT

RECTANGLE = ShapeKind.RECTANGLE


def fill_with(objects: AnnotationSet) -> Callable[[Collected], None]:
    def fill(intake: Collected) -> None:
        for tag in objects.tags:
            intake.tag(FoundTag(tag.frame, tag.label_id, tag.attributes, tag.group, tag.source))
        for shape in objects.shapes:
            intake.shape(_found(shape), "here")
        for track in objects.tracks:
            found = FoundTrack(track.label_id, track.keyframes, track.attributes, track.group, track.source)
            intake.track(found, "here")

    return fill


def _found(shape: Shape) -> FoundShape:
    return FoundShape(
        shape.frame,
        shape.label_id,
        shape.kind,
        shape.points,
        shape.rotation,
        shape.occluded,
        shape.z_order,
        shape.attributes,
        shape.group,
        shape.source,
    )


def test_all_that_is_found_comes_out_as_it_was() -> None:
    assert decode(collected(fill_with(OBJECTS))) == OBJECTS


_POINT = st.tuples(st.integers(0, 20), st.integers(0, 10))
_SHAPES = st.builds(
    Shape,
    frame=st.integers(0, 3),
    label_id=st.just(4),
    kind=st.sampled_from([ShapeKind.POLYGON, ShapeKind.POLYLINE, ShapeKind.POINTS]),
    points=st.lists(_POINT, min_size=3, max_size=9).map(
        lambda pairs: tuple(float(n) for pair in pairs for n in pair)
    ),
    z_order=st.integers(-(2**31), 2**31 - 1),
    group=st.integers(0, 2**31 - 1),
    occluded=st.booleans(),
    attributes=st.sampled_from([{}, {5: "true"}, {5: "false"}]),
)


@given(st.lists(_SHAPES, max_size=30))
def test_shapes_are_kept_in_their_order(shapes: list[Shape]) -> None:
    given_ = AnnotationSet(shapes=tuple(shapes))
    assert decode(collected(fill_with(given_))) == given_


def test_boxes_and_shapes_stay_in_order_and_batches_are_never_too_large() -> None:
    count = LARGEST_BATCH + 5
    corners = np.tile([0.0, 0.0, 4.0, 4.0], (count, 1))

    def fill(intake: Collected) -> None:
        intake.shape(box(9, 1, 10, 2), "first")
        intake.boxes(np.zeros(count, np.int64), np.full(count, 4), corners, "many")
        for number in range(count):
            intake.shape(box(0, 0, 1 + number % 9, 3), "last")
        intake.track(FoundTrack(4, [Keyframe(frame=0, kind=RECTANGLE, points=(0, 0, 1, 1))] * 1), "track")

    batches = collected(fill, most=10 * count)
    assert max(batch.count for batch in batches) == LARGEST_BATCH
    shapes = decode(batches).shapes
    assert (len(shapes), shapes[0].points[0], shapes[count].points[2]) == (2 * count + 1, 9, 4)
    assert [shape.points[2] for shape in shapes[count + 1 : count + 4]] == [1, 2, 3]


def test_directions_are_brought_into_one_turn() -> None:
    turned = [box(rotation=degrees) for degrees in (-90.0, 360.0, 725.5, -1e-20)]

    def fill(intake: Collected) -> None:
        for shape in turned:
            intake.shape(shape, "here")

    assert [shape.rotation for shape in decode(collected(fill)).shapes] == [270.0, 0.0, 5.5, 0.0]


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (box(math.nan, 1, 2, 2), "finite"),
        (box(1, 1, math.inf, 2), "finite"),
        (box(1, 1, 10**400, 2), "not a number that can be kept"),
        (box("x", 1, 2, 2), "not a number that can be kept"),  # type: ignore[arg-type]
        (box(rotation=math.nan), "rotation"),
        (box(rotation=10**400), "rotation"),
        (box(2, 2, 1, 1), "second corner"),
        (box(1, 1, 2), "4 are needed"),
        (box(1, 1, 50, 5), "leaves the frame of 20x10"),
        (box(z_order=2**31), "z order"),
        (box(group=-1), "group"),
        (box(group=10**30), "group"),
        (FoundShape(1, 4, ShapeKind.MASK, (0, 10**12, 0, 0, 1, 1)), "add up to"),
        (FoundShape(1, 4, ShapeKind.POLYGON, [1.0] * 100_002), "100002 numbers"),
    ],
)
def test_shapes_that_cannot_be_are_refused_where_they_stand(shape: FoundShape, reason: str) -> None:
    def fill(intake: Collected) -> None:
        intake.shape(box(), "file:1")
        intake.shape(shape, "file:2")
        intake.shape(box(), "file:3")

    found = faults(fill)
    assert {fault.where for fault in found} == {"file:2"}
    assert any(reason in fault.reason for fault in found), found


@pytest.mark.parametrize(
    ("track", "reason"),
    [
        (FoundTrack(4, []), "no keyframes"),
        (
            FoundTrack(4, [Keyframe(frame=1, kind=RECTANGLE, points=(0, 0, 1, 1))] * 2),
            "more than one keyframe",
        ),
        (FoundTrack(4, [Keyframe(frame=9, kind=RECTANGLE, points=(0, 0, 1, 1))]), "frame 9"),
        (FoundTrack(4, [Keyframe(frame=1, kind=RECTANGLE, points=(0, 0, math.nan, 1))]), "finite"),
        (FoundTrack(4, [Keyframe(frame=1, kind=ShapeKind.MASK, points=(0, 1, 0, 0, 0, 0))]), "masks"),
        (FoundTrack(7, [Keyframe(frame=1, kind=RECTANGLE, points=(0, 0, 1, 1))], {2: "5"}), "attribute 2"),
        (FoundTrack(7, [Keyframe(frame=1, kind=RECTANGLE, points=(0, 0, 1, 1))], {1: "green"}), "green"),
    ],
)
def test_tracks_that_cannot_be_are_refused_where_they_stand(track: FoundTrack, reason: str) -> None:
    found = faults(lambda intake: intake.track(track, "file:7"))
    assert {fault.where.partition(",")[0] for fault in found} == {"file:7"}
    assert any(reason in fault.reason for fault in found), found


def test_tracks_that_are_never_seen_are_counted() -> None:
    key = Keyframe(frame=1, kind=RECTANGLE, points=(0, 0, 1, 1))
    kept: list[Collected] = []

    def fill(intake: Collected) -> None:
        kept.append(intake)
        intake.track(FoundTrack(4, [replace(key, outside=True)]), "a")
        intake.track(FoundTrack(4, [key]), "b")

    assert len(decode(collected(fill)).tracks) == 1
    assert kept[0].ignored == {("track", "is outside on every keyframe"): 1}


def test_keyframes_are_put_in_order() -> None:
    keyframes = [Keyframe(frame=frame, kind=RECTANGLE, points=(0, 0, 1, 1)) for frame in (3, 1, 2)]
    batches = collected(lambda intake: intake.track(FoundTrack(4, keyframes), "here"))
    assert [keyframe.frame for keyframe in decode(batches).tracks[0].keyframes] == [1, 2, 3]


def test_long_tracks_and_many_are_numbered_through() -> None:
    keyframes = [Keyframe(frame=frame, kind=RECTANGLE, points=(0, 0, 1 + frame, 1)) for frame in range(4)]
    count = 5_000

    def fill(intake: Collected) -> None:
        for _ in range(count):
            intake.track(FoundTrack(4, keyframes), "here")

    batches = collected(fill, most=10 * count)
    assert max(batch.count for batch in batches) <= LARGEST_BATCH
    tracks = decode(batches).tracks
    assert len(tracks) == count
    assert {tuple(keyframe.frame for keyframe in track.keyframes) for track in tracks} == {(0, 1, 2, 3)}


def test_twenty_faults_are_enough_and_a_label_is_told_once() -> None:
    def fill(intake: Collected) -> None:
        for number in range(1000):
            assert intake.label("cow", f"line {number}") is None
        for number in range(1000):
            intake.frame_at(-1, f"line {number}")

    found = faults(fill)
    assert len(found) == 20
    assert found[0] == FileFault("line 0", "there is no label 'cow'")
    assert found[1].where == "line 0"


def test_more_objects_than_allowed_are_refused_while_they_come() -> None:
    def fill(intake: Collected) -> None:
        while True:
            intake.shape(box(), "here")

    (fault,) = faults(fill)
    assert "more than 10000 objects" in fault.reason


def test_frames_are_found_by_number_and_place() -> None:
    intake = Collected(target_of(SUBJECT), lambda batch: None)
    assert [intake.frame_of_source(number, "") for number in (10, 25)] == [0, 3]
    assert [intake.frame_at(place, "") for place in (0, 3)] == [0, 3]
    assert [intake.frame_of_source(number, "a") for number in (11, 30)] == [None, None]
    assert intake.frame_at(4, "a") is None
    with pytest.raises(RefusedError) as caught:
        intake.finish()
    assert [fault.where for fault in caught.value.faults] == ["a"] * 3


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("colour", "red", "red"),
        ("speed", 5, "5"),
        ("speed", 5.0, "5"),
        ("speed", 5.5, "5.5"),
        ("speed", "5.50", "5.50"),
        ("note", True, "true"),
        ("note", None, ""),
        ("note", "a\nb", "a\nb"),
    ],
)
def test_values_become_texts(name: str, value: object, text: str) -> None:
    intake = Collected(target_of(SUBJECT), lambda batch: None)
    ids = {attribute.name: attribute.id for attribute in CAR.attributes}
    for _ in range(2):
        assert intake.attributes(CAR, {name: value}, "here") == {ids[name]: text}


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (1, "true"), ("True", "true"), ("0", "false"), (0.0, "false")]
)
def test_checkboxes_take_every_spelling(value: object, text: str) -> None:
    intake = Collected(target_of(SUBJECT), lambda batch: None)
    assert intake.attributes(ROAD, {"is_crowd": value}, "here") == {5: text}


def test_values_that_are_not_allowed_are_refused_and_unknown_ones_counted() -> None:
    batches: list[Batch] = []
    intake = Collected(target_of(SUBJECT), batches.append)
    values = {"colour": "green", "speed": math.nan, "note": [1], "weight": 3}
    assert intake.attributes(CAR, values, "here") == {}
    assert intake.ignored == {("attribute", "the label does not declare it"): 1}
    for number in range(1000):
        intake.ignore("thing", f"reason {number}")
    assert len(intake.ignored) <= 202
    with pytest.raises(RefusedError) as caught:
        intake.finish()
    assert ["colour" in caught.value.faults[0].reason, len(caught.value.faults)] == [True, 3]
    assert ObjectKind.SHAPE not in {batch.object_kind for batch in batches}
