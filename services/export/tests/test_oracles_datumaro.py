"""Datumaro reads every export as it was meant, and what Datumaro writes is imported."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from yard.annotations.model import ShapeKind, Tag
from yard.annotations.rasters import raster
from yard.export.datasets.drawn import Picture
from yard.export.formats import FORMATS

from services.export.tests import contract
from services.export.tests.intake_scene import archived
from services.export.tests.oracles import packed, read, unpacked, unzipped
from services.export.tests.scenes import (
    HEIGHT,
    LABELS,
    MASK,
    MOVING,
    POLYGON,
    RING,
    STAYING,
    WIDTH,
    Scene,
    box,
    images,
    shape,
    video,
)

BY_NAME = {known.full_name: known for known in FORMATS}
NAMES = ["人/ü ñ.png", "a <&\">'.png", "with.dots.v1.jpg", "a/b c/d.jpeg"]
VALUES = {1: "light blue", 2: "5.5", 3: "x y", 4: "true"}
STILLS = images(
    "stills",
    box(0),
    box(0, 30, 10, 50.5, 20, label_id=9),
    box(1, 1, 2, 60, 38, label_id=7, attributes=VALUES, occluded=True),
    box(3, 0, 0, 64, 40),
    names=NAMES,
)
MOVED = video("moved", MOVING, STAYING, box(7))
# Names of the formats, their names in Datumaro, what it is put to.
READS = [
    ("CVAT for images 1.1", "cvat", STILLS),
    ("CVAT for video 1.1", "cvat", MOVED),
    *(
        (name, kind, scene)
        for name, kind in (
            ("PASCAL VOC 1.1", "voc"),
            ("YOLO 1.1", "yolo"),
            ("COCO 1.0", "coco"),
            ("MOT 1.1", "mot_seq"),
            ("LabelMe 3.0", "label_me"),
            ("Datumaro 1.0", "datumaro"),
        )
        for scene in (STILLS, MOVED)
    ),
]
WRITES = [
    ("CVAT for images 1.1", "cvat"),
    ("PASCAL VOC 1.1", "voc"),
    ("YOLO 1.1", "yolo"),
    ("COCO 1.0", "coco_instances"),
    ("MOT 1.1", "mot_seq_gt"),
    ("LabelMe 3.0", "label_me"),
    ("Datumaro 1.0", "datumaro"),
]


def exported(name: str, scene: Scene, folder: Path) -> Path:
    content, _ = contract.exported(BY_NAME[name], scene, with_images=True)
    return unpacked(unzipped(content), folder)


def pictures(scene: Scene) -> list[Picture]:
    with scene.dataset() as made:
        return list(made.pictures())


def expected(name: str, scene: Scene) -> dict[str, list[Any]]:
    """Labels and corners by Datumaro's id of the item."""
    return {
        item_of(name, place, picture): sorted(
            [label_of(drawn.label_id), *drawn.points]
            for drawn in picture.objects
            if drawn.kind is ShapeKind.RECTANGLE
        )
        for place, picture in enumerate(pictures(scene), 1)
    }


def item_of(name: str, place: int, picture: Picture) -> str:
    """MOT counts frames; in LabelMe's own layout Datumaro does not look at folders."""
    if name == "MOT 1.1":
        return str(place)
    item = picture.frame.item
    return item.rpartition("/")[2] if name == "LabelMe 3.0" else item


def label_of(label_id: int) -> str:
    label = LABELS.label(label_id)
    assert label is not None
    return label.name


def boxes(items: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """The same of what Datumaro read; its COCO reader gives outlines a box of the same group besides."""
    return {
        item["id"]: sorted(
            [one["label"], *(round(number, 2) for number in one["points"])]
            for one in item["objects"]
            if one["kind"] == "bbox" and not one["attributes"].get("outside")
        )
        for item in items
    }


@pytest.mark.parametrize(("name", "kind", "scene"), READS, ids=lambda value: getattr(value, "name", value))
def test_datumaro_reads_the_same_boxes(tmp_path: Path, name: str, kind: str, scene: Scene) -> None:
    found = boxes(read("with_datumaro.items", exported(name, scene, tmp_path), kind=kind))
    assert found == expected(name, scene)


@pytest.mark.parametrize(
    "name", ["CVAT for images 1.1", "PASCAL VOC 1.1", "COCO 1.0", "LabelMe 3.0", "Datumaro 1.0"]
)
def test_datumaro_reads_the_same_attributes(tmp_path: Path, name: str) -> None:
    kinds = {name: kind for name, kind, _ in READS}
    items = read("with_datumaro.items", exported(name, STILLS, tmp_path), kind=kinds[name])
    (item,) = (item for item in items if item["id"] == "a <&\">'")
    (one,) = item["objects"]
    found = {key: str(value).lower() for key, value in one["attributes"].items()}
    wanted = {"colour": "light blue", "speed": "5.5", "note": "x y", "parked": "true", "occluded": "true"}
    assert found.items() >= wanted.items()


@pytest.mark.parametrize(
    ("name", "kind"), [("CVAT for images 1.1", "cvat"), ("Datumaro 1.0", "datumaro"), ("COCO 1.0", "coco")]
)
def test_datumaro_reads_the_same_pixels_and_outlines(tmp_path: Path, name: str, kind: str) -> None:
    outline = (10.0, 10.0, 30.0, 10.0, 30.0, 20.5, 12.0, 25.0)
    scene = images("pixels", shape(0, MASK, *RING), shape(1, POLYGON, *outline), names=NAMES)
    items = read("with_datumaro.items", exported(name, scene, tmp_path), kind=kind)
    found = [one for item in items for one in item["objects"] if one["kind"] in ("mask", "polygon")]
    (mask, polygon) = sorted(found, key=lambda one: str(one["kind"]))
    assert polygon["points"] == list(outline)
    assert_ring(mask["rows"])


@pytest.mark.parametrize(
    ("name", "kind"), [("Segmentation mask 1.1", "voc_segmentation"), ("PASCAL VOC 1.1", "voc")]
)
def test_datumaro_sees_the_same_pixels_in_pictures(tmp_path: Path, name: str, kind: str) -> None:
    scene = images("ring", shape(0, MASK, *RING, label_id=9), names=NAMES)
    items = read("with_datumaro.items", exported(name, scene, tmp_path), kind=kind)
    (mask,) = (one for item in items for one in item["objects"])
    assert mask["label"] == "Apple tree's"
    assert_ring(mask["rows"])


def assert_ring(rows: list[str]) -> None:
    """The ring of the scene, with its hole, where it was."""
    ring = ["#####", "#...#", "#...#", "#...#", "#####"]
    assert [row[10:15] for row in rows[12:17]] == ring
    assert sum(row.count("#") for row in rows) == 16


@pytest.mark.parametrize("name", ["CVAT for images 1.1", "PASCAL VOC 1.1", "Datumaro 1.0"])
def test_datumaro_reads_the_same_tags(tmp_path: Path, name: str) -> None:
    kinds = {name: kind for name, kind, _ in READS}
    scene = images("tags", box(0), Tag(frame=1, label_id=9), Tag(frame=1, label_id=4), names=NAMES)
    items = read("with_datumaro.items", exported(name, scene, tmp_path), kind=kinds[name])
    found = {
        item["id"]: sorted(one["label"] for one in item["objects"] if one["kind"] == "label")
        for item in items
    }
    assert {key: value for key, value in found.items() if value} == {"a <&\">'": ["Apple tree's", "Straße"]}


@pytest.mark.parametrize(
    ("name", "kind"), [("PASCAL VOC 1.1", "voc"), ("COCO 1.0", "coco"), ("Datumaro 1.0", "datumaro")]
)
def test_datumaro_reads_subsets(tmp_path: Path, name: str, kind: str) -> None:
    scene = images("a subset", box(0), names=NAMES, subset="Val")
    items = read("with_datumaro.items", exported(name, scene, tmp_path), kind=kind)
    assert {item["subset"] for item in items} == {"Val"}


def assert_same(name: str, scene: Scene, files: dict[str, bytes]) -> None:
    """The archive holds the boxes of the scene."""
    found = contract.read(BY_NAME[name], archived(files), contract.target(scene.tasks[0]))
    assert found.faults == []
    wanted = [
        (picture.frame.number, one.label_id, *one.points)
        for picture in pictures(scene)
        for one in picture.objects
    ]
    again = [
        (one.frame, one.label_id, *(round(number, 2) for number in one.points))
        for one in found.objects.shapes
    ]
    assert sorted(again) == sorted(wanted)


@pytest.mark.parametrize(("name", "kind"), WRITES)
def test_what_datumaro_writes_is_imported(tmp_path: Path, name: str, kind: str) -> None:
    source = exported("Datumaro 1.0", STILLS, tmp_path / "ours")
    theirs = tmp_path / "theirs"
    read(
        "with_datumaro.convert",
        source,
        kind="datumaro",
        into=kind,
        folder=str(theirs),
        save_media=name == "YOLO 1.1",
    )
    assert_same(name, STILLS, packed(theirs))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("COCO 1.0", "coco_instances"),
        ("Datumaro 1.0", "datumaro"),
        ("LabelMe 3.0", "label_me"),
        ("Segmentation mask 1.1", "voc_segmentation"),
        ("CVAT for images 1.1", "cvat"),
    ],
)
def test_masks_that_datumaro_writes_keep_their_holes(tmp_path: Path, name: str, kind: str) -> None:
    scene = images("ring", shape(0, MASK, *RING, label_id=9), names=NAMES)
    source, theirs = exported("Datumaro 1.0", scene, tmp_path / "ours"), tmp_path / "theirs"
    read("with_datumaro.convert", source, kind="datumaro", into=kind, folder=str(theirs))
    found = contract.read(BY_NAME[name], archived(packed(theirs)), contract.target(scene.tasks[0]))
    assert found.faults == []
    (mask,) = found.objects.shapes
    assert (mask.frame, mask.kind, mask.label_id) == (0, MASK, 9)
    pixels = raster(mask, WIDTH, HEIGHT)
    rows = np.full((HEIGHT, WIDTH), ".")
    height, width = pixels.pixels.shape
    rows[pixels.top : pixels.top + height, pixels.left : pixels.left + width][pixels.pixels.astype(bool)] = (
        "#"
    )
    assert_ring(["".join(row) for row in rows.tolist()])
