from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from yard.annotations.labels import Label, LabelKind, LabelSchema
from yard.annotations.model import AnnotationSet, Shape, ShapeKind
from yard.export.domain import LeftOut
from yard.export.formats.losses import Z_ORDER
from yard.export.formats.yolo import YOLO, image_name, subset_words

from services.export.tests import oracles
from services.export.tests.box_sets import SHAPES
from services.export.tests.contract import exported, target
from services.export.tests.contract import read as imported_into
from services.export.tests.intake_scene import archived, imported, tried
from services.export.tests.sample import IMAGES, SUBJECT, dataset, files
from services.export.tests.scenes import PROJECT, SCENES

GOLDEN = Path(__file__).parent / "golden" / "yolo"
NAMES = {"obj.names": 'car <&"\nStraße\n'.encode()}


def test_it_is_as_written_by_hand() -> None:
    made = dataset(subject=IMAGES)
    assert files(YOLO, made) == oracles.packed(GOLDEN)
    alone = "YOLO has no place for it"
    assert made.left_out == [
        LeftOut("attribute", alone, 6),
        *(LeftOut(kind, "YOLO holds boxes only", 1) for kind in ("cuboid", "ellipse")),
        LeftOut("group", alone, 1),
        LeftOut("mask", "YOLO holds boxes only", 1),
        LeftOut("occluded", alone, 1),
        LeftOut("points", "YOLO holds boxes only", 1),
        LeftOut("polygon", "YOLO holds boxes only", 2),
        LeftOut("polyline", "YOLO holds boxes only", 1),
        LeftOut("rotation", "the upright box around the object is written", 1),
        LeftOut("tag", alone, 1),
        LeftOut("track", "tracks become single shapes on each frame", 1),
        LeftOut("z_order", Z_ORDER, 1),
    ]


def test_images_lie_beside_their_labels() -> None:
    found = files(YOLO, dataset(subject=IMAGES, image=lambda frame: [frame.name.encode()]))
    listed = found["val.txt"].decode().splitlines()
    assert {f"data/{name}": content for name, content in found.items() if name.endswith(".jpg")} == {
        name: name.removeprefix("data/obj_val_data/").encode() for name in listed
    }


@settings(max_examples=40, deadline=None)
@given(SHAPES)
def test_boxes_come_back(objects: AnnotationSet) -> None:
    found = imported(YOLO, files(YOLO, dataset(objects, IMAGES)), IMAGES)
    wanted = sorted((one.frame, one.label_id, one.points) for one in objects.shapes)
    got = sorted((one.frame, one.label_id, one.points) for one in found.shapes)
    assert [one[:2] for one in got] == [one[:2] for one in wanted]
    for (*_, points), (*_, expected) in zip(got, wanted, strict=True):
        assert points == pytest.approx(expected, abs=4e-5)


@pytest.mark.parametrize(
    ("subsets", "words"),
    [
        (["default"], ["train"]),
        (["default", "train"], ["default", "train"]),
        (["names", "names_", "val"], ["names__", "names_", "val"]),
        (["a=b", "classes"], ["a_b", "classes_"]),
    ],
)
def test_subsets_are_called_so_that_darknet_understands(subsets: list[str], words: list[str]) -> None:
    assert list(subset_words(subsets).values()) == words


def test_images_of_equal_stem_have_labels_of_their_own() -> None:
    (scene,) = [scene for scene in SCENES if scene.name == "equal names"]
    with scene.dataset() as made:
        names = [image_name(frame) for frame in made.frames()]
    assert len({name.rpartition(".")[0] for name in names}) == len(names)


def test_subsets_of_a_project_have_lists_of_their_own() -> None:
    found = oracles.unzipped(exported(YOLO, PROJECT)[0])
    assert b"Test = data/Test.txt\nTrain = data/Train.txt\n" in found["obj.data"]
    assert len(found["Train.txt"].splitlines()) == 10
    assert len(found["Test.txt"].splitlines()) == 2


def test_other_layouts_of_darknet_are_read() -> None:
    row = b"1 0.5 0.5 0.5 0.5\n"
    plain = {
        "set/classes.txt": NAMES["obj.names"],
        "set/README.roboflow.txt": b"made with care",
        "set/images/a b/10.v1.jpg": b"no picture",
        "set/labels/a b/10.v1.txt": row,
        "set/labels/val/a b/15.v1.txt": b"\r\n" + row.replace(b"\n", b"\r\n"),
    }
    named = {
        "cfg/obj.data": b"classes=2\ntrain = /home/me/data/train.txt\nnames = /home/me/data/my.names\n",
        "cfg/my.names": NAMES["obj.names"],
        "cfg/train.txt": b"data/obj/20.v1.jpg\n",
        "cfg/obj/a b/20.v1.txt": row,
    }
    for found, frames in ((plain, [0, 1]), (named, [2])):
        shapes = imported(YOLO, found, IMAGES).shapes
        assert [(one.frame, one.label_id, one.points) for one in shapes] == [
            (frame, 4, (5.0, 2.5, 15.0, 7.5)) for frame in frames
        ]


def test_what_reaches_over_the_edge_is_cut_and_counted() -> None:
    rows = b"0 0.0 0.5 0.5 0.5\n0 1.5 0.5 0.2 0.2\n0 0.5 0.5 0 0.1\n"
    found = tried(YOLO, NAMES | {"labels/10.v1.txt": rows}, IMAGES)
    assert [one.points for one in found.objects.shapes] == [(0.0, 2.5, 5.0, 7.5)]
    assert found.ignored == Counter(
        {
            ("rectangle", "reached over the edge of its frame and was cut there"): 1,
            ("rectangle", "lies outside its frame"): 1,
            ("rectangle", "has no width or no height"): 1,
        }
    )


@pytest.mark.parametrize(
    ("rows", "where", "reason"),
    [
        (b"0 0.5 0.5 0.1 0.1\n\n2 0.5 0.5 0.1 0.1\n", "10.v1.txt:3", "there is no class 2, 2 have names"),
        (b"-1 0.5 0.5 0.1 0.1\n", "10.v1.txt:1", "there is no class -1, 2 have names"),
        (b"0.5 0.5 0.5 0.1 0.1\n", "10.v1.txt:1", "there is no class 0.5, 2 have names"),
        (b"0 nan 0.5 0.1 0.1\n", "10.v1.txt:1", "shares"),
        (b"0 0.5 inf 0.1 0.1\n", "10.v1.txt:1", "shares"),
        (b"0 320 240 50 50\n", "10.v1.txt:1", "shares"),
        (b"0 0.5 0.5 -0.1 0.1\n", "10.v1.txt:1", "must not be negative"),
        (b"0 0.5 0.5 0.1\n", "10.v1.txt:1", "has 4 fields, 5 are needed"),
        (b"0 0.5 0.5 0.1 x\n", "10.v1.txt", "no number"),
        (b"0 0.5 0.5 0.1 1_0\n", "10.v1.txt", "underscores"),
    ],
)
def test_wrong_rows_are_refused(rows: bytes, where: str, reason: str) -> None:
    (fault,) = tried(YOLO, NAMES | {"10.v1.txt": rows}, IMAGES).faults
    assert fault.where == where
    assert reason in fault.reason


def test_wrong_files_are_refused() -> None:
    row = b"0 0.5 0.5 0.1 0.1\n"
    (unknown,) = tried(YOLO, {"obj.names": b"car\n", "10.v1.txt": row}, IMAGES).faults
    assert (unknown.where, unknown.reason) == ("obj.names:1", "there is no label 'car'")
    (strange,) = tried(YOLO, NAMES | {"labels/other.txt": row}, IMAGES).faults
    assert strange.reason == "there is no frame 'other'"
    (twice,) = tried(YOLO, NAMES | {"a/a b/10.v1.txt": row, "b/a b/10.v1.txt": row}, IMAGES).faults
    assert twice.where == "b/a b/10.v1.txt"
    (nameless,) = tried(YOLO, {"10.v1.txt": row}, IMAGES).faults
    assert "list of class names" in nameless.reason
    (lost,) = tried(YOLO, {"obj.data": b"names = data/gone.names\n"}, IMAGES).faults
    assert "gone.names" in lost.reason
    (coded,) = tried(YOLO, {"obj.names": b"\xff\xfe"}, IMAGES).faults
    assert coded.reason == "is not UTF-8"


def test_labels_that_take_no_rectangles_are_refused() -> None:
    labels = LabelSchema([Label(id=1, name="sky", kind=LabelKind.MASK)])
    given = {"obj.names": b"sky\n", "10.v1.txt": b"0 0.5 0.5 0.1 0.1\n"}
    (fault, *_) = tried(YOLO, given, replace(IMAGES, labels=labels)).faults
    assert (fault.where, fault.reason) == ("obj.names:1", "label 'sky' is not for rectangles")


def _sizes(subject_files: dict[str, bytes]) -> dict[str, list[int]]:
    listed = subject_files["val.txt"].decode().splitlines()
    return {name.removeprefix("data/obj_val_data/").rpartition(".")[0]: [10, 20] for name in listed}


def test_datumaro_reads_it(tmp_path: Path) -> None:
    found = files(YOLO, dataset(subject=IMAGES))
    oracles.unpacked(found, tmp_path)
    items = oracles.read("with_datumaro.items", tmp_path, kind="yolo", image_info=_sizes(found))
    assert [(one["id"], one["subset"], len(one["objects"])) for one in items] == [
        (f"a b/{number}.v1", "val", 1) for number in (10, 15, 20, 25)
    ]
    last = items[3]["objects"][0]
    assert last["label"] == 'car <&"'
    assert last["points"] == pytest.approx([1, 2, 3, 4.005], abs=0.01)


def test_what_datumaro_writes_is_read(tmp_path: Path) -> None:
    ours = files(YOLO, dataset(subject=IMAGES))
    oracles.unpacked(ours, tmp_path / "ours")
    theirs = tmp_path / "theirs"
    oracles.read(
        "with_datumaro.convert",
        tmp_path / "ours",
        kind="yolo",
        into="yolo",
        folder=str(theirs),
        image_info=_sizes(ours),
    )
    again = imported(YOLO, oracles.packed(theirs), IMAGES)
    before = imported(YOLO, ours, IMAGES)
    assert [one.frame for one in again.shapes] == [one.frame for one in before.shapes] == [0, 1, 2, 3]
    for one, other in zip(again.shapes, before.shapes, strict=True):
        assert one.points == pytest.approx(other.points, abs=0.02)


def test_boxes_of_many_frames_come_back_from_their_scenes() -> None:
    (scene,) = [scene for scene in SCENES if scene.name == "hostile names"]
    (task,) = scene.tasks
    found = imported_into(YOLO, exported(YOLO, scene)[0], target(task))
    assert found.faults == []
    assert len(found.objects.shapes) == 6


def test_a_bomb_of_rows_is_refused() -> None:
    row = b"0 0.5 0.5 0.1 0.1\n"
    (fault,) = tried(YOLO, archived(NAMES | {"10.v1.txt": row * 1_000_000}), IMAGES).faults
    assert "bytes" in fault.reason


def test_a_rotated_box_outside_of_the_frame_is_left_out() -> None:
    gone = Shape(frame=0, label_id=7, kind=ShapeKind.RECTANGLE, points=(-9, -9, -5, -5), rotation=45.0)
    made = dataset(AnnotationSet(shapes=(gone,)), SUBJECT)
    assert files(YOLO, made)["obj_train_data/frame_000010.txt"] == b""
    assert LeftOut("rectangle", "lies outside the frame", 1) in made.left_out


def test_boxes_that_stick_out_are_cut_to_the_frame_and_counted() -> None:
    kind = ShapeKind.RECTANGLE
    over = Shape(frame=0, label_id=7, kind=kind, points=(-10, -20, 32, 24))
    gone = Shape(frame=0, label_id=7, kind=kind, points=(-9, 3, -5, 9))
    made = dataset(AnnotationSet(shapes=(over, gone)), SUBJECT)
    (line,) = files(YOLO, made)["obj_train_data/frame_000010.txt"].splitlines()
    inside = Shape(frame=0, label_id=7, kind=kind, points=(0, 0, 32, 24))
    assert [line] == files(YOLO, dataset(AnnotationSet(shapes=(inside,)), SUBJECT))[
        "obj_train_data/frame_000010.txt"
    ].splitlines()
    assert set(made.left_out) >= {
        LeftOut("rectangle", "lies outside the frame", 1),
        LeftOut("rectangle", "reaches over the edge of its frame and is cut there", 1),
    }
