"""The baseline: Datumaro, which builds an item for each frame and writes or reads folders.

Runs in `.venv-oracles`; its TFRecord needs TensorFlow and runs in `.venv-tensorflow`.
"""

import shutil
import time
import zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from datumaro.components.annotation import AnnotationType, Bbox
from datumaro.components.dataset import Dataset
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image

from benchmarks.formats_scene import HEIGHT, LABELS, WIDTH, Scene, scene_of

TFRECORD: Final = "tf_detection_api"
_READERS: Final = {"mot_seq_gt": "mot_seq"}


def export(kind: str, scene: dict[str, Any], folder: str, out: str) -> tuple[float, int]:
    """Builds the items, writes the folder, packs it without compression."""
    made, target = scene_of(scene), Path(folder)
    boxes = boxes_of(made)
    _warm(kind)
    began = time.monotonic()
    count = _write(kind, made, boxes, target)
    pack(target, out)
    seconds = time.monotonic() - began
    _complete(kind, made, target)
    return seconds, count


def read(kind: str, scene: dict[str, Any], folder: str) -> tuple[float, int]:
    """Reads what `export` has written and looks at each item."""
    made = scene_of(scene)
    _warm(kind)
    began = time.monotonic()
    count = _count(kind, made, folder)
    return time.monotonic() - began, count


def _warm(kind: str) -> None:
    """Imports TensorFlow, which takes seconds that are not those of the format."""
    if kind == TFRECORD:
        import_module("tensorflow")


def pack(folder: Path, out: str) -> None:
    """An archive of the folder, without compression."""
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))


Boxes = Iterator[list[tuple[int, list[float], dict[str, Any]]]]


def boxes_of(scene: Scene) -> Boxes:
    """By frame: label, corners and attributes, made when they are asked for."""
    return _states(scene) if scene.is_video else _boxes(scene)


def _boxes(scene: Scene) -> Boxes:
    for frame in range(scene.frames):
        first = frame * scene.boxes
        corners = scene.corners(first, first + scene.boxes).tolist()
        yield [(number % len(LABELS), box, {"occluded": False}) for number, box in enumerate(corners, first)]


def _states(scene: Scene) -> Boxes:
    states = scene.states()
    for frame in range(scene.frames):
        yield [
            (track % len(LABELS), box, {"occluded": False, "track_id": track, "keyframe": is_keyframe})
            for track, box, is_keyframe in states.get(frame, [])
        ]


def _write(kind: str, scene: Scene, boxes: Boxes, folder: Path) -> int:
    items, count = [], 0
    for frame, found in enumerate(boxes):
        name = scene.name(frame)
        annotations = [
            Bbox(x0, y0, x1 - x0, y1 - y0, label=label, id=count + number, attributes=attributes)
            for number, (label, (x0, y0, x1, y1), attributes) in enumerate(found)
        ]
        count += len(annotations)
        media = Image.from_file(path=name, size=(HEIGHT, WIDTH))
        item = name.rpartition(".")[0]
        items.append(
            DatasetItem(
                item,
                subset="train" if kind == "yolo" else "default",
                annotations=annotations,
                media=media,
                attributes={"frame": frame},
            )
        )
    Dataset.from_iterable(items, categories=list(LABELS), media_type=Image).export(
        str(folder), kind, save_media=False
    )
    return count


def _count(kind: str, scene: Scene, folder: str) -> int:
    more = {}
    if kind == "yolo":
        names = (scene.name(frame).rpartition(".")[0] for frame in range(scene.frames))
        more = {"image_info": dict.fromkeys(names, (HEIGHT, WIDTH))}
    dataset = Dataset.import_from(folder, _READERS.get(kind, kind), **more)
    return sum(annotation.type is AnnotationType.bbox for item in dataset for annotation in item.annotations)


def _complete(kind: str, scene: Scene, folder: Path) -> None:
    """Adds the files without which the reader refuses its own export; they are empty."""
    if kind == "coco_instances":
        (folder / "images" / "default").mkdir(parents=True, exist_ok=True)
    if kind == "cvat":
        shutil.rmtree(folder / "images", ignore_errors=True)
        for frame in range(scene.frames):
            path = folder / "images" / "default" / scene.name(frame)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
