import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from yard.annotations.labels import Label, LabelSchema
from yard.annotations.model import AnnotationSet, Shape, ShapeKind, Source
from yard.export.domain import LeftOut
from yard.export.formats.masks import MASKS
from yard.export.formats.voc_labelmap import LabelMap, instance_color
from yard.export.wording.mask_runs import points_of

from services.export.tests.intake_scene import imported, tried
from services.export.tests.sample import IMAGES, dataset, files

GOLDEN = Path(__file__).parent / "golden" / "masks"
ITEM = "a b/20.v1.png"
# Frame 20: a mask of two pixels, a polygon over it, a turned box over both; written by hand.
FRAME_20 = """
....................
..####..............
..####..............
..####..............
..####..............
..ooooo.............
..oooo..............
..oooo..............
....................
....................
"""


def png(pixels: NDArray[np.uint8], mode: str | None = None) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels, mode).save(target, "PNG")
    return target.getvalue()


def test_masks_are_as_written_by_hand() -> None:
    made = dataset(subject=IMAGES)
    found = files(MASKS, made)
    texts = {name: content for name, content in found.items() if not name.endswith(".png")}
    golden = {str(path.relative_to(GOLDEN)): path for path in GOLDEN.rglob("*") if path.is_file()}
    assert texts == {name: path.read_bytes() for name, path in golden.items()}
    classes = np.asarray(Image.open(io.BytesIO(found[f"SegmentationClass/{ITEM}"])).convert("RGB"))
    letters = {(0, 0, 0): ".", (0, 255, 0): "o", (255, 0, 0): "#"}
    drawn = "\n".join("".join(letters[tuple(pixel)] for pixel in row) for row in classes.tolist())
    assert drawn == FRAME_20.strip()
    assert LeftOut("polyline", "it has no pixels", 1) in made.left_out


def test_objects_of_a_group_stay_apart() -> None:
    box = Shape(frame=0, label_id=7, kind=ShapeKind.RECTANGLE, points=(0, 0, 4, 4), group=3)
    made = dataset(AnnotationSet(shapes=(box, replace(box, points=(8, 0, 9, 1)))), IMAGES)
    back = imported(MASKS, files(MASKS, made), IMAGES)
    assert [shape.points[-4:] for shape in back.shapes] == [(0, 0, 3, 3), (8, 0, 8, 0)]
    assert LeftOut("group", "pictures of masks have no place for it", 2) in made.left_out


def test_what_lies_below_others_is_told() -> None:
    box = Shape(frame=0, label_id=7, kind=ShapeKind.RECTANGLE, points=(1, 1, 4, 4))
    made = dataset(AnnotationSet(shapes=(box, replace(box, points=(0, 0, 9, 9), z_order=1))), IMAGES)
    assert len(imported(MASKS, files(MASKS, made), IMAGES).shapes) == 1
    assert LeftOut("rectangle", "no pixel of it is to be seen on a frame", 1) in made.left_out


@given(st.lists(st.booleans(), min_size=200, max_size=200).filter(any))
def test_a_mask_comes_back_bit_for_bit(pixels: list[bool]) -> None:
    points = points_of(np.flatnonzero(pixels), 20)
    shape = Shape(
        frame=2, label_id=4, kind=ShapeKind.MASK, points=tuple(map(float, points)), source=Source.FILE
    )
    given_set = AnnotationSet(shapes=(shape,))
    assert imported(MASKS, files(MASKS, dataset(given_set, IMAGES)), IMAGES) == given_set


def test_pictures_of_one_channel_have_the_numbers_of_lines() -> None:
    pixels = np.zeros((10, 20), np.uint8)
    pixels[2:4, 3:6] = 2
    files_ = {
        "labelmap.txt": b"background:::\nother:::\nStra\xc3\x9fe:::\n",
        f"x/SegmentationClass/{ITEM}": png(pixels),
    }
    (shape,) = imported(MASKS, files_, IMAGES).shapes
    assert (shape.frame, shape.label_id, shape.points) == (2, 4, (0, 6, 3, 2, 5, 3))


def test_without_objects_a_class_is_one() -> None:
    found = files(MASKS, dataset(subject=IMAGES))
    alone = {name: content for name, content in found.items() if "Object" not in name}
    shapes = [shape for shape in imported(MASKS, alone, IMAGES).shapes if shape.frame == 2]
    assert [shape.label_id for shape in shapes] == [4, 7]


def test_more_objects_than_a_palette_has() -> None:
    dots = [
        Shape(frame=0, label_id=7, kind=ShapeKind.MASK, points=(0, 1, x, y, x, y), source=Source.FILE)
        for y in range(10)
        for x in range(20)
    ]
    many = AnnotationSet(shapes=tuple(dots) + tuple(replace(dot, z_order=1) for dot in dots[:100]))
    made = dataset(many, IMAGES)
    back = imported(MASKS, files(MASKS, made), IMAGES)
    assert len(back.shapes) == 200
    assert LeftOut("mask", "no pixel of it is to be seen on a frame", 100) in made.left_out


def test_faults_are_told_with_the_file() -> None:
    pixels = np.full((10, 20, 3), 7, np.uint8)
    head = {"labelmap.txt": b"background:0,0,0::\n"}
    (fault,) = tried(MASKS, head | {f"SegmentationClass/{ITEM}": png(pixels)}, IMAGES).faults
    assert fault.reason == "has pixels of #070707, which labelmap.txt does not tell"
    (fault,) = tried(MASKS, head | {f"SegmentationClass/{ITEM}": png(pixels[:5])}, IMAGES).faults
    assert fault.reason == "is (20, 5) pixels large, its frame is (20, 10)"
    (fault,) = tried(MASKS, head | {f"SegmentationClass/{ITEM}": b"no"}, IMAGES).faults
    assert "is no PNG" in fault.reason
    (fault,) = tried(MASKS, {f"SegmentationClass/{ITEM}": png(pixels)}, IMAGES).faults
    assert fault.reason == "has no labelmap.txt, which tells the colours of classes"
    (fault,) = tried(MASKS, {"labelmap.txt": b"a:1,2"}, IMAGES).faults
    assert fault.reason == "holds no PNG in SegmentationClass/"


def test_colours_of_classes_differ_and_names_fit_their_lines() -> None:
    labels = [Label(id=1, name="a:b", color="#ff0000"), Label(id=2, name="a_b", color="#ff0000")]
    made = LabelMap([*labels, Label(id=3, name="Background", color="#000000")])
    assert made.text().decode().splitlines()[1:] == [
        "background:0,0,0::",
        "a_b_:255,0,0::",
        "a_b:128,0,0::",
        "Background:0,128,0::",
    ]
    assert made.renamed == 1
    assert [instance_color(number) for number in (1, 2, 3, 8, 255)] == [
        (128, 0, 0),
        (0, 128, 0),
        (128, 128, 0),
        (64, 0, 0),
        (224, 224, 192),
    ]


def test_a_label_that_is_the_background() -> None:
    subject = replace(IMAGES, labels=LabelSchema([Label(id=7, name="background", color="#00ff00")]))
    box = Shape(frame=0, label_id=7, kind=ShapeKind.RECTANGLE, points=(1, 1, 4, 4))
    found = files(MASKS, dataset(AnnotationSet(shapes=(box,)), subject))
    assert [shape.label_id for shape in imported(MASKS, found, subject).shapes] == [7]
