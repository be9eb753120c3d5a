"""Annotations by CVAT's SDK: saved, read, exported in every format and imported again."""

from pathlib import Path

import pytest

from services.export.tests import oracles
from tests.gateway.clients.conftest import Drive

EVERYTHING = {
    "rectangle": 2,
    "polygon": 1,
    "polyline": 1,
    "points": 1,
    "ellipse": 1,
    "cuboid": 1,
    "mask": 1,
    "tag": 1,
    "track": 1,
}
UNTRACKED = EVERYTHING | {"rectangle": 3, "track": 0}
"""The one visible frame of the track is a box of its own."""

# What is there after the export of EVERYTHING was imported; the losses are those of docs/formats.md.
COME_BACK: dict[str, dict[str, int]] = {
    "CVAT for video 1.1": EVERYTHING | {"tag": 0},
    "CVAT for images 1.1": UNTRACKED,
    "PASCAL VOC 1.1": {"rectangle": 3, "mask": 3, "tag": 1, "track": 0},
    "Segmentation mask 1.1": {"mask": 5, "tag": 0, "track": 0},
    "YOLO 1.1": {"rectangle": 3, "tag": 0, "track": 0},
    "COCO 1.0": {"rectangle": 2, "polygon": 1, "mask": 2, "tag": 0, "track": 1},
    "TFRecord 1.0": {"rectangle": 5, "tag": 0, "track": 0},
    "MOT 1.1": {"rectangle": 2, "tag": 0, "track": 1},
    "LabelMe 3.0": {"rectangle": 3, "polygon": 1, "mask": 2, "tag": 0, "track": 0},
    "Datumaro 1.0": {name: count for name, count in EVERYTHING.items() if name != "cuboid"},
}

# Formats by what Datumaro calls them.
DATUMARO = {
    "CVAT for images 1.1": "cvat",
    "PASCAL VOC 1.1": "voc",
    "YOLO 1.1": "yolo",
    "COCO 1.0": "coco",
    "LabelMe 3.0": "label_me",
    "Datumaro 1.0": "datumaro",
}


def importer(exporter: str) -> str:
    return "CVAT 1.1" if exporter.startswith("CVAT") else exporter


def test_annotations_of_every_kind_come_back_as_they_were_saved(drive: Drive) -> None:
    drive("annotations.there_and_back")


def test_jobs_have_annotations_of_their_own(drive: Drive) -> None:
    drive("annotations.of_jobs")


def test_every_format_is_exported_and_imported_again(drive: Drive) -> None:
    found = drive("formats.every", names={exporter: importer(exporter) for exporter in COME_BACK})
    assert found.pop("before") == EVERYTHING
    assert found == COME_BACK
    told = drive("people.server")
    assert set(COME_BACK) == set(told["exporters"])
    assert {importer(exporter) for exporter in COME_BACK} <= set(told["importers"])


def test_exports_have_the_pictures_if_asked(drive: Drive) -> None:
    assert drive("formats.with_images") == ["annotations.xml", "images/p00.png", "images/p01.png"]


def test_a_job_is_imported_alone(drive: Drive) -> None:
    found = drive("formats.of_a_job")
    assert found["before"] == EVERYTHING
    assert found["appended"] == {name: EVERYTHING[name] + count for name, count in UNTRACKED.items()}
    assert found["replaced"] == UNTRACKED
    assert found["other"] == {"tag": 0, "track": 0}


def test_what_cannot_be_exported_or_imported_is_told(drive: Drive) -> None:
    unknown, unreadable = drive("formats.refusals")
    assert "Sketch 9" in unknown
    assert "bad.zip" in unreadable


def test_tasks_are_made_with_annotations(drive: Drive) -> None:
    assert drive("formats.at_creation") == UNTRACKED


def test_data_sets_of_tasks_notice_changes(drive: Drive) -> None:
    assert drive("automatic.data_set") == [[7, 2, 0, 0, 0], [4, 2, 0, 0, 0]]


def test_datumaro_reads_what_is_downloaded(drive: Drive, tmp_path: Path) -> None:
    points = [10, 20, 60, 70]
    archives = drive("formats.boxes", names=[*DATUMARO], points=points)
    for name, kind in DATUMARO.items():
        there = oracles.unpacked(oracles.unzipped(Path(archives[name]).read_bytes()), tmp_path / kind)
        items = oracles.read("with_datumaro.items", there, kind=kind)
        found = {item["id"].rpartition("/")[2]: item["objects"] for item in items}
        (box,) = next(objects for objects in found.values() if objects)
        assert (box["kind"], box["label"]) == ("bbox", "person"), name
        assert box["points"] == pytest.approx(points, abs=0.01), name
        assert len(found) == 3, name


def test_functions_annotate(drive: Drive) -> None:
    assert drive("automatic.detected") == {"frames": [0, 1, 2], "sources": ["auto"], "types": ["rectangle"]}
