"""Readers of boxes: globox for several formats, pascal-voc for VOC."""

from pathlib import Path
from typing import Any

import pascal
from globox import AnnotationSet


def globox(path: Path, kind: str, **options: Any) -> dict[str, list[list[Any]]]:
    """Label and corners of the boxes of each image."""
    return {
        str(one.image_id): [[box.label, box.xmin, box.ymin, box.xmax, box.ymax] for box in one.boxes]
        for one in _loaded(path, kind, options)
    }


def convert(path: Path, kind: str, into: str, target: str) -> None:
    """Writes with globox what it reads from a file."""
    found = _loaded(path, kind, {})
    if into == "coco":
        found.save_coco(target, auto_ids=True)
    elif into == "cvat":
        found.save_cvat(target)
    else:
        found.save_pascal_voc(target)


def _loaded(path: Path, kind: str, options: dict[str, Any]) -> Any:
    readers = {
        "coco": AnnotationSet.from_coco,
        "cvat": AnnotationSet.from_cvat,
        "voc": AnnotationSet.from_pascal_voc,
        "yolo": AnnotationSet.from_yolo_darknet,
    }
    return readers[kind](path, **options)


def voc(path: Path) -> dict[str, list[list[Any]]]:
    """The same of a folder with VOC's XML files, by pascal-voc."""
    found = {}
    for file in sorted(path.rglob("*.xml")):
        annotation = pascal.annotation_from_xml(file)
        boxes = [(one.name, one.bndbox) for one in annotation.objects]
        found[file.relative_to(path).with_suffix("").as_posix()] = [
            [name, box.xmin, box.ymin, box.xmax, box.ymax] for name, box in boxes
        ]
    return found
