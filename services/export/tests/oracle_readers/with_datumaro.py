"""Datumaro as reader of all its formats, and as writer of archives to import."""

from pathlib import Path
from typing import Any

import numpy as np
from datumaro.components.annotation import AnnotationType
from datumaro.components.dataset import Dataset


def items(path: Path, kind: str, image_info: dict[str, list[int]] | None = None) -> list[dict[str, Any]]:
    """Items with their annotations; `image_info` gives height and width where the format has none."""
    dataset = _loaded(path, kind, image_info)
    labels = [label.name for label in dataset.categories()[AnnotationType.label]]
    return [
        {
            "id": item.id,
            "subset": item.subset,
            "objects": [_object(annotation, labels) for annotation in item.annotations],
        }
        for item in dataset
    ]


def labels(path: Path, kind: str, image_info: dict[str, list[int]] | None = None) -> list[str]:
    """Names of labels in the order of the data set."""
    return [label.name for label in _loaded(path, kind, image_info).categories()[AnnotationType.label]]


def convert(
    path: Path,
    kind: str,
    into: str,
    folder: str,
    save_media: bool = False,
    image_info: dict[str, list[int]] | None = None,
    **more: Any,
) -> None:
    """Writes what is read in another format to a folder."""
    _loaded(path, kind, image_info).export(folder, into, save_media=save_media, **more)


def _loaded(path: Path, kind: str, image_info: dict[str, list[int]] | None) -> Dataset:
    more = {"image_info": {name: tuple(size) for name, size in image_info.items()}} if image_info else {}
    return Dataset.import_from(str(path), kind, **more)


def _object(annotation: Any, labels: list[str]) -> dict[str, Any]:
    found = {
        "kind": annotation.type.name,
        "label": None if annotation.label is None else labels[annotation.label],
        "attributes": {name: _plain(value) for name, value in annotation.attributes.items()},
        "group": annotation.group,
        "z_order": getattr(annotation, "z_order", 0),
    }
    if annotation.type is AnnotationType.mask:
        found["rows"] = ["".join("#" if pixel else "." for pixel in row) for row in annotation.image]
    elif annotation.type is not AnnotationType.label:
        found["points"] = [float(number) for number in annotation.points]
    return found


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
