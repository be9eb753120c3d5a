import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelSchema
from yard.annotations.model import AnnotationSet, Shape, ShapeKind, Source
from yard.export.formats.labelme import LABELME
from yard.export.formats.labelme_attributes import parsed, written

from services.export.tests.intake_scene import archived, imported, tried
from services.export.tests.sample import IMAGES, dataset, files

GOLDEN = Path(__file__).parent / "golden" / "labelme"
BOX = Shape(frame=0, label_id=7, kind=ShapeKind.RECTANGLE, points=(1, 2, 3, 4))
PT = "<pt><x>1</x><y>2</y></pt><pt><x>5</x><y>2</y></pt><pt><x>5</x><y>6</y></pt>"


def document(objects: str, *, folder: str = "", name: str = "a b/20.v1.jpg") -> bytes:
    head = f"<filename>{name}</filename><folder>{folder}</folder>"
    return f"<annotation>{head}{objects}</annotation>".encode()


def test_labelme_is_as_written_by_hand() -> None:
    made = dataset(subject=IMAGES)
    found = files(LABELME, made)
    texts = {name: content for name, content in found.items() if not name.endswith(".png")}
    golden = {str(path.relative_to(GOLDEN)): path for path in GOLDEN.rglob("*") if path.is_file()}
    assert texts == {name: path.read_bytes() for name, path in golden.items()}
    assert {name for name in found if name.endswith(".png")} == {
        "val/Masks/a b/15.v1_mask_0.png",
        "val/Masks/a b/20.v1_mask_0.png",
    }
    kinds = {one.kind: one.count for one in made.left_out}
    assert kinds == {
        "cuboid": 1,
        "ellipse": 1,
        "points": 1,
        "polyline": 1,
        "tag": 1,
        "track": 1,
        "z_order": 2,
    }


def test_what_it_holds_comes_back() -> None:
    back = imported(LABELME, files(LABELME, dataset(subject=IMAGES)), IMAGES)
    boxes = [shape for shape in back.shapes if shape.kind is ShapeKind.RECTANGLE]
    assert [(box.frame, box.points, box.rotation, box.occluded) for box in boxes] == [
        (0, (0, 0, 4, 4), 350, False),
        (1, (1, 0.5, 5, 4.5), 0, False),
        (2, (2, 1, 6, 5), 10, True),
        (3, (1, 2, 3, 4.005), 0, False),
    ]
    assert boxes[0].attributes == {1: "red", 2: "5.5", 3: "a\nb <"}
    assert [shape.points for shape in back.shapes if shape.kind is ShapeKind.POLYGON] == [
        (1, 1, 9, 1, 9, 6.125),
        (2, 2, 6, 2, 6, 8, 2, 8),
    ]
    masks = [shape for shape in back.shapes if shape.kind is ShapeKind.MASK]
    assert masks[1].points == (1, 2, 1, 5, 5, 6, 6)


def test_a_rotation_is_the_angle_of_boxes_whatever_the_label_calls_so() -> None:
    named = Attribute(id=9, name="rotation", input=AttributeInput.SELECT, values=("left", "right"))
    subject = replace(IMAGES, labels=LabelSchema([Label(id=7, name="car", attributes=(named,))]))
    box = Shape(frame=0, label_id=7, kind=ShapeKind.RECTANGLE, points=(1, 2, 3, 4), rotation=30.5)
    outline = Shape(frame=0, label_id=7, kind=ShapeKind.POLYGON, points=(1, 2, 3, 4, 5, 2))
    right = {9: "right"}
    objects = AnnotationSet(shapes=(replace(box, attributes=right), replace(outline, attributes=right)))
    made = dataset(objects, subject)
    back = imported(LABELME, files(LABELME, made), subject)
    assert [(one.rotation, one.attributes) for one in back.shapes] == [(30.5, {}), (0, right)]
    assert [(one.kind, one.count) for one in made.left_out] == [("attribute", 1)]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.floats(0, 8, width=32),
            st.booleans(),
            st.sampled_from(["0", "5.5", "90"]),
            st.text(st.characters(exclude_categories=["Cc", "Cs", "Co", "Cn"]), max_size=9),
        ),
        max_size=6,
    )
)
def test_polygons_come_back_bit_for_bit(rows: list[tuple[int, float, bool, str, str]]) -> None:
    shapes = [
        Shape(
            frame=frame,
            label_id=7,
            kind=ShapeKind.POLYGON,
            points=(x, 0.1, x + 1.7, 0.3, x + 1, x + 0.9),
            occluded=occluded,
            source=Source.FILE,
            attributes={1: "red", 2: speed, 3: note},
        )
        for frame, x, occluded, speed, note in rows
    ]
    given_set = AnnotationSet(shapes=tuple(shapes)).in_order()
    assert imported(LABELME, files(LABELME, dataset(given_set, IMAGES)), IMAGES) == given_set


TEXT = Attribute(id=1, name='a=b, "c"', input=AttributeInput.TEXT)


@given(st.lists(st.text(), max_size=4))
def test_attributes_come_back_whatever_they_say(values: list[str]) -> None:
    text = ", ".join(written(TEXT, value) for value in values)
    assert list(parsed(text)) == [(TEXT.name, value) for value in values]


def test_attributes_are_spelled_as_labelme_does() -> None:
    number = Attribute(id=1, name="n", input=AttributeInput.NUMBER)
    flag = Attribute(id=1, name="f", input=AttributeInput.CHECKBOX)
    spelled = [written(number, "5.0"), written(flag, "true"), written(TEXT, "5"), written(TEXT, "x,y")]
    assert ", ".join(spelled) == r'n=5.0, f=True, a\=b\, \"c\"="5", a\=b\, \"c\"=x\,y'
    assert list(parsed("sitting, f=False")) == [("sitting", ""), ("f", "False")]


def test_groups_are_parts_and_stay_apart_from_those_of_other_frames() -> None:
    shapes = [replace(BOX, group=group, frame=frame) for frame in (0, 1) for group in (5, 0, 5, 6, 5)]
    found = files(LABELME, dataset(AnnotationSet(shapes=tuple(shapes)), IMAGES))
    assert b"<hasparts>2,4</hasparts>" in found["val/a b/10.v1.xml"]
    back = imported(LABELME, found, IMAGES).shapes
    assert [shape.group for shape in back] == [1, 0, 1, 0, 1, 2, 0, 2, 0, 2]


def test_masks_of_other_layouts_are_found() -> None:
    pixels = files(LABELME, dataset(subject=IMAGES))["val/Masks/a b/20.v1_mask_0.png"]
    mask = "<object><name>Straße</name><id>0</id><segm><mask>20.v1_mask_0.png</mask></segm></object>"
    layouts = {
        "Annotations/train/a b/20.v1.xml": "Masks/train/a b/20.v1_mask_0.png",
        "train/a b/20.v1.xml": "train/a b/Masks/20.v1_mask_0.png",
        "20.v1.xml": "Masks/20.v1_mask_0.png",
    }
    for place, of_mask in layouts.items():
        (shape,) = imported(LABELME, {place: document(mask), of_mask: pixels}, IMAGES).shapes
        assert (shape.frame, shape.points) == (2, (1, 2, 1, 5, 5, 6, 6))
    (fault,) = tried(LABELME, {"20.v1.xml": document(mask)}, IMAGES).faults
    assert fault.reason == "its mask '20.v1_mask_0.png' is not in the archive"


def test_a_mask_that_ends_early_is_refused() -> None:
    # Pictures of tasks may end early: importing that reader tells Pillow so for the whole process.
    importlib.import_module("yard.media.decode_image")
    found = files(LABELME, dataset(subject=IMAGES))
    name = "val/Masks/a b/20.v1_mask_0.png"
    (fault,) = tried(LABELME, found | {name: found[name][:-14]}, IMAGES).faults
    assert fault == (name, "is no PNG that can be read: it has no end")


def test_objects_marked_as_deleted_are_ignored() -> None:
    gone = f"<object><name>nobody</name><deleted>1</deleted><polygon>{PT}</polygon></object>"
    found = tried(LABELME, document(gone), IMAGES, name="x.xml")
    assert found.faults == []
    assert found.ignored == {("object", "it is marked as deleted"): 1}


def test_files_of_the_tool_itself_are_read() -> None:
    said = "<attributes>moving, occluded=no</attributes>"
    one = f"<object><name>Straße</name><polygon>{PT}</polygon>{said}</object>"
    found = tried(LABELME, document(one, folder="users/ann", name="20.v1.jpg"), IMAGES, name="x.xml")
    (shape,) = found.objects.shapes
    assert (shape.frame, shape.kind, shape.points) == (2, ShapeKind.POLYGON, (1, 2, 5, 2, 5, 6))
    assert found.ignored == {("attribute", "the label does not declare it"): 1}


def test_faults_are_told_with_file_and_object() -> None:
    def fault_of(objects: str) -> tuple[str, str]:
        (fault,) = tried(LABELME, document(objects), IMAGES, name="x.xml").faults
        return fault.where, fault.reason

    begin = "<object><name>Straße</name>"
    assert fault_of(f"{begin}</object>") == ("x.xml, object 1", "has neither a polygon nor a mask")
    infinite = PT.replace("<x>1<", "<x>inf<")
    wrong = f"{begin}<polygon>{infinite}</polygon></object>"
    assert fault_of(wrong) == ("x.xml, object 1", "its points are no pairs of numbers: 'inf'")
    odd = f"{begin}<polygon>{PT.replace('<x>1<', '<x>1_0<')}</polygon></object>"
    assert fault_of(odd)[1] == "its points are no pairs of numbers: '1_0'"
    assert fault_of("<object><name>nobody</name><polygon/></object>")[1] == "there is no label 'nobody'"
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>'
    (fault,) = tried(LABELME, archived({"x.xml": bomb}), IMAGES).faults
    assert fault == ("x.xml", "has a document type, which is not allowed")
    # In other encodings a document type could not be seen.
    (fault,) = tried(LABELME, {"x.xml": bomb.decode().encode("utf-16")}, IMAGES).faults
    assert fault.reason == "is not UTF-8"


def test_masks_are_pictures_of_whole_frames() -> None:
    mask = Shape(frame=0, label_id=7, kind=ShapeKind.MASK, points=(0, 3, 1, 1, 1, 12, 4, 14, 5))
    made = dataset(AnnotationSet(shapes=(mask,)), IMAGES)
    back = imported(LABELME, files(LABELME, made), IMAGES)
    assert np.array_equal(back.shapes[0].points, mask.points)
    assert made.left_out == []
