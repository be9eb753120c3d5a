from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree
from yard.annotations.model import AnnotationSet, Shape, ShapeKind
from yard.export.domain import LeftOut, Subject
from yard.export.formats.cvat_images import CVAT_FOR_IMAGES
from yard.export.formats.cvat_video import CVAT_FOR_VIDEO
from yard.export.formats.format import Format

from services.export.tests.intake_scene import tried
from services.export.tests.sample import IMAGES, OBJECTS, SUBJECT, dataset, files
from services.export.tests.scenes import PROJECT, SCENES, Scene

GOLDEN = Path(__file__).parent / "golden"


def test_cvat_for_video_is_as_written_by_hand() -> None:
    made = dataset()
    assert files(CVAT_FOR_VIDEO, made) == {
        "annotations.xml": (GOLDEN / "cvat_video/annotations.xml").read_bytes()
    }
    assert made.left_out == [
        LeftOut("tag", "a video has tracks only, a frame as a whole cannot have a label", 1)
    ]


def test_cvat_for_images_is_as_written_by_hand() -> None:
    made = dataset(subject=IMAGES)
    assert files(CVAT_FOR_IMAGES, made) == {
        "annotations.xml": (GOLDEN / "cvat_images/annotations.xml").read_bytes()
    }
    assert made.left_out == [LeftOut("track", "tracks become single shapes on each frame", 1)]


@pytest.mark.parametrize("subject", [SUBJECT, IMAGES])
@pytest.mark.parametrize("known", [CVAT_FOR_IMAGES, CVAT_FOR_VIDEO], ids=lambda known: known.full_name)
def test_another_parser_reads_the_same(known: Format, subject: Subject) -> None:
    text = files(known, dataset(subject=subject))["annotations.xml"]
    root = etree.fromstring(text)
    assert {label.findtext("name") for label in root.iter("label")} == {'car <&"', "Straße"}
    assert {note.text for note in root.iterfind(".//attribute[@name='note']")} >= {"a\nb <"}
    assert root.findtext("meta/task/stop_frame") == "25"


SCHEMAS = {
    known: etree.XMLSchema(etree.parse(GOLDEN / f"{name}.xsd"))
    for known, name in ((CVAT_FOR_IMAGES, "cvat_images"), (CVAT_FOR_VIDEO, "cvat_video"))
}


@pytest.mark.parametrize("known", SCHEMAS, ids=lambda known: known.full_name)
@pytest.mark.parametrize("scene", [*SCENES, PROJECT], ids=lambda scene: scene.name)
def test_what_is_written_follows_the_schema(known: Format, scene: Scene) -> None:
    SCHEMAS[known].assertValid(etree.fromstring(files(known, scene.dataset())["annotations.xml"]))


def test_a_project_names_the_task_of_each_image() -> None:
    found = files(CVAT_FOR_IMAGES, PROJECT.dataset(with_images=True))
    root = etree.fromstring(found["annotations.xml"])
    assert [child.tag for child in root.iterfind("meta/*")] == ["project", "dumped"]
    assert root.findtext("meta/project/subsets") == "Test\nTrain"
    assert [task.findtext("id") for task in root.iterfind("meta/project/tasks/task")] == ["12", "13", "14"]
    assert len(root.findall("meta/project/labels/label")) == 3
    assert not root.findall("meta/project/tasks/task/labels")
    images = [(image.get("subset"), image.get("task_id"), image.get("name")) for image in root.iter("image")]
    assert images[:4] == [
        ("Train", "12", "a.png"),
        ("Train", "12", "b.png"),
        ("Test", "13", "c.png"),
        ("Test", "13", "b.png"),
    ]
    assert {f"images/{subset}/{name}" for subset, _, name in images[:4]} <= set(found)


def test_a_project_numbers_its_tracks_through_and_names_their_tasks() -> None:
    root = etree.fromstring(files(CVAT_FOR_VIDEO, PROJECT.dataset())["annotations.xml"])
    tracks = [[track.get(name) for name in ("id", "task_id", "subset")] for track in root.iter("track")]
    assert tracks == [["0", "12", "Train"], ["1", "13", "Test"], ["2", "14", "Train"]]


def test_nothing_is_written_on_deleted_frames() -> None:
    subject = replace(SUBJECT, deleted=((1, 2),))
    (text,) = files(CVAT_FOR_VIDEO, dataset(subject=subject)).values()
    frames = {element.get("frame") for element in etree.fromstring(text).iterfind("track/*")}
    assert frames == {"10", "25"}
    (text,) = files(CVAT_FOR_IMAGES, dataset(subject=replace(IMAGES, deleted=((1, 2),)))).values()
    assert [image.get("id") for image in etree.fromstring(text).iter("image")] == ["10", "25"]


def test_a_shape_is_closed_on_the_next_frame_that_is_not_deleted() -> None:
    shape = Shape(frame=0, label_id=7, kind=ShapeKind.RECTANGLE, points=(0, 0, 1, 1))
    subject = replace(SUBJECT, deleted=((1, 2),))
    (text,) = files(CVAT_FOR_VIDEO, dataset(AnnotationSet(shapes=(shape,)), subject)).values()
    boxes = etree.fromstring(text).findall("track/box")
    assert [(box.get("frame"), box.get("outside")) for box in boxes] == [("10", "0"), ("25", "1")]


def test_a_job_has_its_own_head() -> None:
    job = replace(SUBJECT, job_id=32, assignee="bob", first=2, last=3, segments=SUBJECT.segments[1:])
    (text,) = files(CVAT_FOR_VIDEO, dataset(AnnotationSet(), job)).values()
    meta = etree.fromstring(text).find("meta")
    assert meta is not None
    assert [child.tag for child in meta] == ["job", "dumped", "original_size"]
    assert [(meta.findtext(f"job/{name}")) for name in ("id", "size", "start_frame", "name")] == [
        "32",
        "2",
        "20",
        None,
    ]
    assert meta.findtext("job/assignee/username") == "bob"


@pytest.mark.parametrize(("frame", "elements"), [(0, 2), (1, 2), (2, 2), (3, 1)])
def test_a_single_shape_is_closed_wherever_a_frame_follows(frame: int, elements: int) -> None:
    shape = Shape(frame=frame, label_id=7, kind=ShapeKind.RECTANGLE, points=(0, 0, 1, 1))
    (text,) = files(CVAT_FOR_VIDEO, dataset(AnnotationSet(shapes=(shape,)))).values()
    boxes = etree.fromstring(text).findall("track/box")
    assert [box.get("outside") for box in boxes] == ["0", "1"][:elements]
    assert boxes[0].get("frame") == str(10 + 5 * frame)


def test_a_track_that_stays_visible_is_written_to_the_last_frame() -> None:
    (track,) = OBJECTS.tracks
    staying = replace(track, keyframes=track.keyframes[:1])
    (text,) = files(CVAT_FOR_VIDEO, dataset(AnnotationSet(tracks=(staying,)))).values()
    boxes = etree.fromstring(text).findall("track/box")
    assert [(box.get("frame"), box.get("keyframe")) for box in boxes] == [
        ("10", "1"),
        ("15", "0"),
        ("20", "0"),
        ("25", "0"),
    ]


@pytest.mark.parametrize("known", [CVAT_FOR_IMAGES, CVAT_FOR_VIDEO], ids=lambda known: known.full_name)
def test_what_is_thinner_than_two_decimals_keeps_an_area(known: Format) -> None:
    shapes = (
        Shape(frame=0, label_id=7, kind=ShapeKind.RECTANGLE, points=(1.005, 2, 1.015, 2.001)),
        Shape(frame=0, label_id=7, kind=ShapeKind.ELLIPSE, points=(9, 9, 9.001, 8.999)),
    )
    found = tried(known, files(known, dataset(AnnotationSet(shapes=shapes))))
    assert (found.faults, dict(found.ignored)) == ([], {})
    points = {one.kind: one.points for one in found.objects.shapes}
    assert points[ShapeKind.RECTANGLE] == pytest.approx((1.0, 2, 1.01, 2.01), abs=0.011)
    assert points[ShapeKind.ELLIPSE] == pytest.approx((9, 9, 9.01, 8.99))


def test_what_xml_cannot_hold_does_not_break_it() -> None:
    (track,) = OBJECTS.tracks
    wild = replace(track, attributes={3: "bell \x07 and \r\n end"})
    (text,) = files(CVAT_FOR_IMAGES, dataset(AnnotationSet(tracks=(wild,)))).values()
    note = etree.fromstring(text).find(".//attribute[@name='note']")
    assert note is not None
    assert note.text == "bell \ufffd and \r\n end"


def test_images_stand_beside_the_xml_under_their_own_names() -> None:
    found = files(CVAT_FOR_IMAGES, dataset(subject=IMAGES, image=lambda frame: [b"%d" % frame.number]))
    assert found["images/a b/25.v1.jpg"] == b"3"
    assert len(found) == 5
    video = files(CVAT_FOR_VIDEO, dataset(image=lambda frame: [b"x"]))
    assert "images/frame_000010.PNG" in video
