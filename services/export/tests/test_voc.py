import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from PIL import Image
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelSchema
from yard.annotations.model import AnnotationSet, Shape, ShapeKind, Source, Tag
from yard.export.domain import LeftOut
from yard.export.formats.voc import VOC
from yard.export.formats.voc_labelmap import RENAMED

from services.export.tests.intake_scene import imported, tried
from services.export.tests.sample import IMAGES, dataset, files

GOLDEN = Path(__file__).parent / "golden" / "voc"
BOX = Shape(frame=0, label_id=7, kind=ShapeKind.RECTANGLE, points=(1, 2, 3, 4))


def test_voc_is_as_written_by_hand() -> None:
    made = dataset(subject=IMAGES)
    found = files(VOC, made)
    texts = {name: content for name, content in found.items() if not name.endswith(".png")}
    golden = {str(path.relative_to(GOLDEN)): path for path in GOLDEN.rglob("*") if path.is_file()}
    assert texts == {name: path.read_bytes() for name, path in golden.items()}
    assert {name for name in found if name.endswith(".png")} == {
        f"Segmentation{what}/a b/{frame}.v1.png" for what in ("Class", "Object") for frame in (15, 20)
    }
    assert LeftOut("polyline", "PASCAL VOC has no place for it", 1) in made.left_out
    assert LeftOut("polygon", "its pixels are written", 2) in made.left_out
    assert LeftOut("track", "tracks become single objects on each frame", 1) in made.left_out


def test_masks_have_the_colours_of_their_labels_and_numbers() -> None:
    found = files(VOC, dataset(subject=IMAGES))
    (classes, objects) = (
        np.asarray(Image.open(io.BytesIO(found[f"Segmentation{what}/a b/20.v1.png"])).convert("RGB"))
        for what in ("Class", "Object")
    )
    # The polygon, made after the mask, lies over it but for one pixel.
    assert classes[3, 3].tolist() == [0, 255, 0]
    assert classes[0, 0].tolist() == [0, 0, 0]
    assert objects[3, 3].tolist() == [0, 128, 0]
    assert objects[5, 6].tolist() == [128, 0, 0]


def test_what_it_holds_comes_back() -> None:
    back = imported(VOC, files(VOC, dataset(subject=IMAGES)), IMAGES)
    assert [(tag.frame, tag.label_id) for tag in back.tags] == [(1, 4)]
    boxes = [shape for shape in back.shapes if shape.kind is ShapeKind.RECTANGLE]
    assert [(box.frame, box.points, box.rotation, box.occluded) for box in boxes] == [
        (0, (0, 0, 4, 4), 350, False),
        (1, (1, 0.5, 5, 4.5), 0, False),
        (2, (2, 1, 6, 5), 10, True),
        (3, (1, 2, 3, 4.005), 0, False),
    ]
    assert boxes[0].attributes == {1: "red", 2: "5.5", 3: "a\nb <"}
    assert sum(shape.kind is ShapeKind.MASK for shape in back.shapes) == 4


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.floats(0, 8).map(lambda number: round(number, 3)),
            st.floats(0.5, 9).map(lambda number: round(number, 3)),
            st.floats(0, 359).map(lambda number: round(number, 2)),
            st.booleans(),
            st.sampled_from(["red", "blue"]),
            st.text(st.characters(exclude_categories=["Cc", "Cs", "Co", "Cn"]), max_size=9),
        ),
        max_size=6,
    )
)
def test_boxes_come_back_bit_for_bit(
    rows: list[tuple[int, float, float, float, bool, str, str]],
) -> None:
    shapes = [
        replace(
            BOX,
            frame=frame,
            points=(x, x / 2, x + size, x / 2 + size / 10),
            rotation=rotation,
            occluded=occluded,
            source=Source.FILE,
            attributes={1: colour, 2: "0", 3: note},
        )
        for frame, x, size, rotation, occluded, colour, note in rows
    ]
    given_set = AnnotationSet(shapes=tuple(shapes)).in_order()
    back = imported(VOC, files(VOC, dataset(given_set, IMAGES)), IMAGES)
    assert back == given_set


def test_flat_folders_of_other_tools_are_read() -> None:
    document = (
        "<annotation><folder>x</folder><filename>20.v1.jpg</filename><path>C:\\x\\20.v1.jpg</path>"
        "<object><name>Straße</name><pose>Left</pose><truncated>0</truncated><difficult>1</difficult>"
        "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>5</xmax><ymax>6</ymax></bndbox>"
        "<part><name>wheel</name></part></object></annotation>"
    ).encode()
    found = tried(VOC, {"20.v1.xml": document}, IMAGES)
    assert [(shape.frame, shape.points) for shape in found.objects.shapes] == [(2, (1, 2, 5, 6))]
    assert found.ignored == {
        ("part", "objects have no parts"): 1,
        ("attribute", "the label does not declare it"): 1,
    }
    assert tried(VOC, document, IMAGES, name="anything.xml").objects == found.objects


def test_flags_of_the_format_are_attributes_where_the_label_declares_them() -> None:
    flag = Attribute(id=9, name="truncated", input=AttributeInput.CHECKBOX)
    subject = replace(IMAGES, labels=LabelSchema([Label(id=7, name="car", attributes=(flag,))]))
    objects = AnnotationSet(shapes=(replace(BOX, attributes={9: "true"}),))
    found = files(VOC, dataset(objects, subject))
    assert b"<truncated>1</truncated>" in found["Annotations/a b/10.v1.xml"]
    assert b"<attributes>" not in found["Annotations/a b/10.v1.xml"]
    assert imported(VOC, found, subject).shapes[0].attributes == {9: "true"}


def test_words_of_the_format_are_no_attributes() -> None:
    named = [Attribute(id=8, name="rotation", input=AttributeInput.TEXT)]
    named.append(Attribute(id=9, name="truncated", input=AttributeInput.SELECT, values=("no", "partly")))
    subject = replace(IMAGES, labels=LabelSchema([Label(id=7, name="car", attributes=tuple(named))]))
    made = dataset(AnnotationSet(shapes=(replace(BOX, rotation=30.5, attributes={9: "partly"}),)), subject)
    found = files(VOC, made)
    assert b"<truncated>0</truncated>" in found["Annotations/a b/10.v1.xml"]
    (back,) = imported(VOC, found, subject).shapes
    assert (back.rotation, back.attributes) == (30.5, {9: "partly"})
    assert [(one.kind, one.count) for one in made.left_out] == [("attribute", 1)]


def test_names_that_lists_cannot_hold_are_told_and_come_back() -> None:
    subject = replace(IMAGES, labels=LabelSchema([Label(id=7, name="a:b/c"), Label(id=4, name="#x")]))
    objects = AnnotationSet(tags=(Tag(frame=1, label_id=7),), shapes=(BOX, replace(BOX, label_id=4)))
    made = dataset(objects, subject)
    found = files(VOC, made)
    assert "ImageSets/Main/a_b_c_val.txt" in found
    assert LeftOut("label", RENAMED, 2) in made.left_out
    back = imported(VOC, found, subject)
    assert [tag.label_id for tag in back.tags] == [7]
    assert [shape.label_id for shape in back.shapes] == [7, 4]


def test_faults_are_told_with_file_and_object() -> None:
    document = (
        b"<annotation>\n<filename>10.v1.jpg</filename>\n<object><name>nobody</name>\n</object>\n</annotation>"
    )
    (fault, other) = tried(VOC, {"Annotations/a.xml": document}, IMAGES).faults
    assert (fault.where, fault.reason) == ("Annotations/a.xml, object 1", "there is no label 'nobody'")
    assert other.reason == "has no bndbox"
    corners = b"<bndbox><xmin>nan</xmin><ymin>2</ymin><xmax>5</xmax><ymax>6</ymax></bndbox>"
    wrong = document.replace(b"nobody", "Straße".encode()).replace(b"</object>", corners + b"</object>")
    (fault,) = tried(VOC, {"Annotations/a.xml": wrong}, IMAGES).faults
    assert fault.reason == "xmin is 'nan', a number is needed"
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>'
    (fault,) = tried(VOC, {"Annotations/a.xml": bomb}, IMAGES).faults
    assert "document type" in fault.reason
    (fault,) = tried(VOC, {"readme.txt": b""}, IMAGES).faults
    assert fault.reason == "holds no XML file and no masks"


def test_every_frame_has_its_file() -> None:
    found = files(VOC, dataset(AnnotationSet(), IMAGES))
    documents = [name for name in found if name.endswith(".xml")]
    assert len(documents) == 4
    assert etree.fromstring(found[documents[0]]).findtext("size/width") == "20"
