"""Data sets of several subsets come in subset by subset, whatever their format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from yard.annotations.batch import Batch
from yard.annotations.columnar import decode
from yard.annotations.model import ShapeKind
from yard.export.archives.archive import zipped
from yard.export.formats import FORMATS
from yard.export.formats.format import Format
from yard.export.formats.reading_job import LENGTH, described, frame_record, read_file
from yard.export.formats.surveying_job import survey_file

from libs.media.tests.hosts import MemoryHost
from services.export.tests.intake_scene import archived
from services.export.tests.scenes import CAR, HEIGHT, LABELS, MOVING, WIDTH, Scene, box, images, shape, video

LIMITS = {"members": 100, "member_bytes": 1 << 20, "total_bytes": 1 << 22, "expansion": 100}
DIVIDED = [known for known in FORMATS if known.division is not None]
# Both have b.png; the boxes of each lie elsewhere.
TRAIN, TEST = ("Train", ["a.png", "b.png"], 10.0), ("Test", ["b.png", "sub/c.png"], 30.0)
SCENE = Scene(
    name="several",
    tasks=tuple(
        images(
            "",
            *(box(frame, left, 4, left + 8, 16, label_id=7) for frame in (0, 1)),
            shape(1, ShapeKind.MASK, 0, 4, left, 20, left + 1, 21, label_id=7),
            names=names,
            subset=subset,
            task_id=task_id,
        ).tasks[0]
        for task_id, (subset, names, left) in enumerate((TRAIN, TEST), 12)
    ),
)


def content_of(known: Format, *, with_images: bool = True) -> bytes:
    with SCENE.dataset(with_images=with_images) as made:
        return b"".join(zipped(known.write(made)))


def surveyed(format_name: str, content: bytes) -> tuple[dict[str, Any], bytes]:
    host = MemoryHost({"file": content})
    found = survey_file({"format": format_name, "name": "set.zip", "limits": LIMITS}, host)
    return found, bytes(host.emitted)


def members(subset: Mapping[str, Any], pictures: bytes) -> list[str]:
    return [json.loads(line) for line in pictures[subset["begin"] : subset["end"]].splitlines()]


def taken(
    format_name: str, content: bytes, subset: Mapping[str, Any], pictures: bytes
) -> tuple[dict[str, Any], Any]:
    """What the reading job finds of a subset, whose pictures are the frames of a new task."""
    names = sorted(name.removeprefix(subset["folder"]) for name in members(subset, pictures))
    frames = b"".join(
        frame_record(name, WIDTH, HEIGHT - (number % 2) * 8) for number, name in enumerate(names)
    )
    host = MemoryHost({"file": content, "frames": frames, "pictures": pictures})
    arguments = {
        "format": format_name,
        "name": "set.zip",
        "most": 1000,
        "convert_masks": False,
        "limits": LIMITS,
        "target": described(labels=LABELS, mode="annotation", start_frame=0, frame_step=1, first=0),
        "part": subset,
    }
    return read_file(arguments, host), host.emitted


@pytest.mark.parametrize("known", DIVIDED, ids=lambda known: known.full_name)
def test_each_subset_is_found_with_its_images(known: Format) -> None:
    found, pictures = surveyed(known.full_name, content_of(known))
    assert found["faults"] == []
    assert [(each["name"], each["subset"], each["count"]) for each in found["subsets"]] == [
        ("Test", "Test", 2),
        ("Train", "Train", 2),
    ]
    assert found["left_out"] == 0
    of_train = members(found["subsets"][1], pictures)
    assert len(set(of_train) & set(members(found["subsets"][0], pictures))) == 0
    folder = found["subsets"][1]["folder"]
    assert all(name.startswith(folder) for name in of_train)
    if known.name != "MOT":
        assert sorted(name.removeprefix(folder) for name in of_train) == TRAIN[1]
    assert {label["name"] for label in found["labels"]} >= {CAR.name}


@pytest.mark.parametrize("known", DIVIDED, ids=lambda known: known.full_name)
def test_each_subset_is_read_alone(known: Format) -> None:
    content = content_of(known)
    found, pictures = surveyed(known.full_name, content)
    for subset, left in zip(found["subsets"], (TEST[2], TRAIN[2]), strict=True):
        read, sent = taken(known.full_name, content, subset, pictures)
        assert read["faults"] == []
        shapes = objects_in(sent)
        boxes = {shape[:2] for shape in shapes if shape[1] is ShapeKind.RECTANGLE}
        assert boxes <= {(0, ShapeKind.RECTANGLE), (1, ShapeKind.RECTANGLE)}
        assert boxes or known.name == "Segmentation mask"
        assert {points[0] for _, kind, points in shapes if kind is ShapeKind.RECTANGLE} <= {left}
        assert shapes
        assert read["ignored"] == []


def objects_in(sent: bytes) -> list[tuple[int, ShapeKind, tuple[float, ...]]]:
    batches, place = [], 0
    while place < len(sent):
        (length,) = LENGTH.unpack_from(sent, place)
        place += LENGTH.size + length
        batches.append(Batch.of(ColumnarBatch.FromString(bytes(sent[place - length : place]))))
    found = decode(batches)
    kept = [(shape.frame, shape.kind, tuple(shape.points)) for shape in found.shapes]
    kept += [(key.frame, key.kind, tuple(key.points)) for track in found.tracks for key in track.keyframes]
    return kept


def coco(names: list[str], category: str = "car") -> bytes:
    images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    found = {"categories": [{"id": 1, "name": category}], "images": images, "annotations": []}
    return json.dumps(found).encode()


def split(format_name: str, files: Mapping[str, bytes]) -> tuple[dict[str, list[str]], int]:
    """The pictures of each subset, and how many were left out."""
    found, pictures = surveyed(format_name, archived(files))
    assert found["faults"] == []
    return {each["name"]: members(each, pictures) for each in found["subsets"]}, found["left_out"]


def fault(format_name: str, files: Mapping[str, bytes] | bytes) -> str:
    content = files if isinstance(files, bytes) else archived(files)
    return "; ".join(": ".join(each) for each in surveyed(format_name, content)[0]["faults"])


def test_lists_tell_what_paths_do_not() -> None:
    flat = {"images/1.png": b"", "images/2.png": b"", "images/3.png": b"", "images/4.png": b""}
    lists = {
        "annotations/instances_b.json": coco(["2.png"]),
        "annotations/instances_a.json": coco(["3.png", "1.png"]),
        "annotations/captions_a.json": b"{}",
    }
    assert split("COCO 1.0", {**flat, **lists}) == (
        {"a": ["images/1.png", "images/3.png"], "b": ["images/2.png"]},
        1,
    )
    voc = {
        "JPEGImages/x.jpg": b"",
        "JPEGImages/y.jpg": b"",
        "SegmentationClass/x.png": b"",
        "ImageSets/Main/train.txt": b"x\n",
        "ImageSets/Main/val.txt": b"y\n",
        "ImageSets/Main/car_train.txt": b"x  1\n",
        "labelmap.txt": b"background:0,0,0::\ncar:1,2,3::\n",
    }
    assert split("PASCAL VOC 1.1", voc)[0] == {"train": ["JPEGImages/x.jpg"], "val": ["JPEGImages/y.jpg"]}


def test_without_subsets_there_is_one() -> None:
    files = {"data/obj.names": b"car\n", "data/images/a.jpg": b"", "data/images/a.txt": b""}
    assert split("YOLO 1.1", files)[0] == {"default": ["data/images/a.jpg"]}
    assert split("LabelMe 3.0", {"a.jpg": b"", "a.xml": b"<annotation/>", "__MACOSX/a.jpg": b""})[0] == {
        "default": ["a.jpg"]
    }
    assert split("CVAT 1.1", {"annotations.xml": b"<annotations/>", "x/a.PNG": b""})[0] == {
        "default": ["x/a.PNG"]
    }


def test_what_is_no_data_set_with_images_is_refused() -> None:
    assert "holds no images" in fault("COCO 1.0", {"instances_a.json": coco([])})
    assert fault("COCO 1.0", coco([])) == "set.zip: is not a zip"
    assert "TFRecord 1.0, whose images cannot" in fault("TFRecord 1.0", {"a.tfrecord": b"", "a.png": b""})
    files = {"a.png": b"", "instances_a.json": coco(["b.png"])}
    assert fault("COCO 1.0", files) == "a, image 1: there is no image 'b.png' in the archive"
    files = {"a.png": b"", "instances_a.json": coco(["a.png"]), "instances_b.json": coco(["a.png"])}
    assert "'a.png' belongs to another subset too" in fault("COCO 1.0", files)
    files = {"x/a.png": b"", "y/a.png": b"", "instances_a.json": coco(["a.png"])}
    assert "several images could be meant by 'a.png'" in fault("COCO 1.0", files)
    assert "annotations.xml:1: is not XML" in fault("CVAT 1.1", {"a.png": b"", "annotations.xml": b"<a><b"})
    assert "instances_a.json" in fault("COCO 1.0", {"a.png": b"", "instances_a.json": b'{"images":['})
    many = {f"{number}/a.png": b"" for number in range(1001)}
    host = MemoryHost({"file": archived(many)})
    limits = {**LIMITS, "members": 5000}
    found = survey_file({"format": "LabelMe 3.0", "name": "set.zip", "limits": limits}, host)
    assert found["faults"] == [["set.zip", "has more than 1000 subsets"]]


def test_labels_come_with_what_the_format_tells_of_them() -> None:
    for known, wanted in (("CVAT for images 1.1", CAR.attributes), ("Datumaro 1.0", CAR.attributes)):
        found, _ = surveyed(known, content_of(next(each for each in FORMATS if each.full_name == known)))
        (car,) = (label for label in found["labels"] if label["name"] == CAR.name)
        assert [each["name"] for each in car["attributes"]] == [each.name for each in wanted]
        if known.startswith("CVAT"):
            kept = [
                (each["input"], each["mutable"], tuple(each["values"]), each["default_value"])
                for each in car["attributes"]
            ]
            assert kept == [(each.input, each.mutable, each.values, each.default) for each in wanted]
            assert car["color"] == CAR.color


def test_frames_of_videos_are_images_by_their_numbers() -> None:
    known = next(each for each in FORMATS if each.full_name == "CVAT for video 1.1")
    scene = video("", MOVING, size=8, start_frame=10, frame_step=5, subset="Night", deleted=((2, 2),))
    with scene.dataset(with_images=True) as made:
        content = b"".join(zipped(known.write(made)))
    found, pictures = surveyed(known.full_name, content)
    (subset,) = found["subsets"]
    names = members(subset, pictures)
    assert names[0] == "images/frame_000010.PNG"
    assert len(names) == 7
    read, sent = taken(known.full_name, content, subset, pictures)
    assert read["faults"] == []
    # The third frame is deleted: what lies behind it moves up.
    frames = {frame for frame, _, _ in objects_in(sent)}
    assert {0, 3, 5} <= frames <= {0, 1, 2, 3, 5}
