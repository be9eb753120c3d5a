import math
from dataclasses import replace

import pytest
from yard.annotations.errors import AnnotationError
from yard.annotations.labels import Label, LabelKind, LabelSchema
from yard.annotations.model import AnnotationSet, Shape, ShapeKind, Tag, Track
from yard.annotations.validation import Rules, validated

from libs.annotations.tests.examples import SCHEMA, box, key, track

RULES = Rules(schema=SCHEMA, first=10, last=19, frame_size=lambda frame: (640, 480))


def faults(**objects: tuple[object, ...]) -> list[tuple[str, str]]:
    with pytest.raises(AnnotationError) as refused:
        validated(AnnotationSet(**objects), RULES)  # type: ignore[arg-type]
    return [(fault.field, fault.description) for fault in refused.value.faults]


def test_good_objects_come_back_with_keyframes_in_order() -> None:
    good = AnnotationSet(
        tags=(Tag(frame=10, label_id=2),),
        shapes=(box(19, 0, 0, 640, 480, attributes={11: "blue", 12: "15"}),),
        tracks=(
            track(key(12, 0, 0, 9, 9), key(11, 1, 1, 9, 9, attributes={12: "5"}), attributes={11: "red"}),
        ),
    )
    checked = validated(good, RULES)
    assert [keyframe.frame for keyframe in checked.tracks[0].keyframes] == [11, 12]
    assert (checked.tags, checked.shapes) == (good.tags, good.shapes)


def test_half_a_pixel_outside_is_clamped() -> None:
    checked = validated(AnnotationSet(shapes=(box(10, -0.5, 1, 640.5, 480.2),)), RULES)
    assert list(checked.shapes[0].points) == [0, 1, 640, 480]
    thin = box(10, -0.4, 1, -0.1, 5)
    assert validated(AnnotationSet(shapes=(thin,)), RULES).shapes == (thin,)


def test_objects_may_stick_out_and_stay_as_they_are() -> None:
    out = (
        box(10, -0.6, -0.2, 9, 9),
        box(10, -20, -30, 700, 500),
        box(10, -20, 5, -10, 9),
        box(10, 630, 470, 650, 470, 650, 490.25, kind=ShapeKind.POLYGON),
        box(10, -1, -1, 641, 481, kind=ShapeKind.POLYLINE),
        box(10, -640, 960, kind=ShapeKind.POINTS),
        box(10, -20, 0, 20, 9, rotation=30.0),
        box(10, 5, 5, 50, -40, kind=ShapeKind.ELLIPSE),
        box(10, *([700.0, 500.0] * 8), kind=ShapeKind.CUBOID),
    )
    moving = track(key(10, -5, -5, 9, 9), key(12, 630, 5, 660, 9))
    checked = validated(AnnotationSet(shapes=out, tracks=(moving,)), RULES)
    assert (checked.shapes, checked.tracks) == (out, (moving,))


@pytest.mark.parametrize("rotation", [0.0, 30.0])
def test_they_may_not_stick_out_far(rotation: float) -> None:
    for wrong in (box(10, -641, 0, 20, 9), box(10, 0, 0, 20, 960.5)):
        ((field, words),) = faults(shapes=(box(10, 1, 1, 2, 2), replace(wrong, rotation=rotation)))
        assert field == "annotations.shapes[1].points"
        assert "640x480" in words


def test_unknown_frame_sizes_are_not_checked() -> None:
    rules = replace(RULES, frame_size=lambda frame: None)
    far = AnnotationSet(shapes=(box(10, 0, 0, 9000, 9000),))
    assert validated(far, rules) == far


def test_all_faults_are_told_at_once() -> None:
    found = faults(
        tags=(Tag(frame=9, label_id=1, group=-1),),
        shapes=(box(20, 0, 0, 1, 1, label_id=7), box(10, 0, 0, 1, 1, attributes={11: "pink", 5: "x"})),
        tracks=(track(), track(key(10, 0, 0, 1, 1, attributes={11: "red"}), attributes={12: "5"})),
    )
    assert [field.removeprefix("annotations.") for field, _ in found] == [
        "tags[0].frame",
        "tags[0].group",
        "shapes[0].frame",
        "shapes[0].label_id",
        "shapes[1].attributes[0].value",
        "shapes[1].attributes[1].attribute_id",
        "tracks[0].keyframes",
        "tracks[1].attributes[0].attribute_id",
        "tracks[1].keyframes[0].attributes[0].attribute_id",
    ]


@pytest.mark.parametrize(
    "shape",
    [
        box(10, 0, 0, 1),
        box(10, 5, 5, 5, 9),
        box(10, 9, 5, 5, 9),
        box(10, 0, 0, math.nan, 1),
        box(10, 0, 0, math.inf, 1),
        box(10, 0, 0, 1, 1, 2, kind=ShapeKind.POLYGON),
        box(10, 0, 0, 1, 1, kind=ShapeKind.POLYGON),
        box(10, 0, 0, kind=ShapeKind.POLYLINE),
        box(10, kind=ShapeKind.POINTS),
        box(10, 5, 5, 5, 2, kind=ShapeKind.ELLIPSE),
        box(10, *range(14), kind=ShapeKind.CUBOID),
        box(10, *([1.0] * 100_002), kind=ShapeKind.POLYLINE),
        box(10, 1, 2, 0, 0, 1, 1, kind=ShapeKind.MASK),
        box(10, 4, 0, 0, 1, 1, kind=ShapeKind.MASK),
        box(10, 4, 0, 0, 0, 1, 1, kind=ShapeKind.MASK),
        box(10, 0.5, 3.5, 0, 0, 1, 1, kind=ShapeKind.MASK),
        box(10, 0, 4, 639, 0, 640, 1, kind=ShapeKind.MASK),
    ],
)
def test_points_that_do_not_fit_their_kind(shape: Shape) -> None:
    ((field, _),) = faults(shapes=(shape,))
    assert field == "annotations.shapes[0].points"


def test_masks_that_fit() -> None:
    mask = box(10, 0, 4, 638, 478, 639, 479, kind=ShapeKind.MASK)
    assert validated(AnnotationSet(shapes=(mask,)), RULES).shapes == (mask,)


@pytest.mark.parametrize(
    "shape",
    [
        box(10, 0, 0, 1, 1, rotation=360.0),
        box(10, 0, 0, 1, 1, rotation=-1.0),
        box(10, 0, 0, 1, 1, rotation=math.nan),
        box(10, 0, 0, 1, 1, 2, 2, rotation=5.0, kind=ShapeKind.POLYGON),
    ],
)
def test_rotations(shape: Shape) -> None:
    ((field, _),) = faults(shapes=(shape,))
    assert field == "annotations.shapes[0].rotation"


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (track(key(10, 0, 0, 1, 1), key(10, 0, 0, 1, 1)), "keyframes[1].frame"),
        (track(key(10, 0, 0, 1, 1), key(20, 0, 0, 1, 1)), "keyframes[1].frame"),
        (track(key(10, 0, 0, 1, 1, outside=True)), "keyframes"),
        (track(key(10, 0, 1, 0, 0, 0, 0, kind=ShapeKind.MASK)), "keyframes[0].kind"),
        (track(key(10, 0, 0, 1, 1), key(11, 0, 0, kind=ShapeKind.POINTS)), "keyframes[1].kind"),
    ],
)
def test_keyframe_rules(wrong: Track, path: str) -> None:
    ((field, _),) = faults(tracks=(wrong,))
    assert field == f"annotations.tracks[0].{path}"


def test_labels_take_only_their_kind() -> None:
    schema = LabelSchema(
        [Label(id=1, name="t", kind=LabelKind.TAG), Label(id=2, name="p", kind=LabelKind.POLYGON)]
    )
    objects = AnnotationSet(
        tags=(Tag(frame=10, label_id=2),),
        shapes=(box(10, 0, 0, 1, 1), box(10, 0, 0, 1, 0, 1, 1, label_id=2, kind=ShapeKind.POLYGON)),
        tracks=(track(key(10, 0, 0, 1, 1), label_id=2),),
    )
    with pytest.raises(AnnotationError) as refused:
        validated(objects, replace(RULES, schema=schema))
    assert [fault.field for fault in refused.value.faults] == [
        "annotations.tags[0].label_id",
        "annotations.shapes[0].kind",
        "annotations.tracks[0].keyframes[0].kind",
    ]


def test_many_faults_are_counted_but_only_the_first_hundred_are_listed() -> None:
    with pytest.raises(AnnotationError, match="and 149 more") as refused:
        validated(AnnotationSet(tags=(Tag(frame=0, label_id=1),) * 150), RULES)
    assert (len(refused.value.faults), refused.value.count) == (100, 150)
