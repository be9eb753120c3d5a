import io
from pathlib import Path

import pytest
from yard.annotations.model import Shape, ShapeKind, Source, Tag
from yard.export.formats.cvat import CVAT
from yard.export.formats.cvat_images import CVAT_FOR_IMAGES
from yard.export.formats.format import Format
from yard.export.wording.xml_events import LONGEST_TAG_BYTES, MOST_NAMES, BrokenXmlError, XmlEvents

from services.export.tests.cvat_files import BOX, ROAD, faults, images, shapes
from services.export.tests.intake_scene import imported, tried
from services.export.tests.sample import IMAGES

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("known", [CVAT_FOR_IMAGES, CVAT], ids=lambda known: known.full_name)
def test_images_as_written_by_hand_are_read(known: Format) -> None:
    content = (GOLDEN / "cvat_images/annotations.xml").read_bytes()
    found = imported(known, {"annotations.xml": content, "images/a b/10.v1.jpg": b"?"}, IMAGES)
    assert found.tags == (Tag(frame=1, label_id=ROAD, attributes={5: "true"}),)
    assert [(shape.frame, shape.kind.name, shape.source.name, shape.group) for shape in found.shapes] == [
        (0, "RECTANGLE", "SEMI_AUTO", 2),
        (1, "ELLIPSE", "FILE", 0),
        (1, "RECTANGLE", "SEMI_AUTO", 2),
        (1, "POLYGON", "MANUAL", 0),
        (2, "MASK", "MANUAL", 0),
        (2, "POLYGON", "MANUAL", 0),
        (2, "RECTANGLE", "SEMI_AUTO", 2),
        (3, "POLYLINE", "MANUAL", 0),
        (3, "POINTS", "MANUAL", 0),
        (3, "CUBOID", "MANUAL", 0),
        (3, "RECTANGLE", "MANUAL", 0),
    ]
    first, ellipse, *_ = found.shapes
    assert first.attributes == {1: "red", 2: "5.5", 3: "a\nb <"}
    assert (first.rotation, first.points) == (350.0, (0, 0, 4, 4))
    assert (ellipse.rotation, ellipse.points) == (45.0, (10, 5, 13, 3))
    assert found.shapes[4].points == (1, 2, 1, 5, 5, 6, 6)


def test_images_are_found_by_name_and_without_one_by_number() -> None:
    box = f'<box label="Straße" {BOX}/>'
    assert [shape.frame for shape in shapes(images(box, image='id="7" name="20.v1"'))] == [2]
    assert [shape.frame for shape in shapes(images(box, image='id="25"'))] == [3]
    assert faults(images(box, image='id="10" name="other.jpg"')) == [
        ("given.xml:2", "there is no frame 'other.jpg'")
    ]
    assert [where for where, _ in faults(images(box, image='id="11"'))] == ["given.xml:2"]


def test_what_older_and_other_writers_leave_out_has_its_default() -> None:
    (shape,) = shapes(images(f'<box {BOX} label="Straße" occluded="True" source="Robot"/>'))
    assert shape == Shape(
        frame=0,
        label_id=ROAD,
        kind=ShapeKind.RECTANGLE,
        points=(1, 2, 3.5, 4),
        occluded=True,
        source=Source.FILE,
    )


@pytest.mark.parametrize(
    ("written", "meant"), [("-90", 270.0), ("720.5", 0.5), ("359.99", 359.99), ("360.00", 0.0)]
)
def test_rotations_are_brought_below_a_full_turn(written: str, meant: float) -> None:
    (shape,) = shapes(images(f'<box label="Straße" {BOX} rotation="{written}"/>'))
    assert shape.rotation == meant


def test_every_xml_of_an_archive_is_read_but_not_what_desktops_add() -> None:
    box = f'<box label="Straße" {BOX}/>'
    archive = {
        "labels/one.XML": images(box),
        "labels/two.xml": images(box, image='id="15" name="15.v1.jpg"'),
        "__MACOSX/labels/._one.xml": b"\0",
        "notes.txt": b"",
    }
    assert [shape.frame for shape in imported(CVAT, archive, IMAGES).shapes] == [0, 1]
    (fault,) = tried(CVAT, {"notes.txt": b""}, IMAGES).faults
    assert fault == ("given.zip", "holds no XML file")


def test_skeletons_and_unknown_things_are_counted_and_passed_over() -> None:
    skeleton = '<skeleton label="Straße"><points label="Straße" points="1,2"/></skeleton>'
    attribute = '<attribute name="colour">red</attribute>'
    box = f'<box label="Straße" {BOX}>{attribute}</box>'
    found = tried(CVAT_FOR_IMAGES, images(skeleton, "<hexagon/>", box), IMAGES, name="given.xml")
    assert len(found.objects.shapes) == 1
    assert found.ignored == {
        ("skeleton", "there are no skeletons here"): 1,
        ("element", "it is none that the format has"): 1,
        ("attribute", "the label does not declare it"): 1,
    }


def test_boxes_without_an_area_are_counted_and_passed_over() -> None:
    flat = '<box label="Straße" xtl="1.00" ytl="1.00" xbr="1.00" ybr="2.00"/>'
    found = tried(CVAT_FOR_IMAGES, images(flat), IMAGES, name="given.xml")
    assert not found.faults
    assert found.ignored == {("rectangle", "has no area at two decimals"): 1}


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (f"<box {BOX}/>", "there is no label ''"),
        (f'<box label="Boat" {BOX}/>', "there is no label 'Boat'"),
        ('<box label="Straße" xtl="1" ytl="2" ybr="4"/>', "xbr is missing"),
        ('<box label="Straße" xtl="1" ytl="2" xbr="wide" ybr="4"/>', "a number is needed, not 'wide'"),
        ('<box label="Straße" xtl="1" ytl="2" xbr="nan" ybr="4"/>', "points: must be finite numbers"),
        ('<box label="Straße" xtl="1" ytl="2" xbr="inf" ybr="4"/>', "points: must be finite numbers"),
        (
            f'<box label="Straße" {BOX} z_order="1e9"/>',
            "z_order is '1e9', a whole number of 32 bits is needed",
        ),
        (
            f'<box label="Straße" {BOX} group_id="99999999999"/>',
            "group_id is '99999999999', a whole number of 32 bits is needed",
        ),
        (f'<box label="Straße" {BOX} occluded="maybe"/>', "occluded is 'maybe', 0 or 1 is needed"),
        (
            '<polygon label="Straße" points="1,2;3,4;5"/>',
            "points are '1,2;3,4;5', numbers x,y with ; between them are needed",
        ),
        (
            '<polygon label="Straße" points="1,2,3;4;5,6"/>',
            "points are '1,2,3;4;5,6', numbers x,y with ; between them are needed",
        ),
        (
            '<polygon label="Straße" points="1,2;3,x;5,6"/>',
            "points are '1,2;3,x;5,6', numbers x,y with ; between them are needed",
        ),
        (
            '<mask label="Straße" rle="1, 99999999999" left="0" top="0" width="2" height="2"/>',
            "the runs do not fill a box of 2x2 pixels",
        ),
        (
            '<mask label="Straße" rle="1, -1, 4" left="0" top="0" width="2" height="2"/>',
            "the runs do not fill a box of 2x2 pixels",
        ),
        (
            '<mask label="Straße" rle="0, 9999999999" left="0" top="0" width="99999" height="100001"/>',
            "points: the mask leaves the frame of 20x10",
        ),
        (
            f'<box label="Straße" {BOX}><attribute name="is_crowd">perhaps</attribute></box>',
            "attribute 'is_crowd': 'perhaps' is neither true nor false",
        ),
    ],
)
def test_a_wrong_object_is_refused_with_its_line(element: str, reason: str) -> None:
    (fault,) = faults(images("", element))
    assert fault[0] == "given.xml:4"
    assert reason in fault[1]


def test_faults_are_told_together() -> None:
    wrong = '<box label="Straße"/>'
    assert [where for where, _ in faults(images(wrong, wrong))] == ["given.xml:3", "given.xml:4"]
    assert len(faults(images(*[wrong] * 50))) == 20


def test_a_file_of_something_else_is_refused() -> None:
    assert faults(b"<html/>") == [("given.xml:1", "begins with 'html', annotations is needed")]
    assert faults(b"\x89PNG") == [("given.xml:1", "is not XML: not well-formed (invalid token)")]
    assert faults(b"") == [("given.xml:1", "is not XML: no element found")]
    assert faults(images()[:-6])[0][0] == "given.xml:4"


@pytest.mark.parametrize(
    "hostile",
    [
        '<!DOCTYPE a [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;&l;&l;&l;&l;">]><annotations>&m;</annotations>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotations/>',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/x">%x;]><annotations/>',
    ],
)
def test_document_types_are_refused_before_anything_is_expanded(hostile: str) -> None:
    assert faults(hostile.encode()) == [("given.xml:1", "has a document type, which is not allowed")]


def test_entities_that_nobody_declared_are_refused() -> None:
    assert faults(images("&x;")) == [("given.xml:3", "is not XML: undefined entity")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<annotations><a b='" + b"x" * (LONGEST_TAG_BYTES + 2_000_000), "a tag has more than"),
        (b"<annotations>" + b"<a>" * 1000, "elements inside each other"),
        (
            b"<annotations>" + b"".join(b"<a%d/>" % number for number in range(200_000)) + b"</annotations>",
            f"more than {MOST_NAMES} different names",
        ),
        (
            images(
                f'<box label="Straße" {BOX}><attribute name="is_crowd">' + "x" * 70_000 + "</attribute></box>"
            ),
            "a text has more than 65536 characters",
        ),
        (
            images(
                f'<box label="Straße" {BOX}>'
                + "".join(f'<attribute name="a{number}"/>' for number in range(1001))
                + "</box>"
            ),
            "more than 1000 attributes",
        ),
    ],
    ids=["tag", "depth", "names", "text", "attributes"],
)
def test_what_would_take_memory_without_end_is_refused(content: bytes, reason: str) -> None:
    ((where, found),) = faults(content)
    assert where.startswith("given.xml:")
    assert reason in found


def test_a_text_is_refused_while_it_is_read_not_at_its_end() -> None:
    class Endless(io.RawIOBase):
        asked = 0

        def read(self, size: int = -1) -> bytes:
            self.asked += 1
            return b"<a>" if self.asked == 1 else b"x" * size

    events = XmlEvents(lambda name, given: events.gather(1000), lambda name: None)
    endless = Endless()
    with pytest.raises(BrokenXmlError, match="more than 1000 characters"):
        events.read(endless, lambda done: None)  # type: ignore[arg-type]
    assert endless.asked < 4
