"""Stands in for Datumaro's TFRecord without TensorFlow: the package tfrecord, which builds no items.

Runs in `.venv-oracles`.
"""

import time
from pathlib import Path
from typing import Any

from tfrecord.reader import tfrecord_loader
from tfrecord.writer import TFRecordWriter

from benchmarks.formats_datumaro import Boxes, boxes_of, pack
from benchmarks.formats_scene import HEIGHT, LABELS, WIDTH, Scene, scene_of


def export(kind: str, scene: dict[str, Any], folder: str, out: str) -> tuple[float, int]:
    """Writes one file of records, packs it without compression."""
    made, target = scene_of(scene), Path(folder)
    boxes = boxes_of(made)
    began = time.monotonic()
    count = _write(made, boxes, target)
    pack(target, out)
    return time.monotonic() - began, count


def read(kind: str, scene: dict[str, Any], folder: str) -> tuple[float, int]:
    """Reads what `export` has written and counts the labels."""
    began = time.monotonic()
    records = tfrecord_loader(str(Path(folder) / "default.tfrecord"), None, None)
    count = sum(len(record["image/object/class/label"]) for record in records)
    return time.monotonic() - began, count


def _write(scene: Scene, boxes: Boxes, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    writer = TFRecordWriter(str(folder / "default.tfrecord"))
    for frame, found in enumerate(boxes):
        name = scene.name(frame).encode()
        corners = [box for _, box, _ in found]
        record = {
            "image/filename": (name, "byte"),
            "image/source_id": (str(frame + 1).encode(), "byte"),
            "image/height": (HEIGHT, "int"),
            "image/width": (WIDTH, "int"),
            "image/encoded": (b"", "byte"),
            "image/format": (b"", "byte"),
            "image/object/bbox/xmin": ([box[0] / WIDTH for box in corners], "float"),
            "image/object/bbox/xmax": ([box[2] / WIDTH for box in corners], "float"),
            "image/object/bbox/ymin": ([box[1] / HEIGHT for box in corners], "float"),
            "image/object/bbox/ymax": ([box[3] / HEIGHT for box in corners], "float"),
            "image/object/class/text": ([LABELS[label].encode() for label, _, _ in found], "byte"),
            "image/object/class/label": ([label + 1 for label, _, _ in found], "int"),
        }
        writer.write(record)
        count += len(found)
    writer.close()
    return count
