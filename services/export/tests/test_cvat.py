from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree
from yard.annotations.model import AnnotationSet, Shape, ShapeKind
from yard.export.domain import LeftOut, Subject
from yard.export.formats import FORMATS
from yard.export.formats.cvat_images import CVAT_FOR_IMAGES
from yard.export.formats.cvat_video import CVAT_FOR_VIDEO
from yard.export.formats.format import Format

from services.export.tests.sample import IMAGES, OBJECTS, SUBJECT, dataset, files

GOLDEN = Path(__file__).parent / "golden"


def test_cvat_for_video_is_as_written_by_hand() -> None:
    made = dataset()
    assert files(CVAT_FOR_VIDEO, made) == {"annotations.xml": (GOLDEN / "cvat_video/annotations.xml").read_bytes()}
    assert made.left_out == [
        LeftOut("tag", "a video has tracks only, a frame as a whole cannot have a label", 1)
    ]


def test_cvat_for_images_is_as_written_by_hand() -> None:
    made = dataset(subject=IMAGES)
    assert files(CVAT_FOR_IMAGES, made) == {"annotations.xml": (GOLDEN / "cvat_images/annotations.xml").read_bytes()}
    assert made.left_out == [LeftOut("track", "tracks become single shapes on each frame", 1)]


@pytest.mark.parametrize("subject", [SUBJECT, IMAGES])
@pytest.mark.parametrize("known", FORMATS[:2], ids=lambda known: known.full_name)
def test_another_parser_reads_the_same(known: Format, subject: Subject) -> None:
    text = files(known, dataset(subject=subject))["annotations.xml"]
    root = etree.fromstring(text)
    assert {label.findtext("name") for label in root.iter("label")} == {'car <&"', "Straße"}
    assert {note.text for note in root.iterfind(".//attribute[@name='note']")} >= {"a\nb <"}
    assert root.findtext("meta/task/stop_frame") == "25"


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
