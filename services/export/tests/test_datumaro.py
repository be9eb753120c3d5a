import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Source, Tag, Track
from yard.export.domain import LeftOut
from yard.export.formats.datumaro import DATUMARO, NO_PLACE
from yard.export.wording.decimals import corner, size_between

from services.export.tests.intake_scene import imported, tried
from services.export.tests.json_scenes import XS, pictures, seen, sets
from services.export.tests.sample import IMAGES, SUBJECT, dataset, files

GOLDEN = Path(__file__).parent / "golden" / "datumaro" / "val.json"
NAME = "annotations/val.json"
KINDS = tuple(kind for kind in ShapeKind if kind is not ShapeKind.CUBOID)
MOVING = (ShapeKind.RECTANGLE, ShapeKind.ELLIPSE)
BOX = {"id": 0, "type": "bbox", "label_id": 0, "bbox": [1, 2, 3, 4]}


def document(*annotations: dict[str, Any], **item: Any) -> dict[str, Any]:
    """One picture as CVAT writes it."""
    labels: list[dict[str, Any]] = [
        {"name": name, "parent": "", "attributes": []} for name in ('car <&"', "Straße")
    ]
    image = {"path": "a b/15.v1.jpg", "size": [10, 20]}
    one = {"id": "a b/15.v1", "annotations": list(annotations), "attr": {"frame": 1}, "image": image}
    return {"info": {}, "categories": {"label": {"labels": labels}}, "items": [one | item]}


def bare(found: dict[str, Any]) -> bytes:
    return json.dumps(found, allow_nan=True).encode()


def read(found: dict[str, Any]) -> AnnotationSet:
    return imported(DATUMARO, bare(found), IMAGES, name="given.json")


def refused(found: dict[str, Any] | bytes) -> list[str]:
    content = found if isinstance(found, bytes) else bare(found)
    faults = tried(DATUMARO, content, IMAGES, name="given.json").faults
    assert faults
    return [f"{fault.where}: {fault.reason}" for fault in faults]


def test_datumaro_is_as_written_by_hand() -> None:
    made = dataset(subject=IMAGES)
    found = files(DATUMARO, made)
    assert list(found) == [NAME]
    assert found[NAME].decode() == "".join(line.strip() for line in GOLDEN.read_text().splitlines())
    assert made.left_out == [LeftOut("cuboid", NO_PLACE, 1)]


@given(sets(KINDS, MOVING, tagged=True))
@settings(max_examples=100, deadline=None)
def test_a_round_trip_gives_back_everything(objects: AnnotationSet) -> None:
    back = imported(DATUMARO, files(DATUMARO, dataset(objects, IMAGES)), IMAGES)
    assert len(back.tracks) == len(objects.tracks)
    assert seen(back) == seen(objects)


@given(sets(KINDS, MOVING, tagged=False))
@settings(max_examples=50, deadline=None)
def test_shapes_come_back_to_the_bit_and_in_their_order(objects: AnnotationSet) -> None:
    back = imported(DATUMARO, files(DATUMARO, dataset(objects, IMAGES)), IMAGES)
    whole = [tuple(picture.objects) for picture in pictures(replace(objects, tracks=()))]
    found = [tuple(picture.objects) for picture in pictures(replace(back, tracks=()))]
    assert found == [tuple(one._replace(source=Source.FILE) for one in shapes) for shapes in whole]


def test_a_video_is_read_by_the_numbers_of_its_frames() -> None:
    found = files(DATUMARO, dataset())
    back = imported(DATUMARO, found)
    assert [shape.frame for shape in back.shapes] == [1, 1, 2, 2, 3, 3, 3]
    (track,) = back.tracks
    assert [(keyframe.frame, keyframe.outside) for keyframe in track.keyframes] == [
        (0, False),
        (2, False),
        (3, True),
    ]
    assert (track.group, track.attributes) == (2, {1: "red", 3: "a\nb <"})
    assert [keyframe.attributes for keyframe in track.keyframes] == [{2: "5.5"}, {}, {}]


def test_a_gap_is_where_a_picture_lacks_a_track_not_where_there_is_no_picture() -> None:
    keyframes = (Keyframe(frame=0, kind=ShapeKind.RECTANGLE, points=(1, 1, 5, 5)),)
    track = Track(label_id=7, keyframes=keyframes)
    found = json.loads(files(DATUMARO, dataset(AnnotationSet(tracks=(track,)), IMAGES))[NAME])
    del found["items"][1]
    (back,) = read(found).tracks
    assert [(keyframe.frame, keyframe.outside) for keyframe in back.keyframes] == [(0, False)]
    found["items"][1]["annotations"] = []
    (back,) = read(found).tracks
    assert [(one.frame, one.outside) for one in back.keyframes] == [(0, False), (2, True), (3, False)]


def test_pictures_of_a_track_may_come_in_any_order() -> None:
    keyframes = tuple(
        Keyframe(frame=frame, kind=ShapeKind.RECTANGLE, points=(frame, 1, frame + 3, 5)) for frame in (0, 3)
    )
    track = Track(label_id=7, keyframes=keyframes)
    found = json.loads(files(DATUMARO, dataset(AnnotationSet(tracks=(track,)), IMAGES))[NAME])
    straight = read(found).tracks
    found["items"].reverse()
    assert read(found).tracks == straight
    assert [one.frame for one in straight[0].keyframes] == [0, 3]


def test_the_newer_types_and_members_of_datumaro_are_read() -> None:
    found = document(
        {"type": "ellipse", "label_id": 1, "points": [2, 2, 8, 6]},
        {"type": "rotated_bbox", "label_id": 0, "points": [10, 5, 4, 2, 30]},
        {"type": "label", "label_id": 1, "group": 3},
        attr={},
    )
    found |= {"dm_format_version": "1.0", "media_type": 2, "infos": {}}
    found["items"][0]["image"] = {"path": "15.v1.jpg"}
    back = read(found)
    assert [(one.kind, one.points, one.rotation) for one in back.shapes] == [
        (ShapeKind.ELLIPSE, (5, 4, 8, 2), 0),
        (ShapeKind.RECTANGLE, (8, 4, 12, 6), 30),
    ]
    assert [(tag.label_id, tag.group) for tag in back.tags] == [(4, 3)]


def test_pictures_before_labels_are_read_in_a_second_go() -> None:
    found = document(BOX)
    swapped = {"items": found["items"], "categories": found["categories"]}
    assert read(swapped) == read(found)


def test_what_the_task_cannot_hold_is_counted() -> None:
    found = document(
        {"type": "caption", "caption": "x"},
        {"type": "skeleton", "label_id": 0, "elements": []},
        {"type": "polygon", "label_id": None, "points": [1, 1, 2, 2, 3, 1]},
        BOX | {"attributes": {"depth": 3, "colour": "red"}},
        BOX | {"attributes": {"depth": 3, "colour": "red"}},
    )
    ignored = tried(DATUMARO, bare(found), IMAGES, name="x.json").ignored
    assert {kind: count for (kind, _), count in ignored.items()} == {
        "caption": 1,
        "skeleton": 1,
        "polygon": 1,
        "attribute": 2,
    }


def test_a_changed_mask_is_no_longer_its_ellipse() -> None:
    ellipse = Shape(frame=1, label_id=4, kind=ShapeKind.ELLIPSE, points=(10, 5, 13, 3))
    text = files(DATUMARO, dataset(AnnotationSet(shapes=(ellipse,)), IMAGES))[NAME].decode()
    (shape,) = imported(DATUMARO, text.replace("13.0 3.0", "13.0 1.0").encode(), IMAGES, name="x.json").shapes
    assert shape.kind is ShapeKind.MASK


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (BOX | {"label_id": 2}, "there is no label 2"),
        (BOX | {"label_id": True}, "there is no label True"),
        (BOX | {"bbox": [1, 2, 3]}, "is not a list of 4 numbers"),
        (BOX | {"bbox": [1, 2, 1e999, 4]}, "Infinity is not a number of JSON"),
        (BOX | {"bbox": [1, 2, "3", 4]}, "does not hold finite numbers only"),
        (BOX | {"bbox": [1, 2, -3, 4]}, "the second corner must be right of and below the first"),
        (BOX | {"bbox": [1, 2, 300, 4]}, "leaves the frame"),
        (BOX | {"bbox": [1, 2, 10**400, 4]}, "does not hold finite numbers only"),
        (BOX | {"z_order": 1.5}, "z_order must be a whole number"),
        (BOX | {"group": 2**70}, "group must be a whole number"),
        (BOX | {"attributes": [1]}, "attributes must be an object"),
        (BOX | {"attributes": {"rotation": "x"}}, "rotation must be a finite number"),
        (BOX | {"attributes": {"colour": "pink"}}, "'pink' is not one of"),
        (BOX | {"attributes": {"note": "\ud800"}}, "holds characters that are none"),
        ({"type": "polygon", "label_id": 0, "points": [1, 2, 3]}, "3 or more pairs"),
        ({"type": "mask", "label_id": 0, "rle": {"counts": "`1", "size": [10, 20]}}, "add up to"),
        ({"type": "mask", "label_id": 0, "rle": {"counts": "h61", "size": [9, 20]}}, "is not the frame's"),
        (7, "the annotation must be an object"),
    ],
)
def test_wrong_objects_are_refused_with_their_place(annotation: Any, reason: str) -> None:
    (told,) = refused(document(BOX, annotation))
    assert reason in told
    assert told.startswith("given.json: item 1, annotation 2") or "Infinity" in told


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (document(id="c", image={}), "there is no frame 'c'"),
        (document(image={"path": "15.v1.jpg", "size": [20, 10]}), "is not the frame's [10, 20]"),
        ({"items": []}, "what items build on is missing"),
        (
            {"categories": {"label": {"labels": [{"name": 3}]}}, "items": []},
            "the name of a label must be a text",
        ),
        ({"categories": {}, "items": {}}, "items must be a list"),
        ({}, "categories are missing"),
        (document() | {"items": document()["items"] * 2}, "another item is frame 1 too"),
        (b"[]", "{ is missing"),
        (b"\xff\xfe{}", "not UTF-8"),
    ],
)
def test_wrong_files_are_refused(found: Any, reason: str) -> None:
    assert reason in "\n".join(refused(found))


def test_two_objects_of_a_track_on_one_picture_are_refused() -> None:
    tracked = BOX | {"attributes": {"track_id": 5}}
    assert "track 5 has another object on this frame" in refused(document(tracked, tracked))[0]
    other = {"type": "polygon", "label_id": 0, "points": [1, 1, 2, 2, 3, 1], "attributes": {"track_id": 5}}
    assert "track 5 has another label or kind" in refused(document(tracked, other))[0]


def test_a_tag_without_attributes_is_an_empty_object() -> None:
    found = json.loads(
        files(DATUMARO, dataset(AnnotationSet(tags=(Tag(frame=0, label_id=4),)), IMAGES))[NAME]
    )
    assert found["items"][0]["annotations"][0]["attributes"] == {"is_crowd": False}


@given(XS, XS)
def test_sizes_of_decimals_lead_back_to_the_other_corner(start: float, end: float) -> None:
    assert corner(start, size_between(start, end)) == end
    assert len(str(size_between(start, end))) <= len("-20.00")


@given(st.floats(0, 10_000), st.floats(0, 10_000))
def test_sizes_of_any_numbers_lead_back_to_the_other_corner(start: float, end: float) -> None:
    assert corner(start, size_between(start, end)) == pytest.approx(end, abs=2e-11)


def test_the_numbers_of_frames_of_a_video_need_not_be_in_names() -> None:
    found = document(BOX, id="other", attr={"frame": 15}, image={"path": "x.png", "size": [10, 20]})
    (shape,) = imported(DATUMARO, bare(found), SUBJECT, name="x.json").shapes
    assert shape.frame == 1
