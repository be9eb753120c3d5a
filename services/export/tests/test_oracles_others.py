"""Readers that know one format well read the exports, judge them, and write what is imported."""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from yard.annotations.model import ShapeKind

from services.export.tests.oracles import packed, read
from services.export.tests.scenes import (
    MASK,
    MOVING,
    POLYGON,
    RING,
    STAYING,
    Scene,
    box,
    images,
    shape,
    video,
)
from services.export.tests.test_oracles_datumaro import (
    NAMES,
    STILLS,
    assert_same,
    exported,
    label_of,
    pictures,
)

COCO_FILE = "annotations/instances_default.json"
PLAIN = images("plain", box(0), box(0, 30, 10, 50.5, 20, label_id=9), box(3, 0, 0, 64, 40), names=NAMES)
OUTLINES = images(
    "outlines",
    box(0),
    box(0, 30, 10, 50.5, 20, rotation=20.0),
    shape(0, POLYGON, 10, 10, 30, 10, 30, 20.5, 12, 25),
    shape(1, MASK, *RING, label_id=9),
    shape(2, ShapeKind.ELLIPSE, 20, 20, 30, 15),
    names=NAMES,
)
MOVED = video("moved", MOVING, STAYING, box(7))


def boxes_of(scene: Scene) -> dict[str, list[Any]]:
    """Labels and corners by the names of files."""
    return {
        picture.frame.file_name: sorted([label_of(one.label_id), *one.points] for one in picture.objects)
        for picture in pictures(scene)
    }


def rounded(found: dict[str, list[list[Any]]]) -> dict[str, list[Any]]:
    return {
        name: sorted([label, *(round(number, 2) for number in corners)] for label, *corners in boxes)
        for name, boxes in found.items()
    }


@pytest.mark.parametrize(
    ("name", "kind", "place"),
    [
        ("COCO 1.0", "coco", COCO_FILE),
        ("CVAT for images 1.1", "cvat", "annotations.xml"),
        ("PASCAL VOC 1.1", "voc", "Annotations"),
    ],
)
def test_globox_reads_the_same_boxes(tmp_path: Path, name: str, kind: str, place: str) -> None:
    options = {"recursive": True} if kind == "voc" else {}
    found = read("with_boxes.globox", exported(name, STILLS, tmp_path) / place, kind=kind, **options)
    wanted = boxes_of(STILLS)
    assert {key: boxes for key, boxes in rounded(found).items() if boxes} == {
        key: boxes for key, boxes in wanted.items() if boxes
    }


def test_globox_reads_darknet(tmp_path: Path) -> None:
    folder = str(exported("YOLO 1.1", MOVED, tmp_path) / "obj_train_data")
    names = (tmp_path / "obj.names").read_text().splitlines()
    found = read("with_boxes.globox", Path(folder), kind="yolo", image_folder=folder, image_extension=".PNG")
    named = {
        key: [[names[int(label)], *corners] for label, *corners in boxes] for key, boxes in found.items()
    }
    assert rounded(named) == boxes_of(MOVED)


def test_pascal_voc_reads_the_same_boxes(tmp_path: Path) -> None:
    found = read("with_boxes.voc", exported("PASCAL VOC 1.1", PLAIN, tmp_path) / "Annotations")
    wanted = {name.rpartition(".")[0]: boxes for name, boxes in boxes_of(PLAIN).items()}
    assert rounded(found) == wanted


@pytest.mark.parametrize("scene", [STILLS, MOVED, OUTLINES], ids=lambda scene: scene.name)
def test_voc_follows_the_schema(tmp_path: Path, scene: Scene) -> None:
    schema = etree.XMLSchema(file=str(Path(__file__).parent / "golden/voc.xsd"))
    files = sorted((exported("PASCAL VOC 1.1", scene, tmp_path) / "Annotations").rglob("*.xml"))
    assert len(files) == len(pictures(scene))
    for file in files:
        schema.assertValid(etree.parse(file))


def test_pycocotools_sees_the_same_objects(tmp_path: Path) -> None:
    found = read("with_coco.objects", exported("COCO 1.0", OUTLINES, tmp_path) / COCO_FILE)
    boxes = [one for one in found if "rows" not in one]
    assert [(one["box"], one["attributes"]["rotation"]) for one in boxes] == [
        ([4.0, 6.0, 16.5, 24.25], 0.0),
        ([30.0, 10.0, 20.5, 10.0], 20.0),
    ]
    (ring,) = (one for one in found if one["label"] == "Apple tree's")
    assert [row[10:15] for row in ring["rows"][12:17]] == ["#####", "#...#", "#...#", "#...#", "#####"]
    assert (ring["area"], ring["drawn_area"], ring["iscrowd"]) == (16, 16, 0)
    assert ring["drawn_box"] == ring["box"] == [10, 12, 5, 5]
    for one in found:
        if "rows" in one:
            assert abs(one["area"] - one["drawn_area"]) <= 0.05 * one["drawn_area"]


@pytest.mark.parametrize(
    ("scene", "kind"),
    [(OUTLINES, "bbox"), (OUTLINES, "segm"), (MOVED, "bbox")],
    ids=lambda one: str(one)[:30],
)
def test_cocoeval_finds_the_file_precise_against_itself(tmp_path: Path, scene: Scene, kind: str) -> None:
    assert read("with_coco.precision", exported("COCO 1.0", scene, tmp_path) / COCO_FILE, kind=kind) == 1.0


@pytest.mark.parametrize("scene", [STILLS, MOVED], ids=lambda scene: scene.name)
def test_records_are_framed_and_hold_the_same_boxes(tmp_path: Path, scene: Scene) -> None:
    folder = exported("TFRecord 1.0", scene, tmp_path)
    records = read("with_tfrecord.examples", folder / "default.tfrecord")
    found = {text(record["image/filename"][0]): boxes_in(record) for record in records}
    assert found == boxes_of(scene)
    labels = read("with_tfrecord.label_map", folder / "label_map.pbtxt")
    assert labels == {"car": 1, "Straße": 2, "Apple tree's": 3}
    for record in records:
        own = [labels[text(name)] for name in record["image/object/class/text"]]
        assert record["image/object/class/label"] == own


def text(latin: str) -> str:
    return latin.encode("latin-1").decode()


def boxes_in(record: dict[str, list[Any]]) -> list[Any]:
    width, height = record["image/width"][0], record["image/height"][0]
    columns = (record[f"image/object/bbox/{name}"] for name in ("xmin", "ymin", "xmax", "ymax"))
    return sorted(
        [
            text(name),
            *(round(share * size, 2) for share, size in zip(corners, (width, height) * 2, strict=True)),
        ]
        for name, *corners in zip(record["image/object/class/text"], *columns, strict=True)
    )


def test_records_that_another_writer_wrote_are_imported(tmp_path: Path) -> None:
    folder = exported("TFRecord 1.0", STILLS, tmp_path)
    path = folder / "default.tfrecord"
    records = read("with_tfrecord.examples", path)
    # That writer cannot write empty lists.
    full = [{name: values for name, values in record.items() if values} for record in records]
    read("with_tfrecord.write", path, records=full)
    assert_same("TFRecord 1.0", STILLS, packed(folder))


def test_trackeval_finds_the_tracks_perfect_against_themselves(tmp_path: Path) -> None:
    found = read("with_mot.scores", exported("MOT 1.1", MOVED, tmp_path) / "gt/gt.txt", length=8)
    tracked = sum(one.track >= 0 for picture in pictures(MOVED) for one in picture.objects)
    assert found == {"HOTA": 1.0, "MOTA": 1.0, "switches": 0.0, "boxes": tracked}


def test_motmetrics_reads_the_same_rows(tmp_path: Path) -> None:
    rows = read("with_mot.rows", exported("MOT 1.1", MOVED, tmp_path) / "gt/gt.txt")
    labels = ["car", "Straße", "Apple tree's"]
    # It takes 1 off, as the pixels of MOTChallenge count from 1; ours are those of the platform.
    found = sorted(
        (
            row["frame"],
            max(row["id"], 0),
            labels[int(row["ClassId"]) - 1],
            row["X"] + 1,
            row["Y"] + 1,
            row["Width"],
            row["Height"],
        )
        for row in rows
    )
    wanted = sorted(
        (place, one.track + 1, label_of(one.label_id), x0, y0, x1 - x0, y1 - y0)
        for place, picture in enumerate(pictures(MOVED), 1)
        for one in picture.objects
        for x0, y0, x1, y1 in [one.points]
    )
    assert found == wanted


@pytest.mark.parametrize(
    ("name", "into", "file"),
    [
        ("COCO 1.0", "coco", "instances_default.json"),
        ("CVAT for images 1.1", "cvat", "annotations.xml"),
        ("PASCAL VOC 1.1", "voc", ""),
    ],
)
def test_what_globox_writes_is_imported(tmp_path: Path, name: str, into: str, file: str) -> None:
    scene = images("flat", box(0), box(0, 30, 10, 50.5, 20, label_id=9), box(3, 0, 0, 64, 40))
    source = exported("COCO 1.0", scene, tmp_path / "ours") / COCO_FILE
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    read("with_boxes.convert", source, kind="coco", into=into, target=str(theirs / file))
    assert_same(name, scene, packed(theirs))
