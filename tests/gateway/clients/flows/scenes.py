"""Pictures, labels and tasks that flows start from."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from cvat_sdk import Client, models
from cvat_sdk.api_client import exceptions
from cvat_sdk.core.exceptions import BackgroundRequestException
from cvat_sdk.core.proxies.tasks import Task
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT = 160, 120
LABELS: list[dict[str, Any]] = [
    {
        "name": "car",
        "color": "#ff0000",
        "type": "any",
        "attributes": [
            {
                "name": "colour",
                "mutable": False,
                "input_type": "select",
                "values": ["red", "blue"],
                "default_value": "red",
            },
            {"name": "plate", "mutable": False, "input_type": "text", "values": [], "default_value": "none"},
            {
                "name": "parked",
                "mutable": True,
                "input_type": "checkbox",
                "values": ["false"],
                "default_value": "false",
            },
            {
                "name": "doors",
                "mutable": True,
                "input_type": "number",
                "values": ["1", "5", "1"],
                "default_value": "4",
            },
            {
                "name": "side",
                "mutable": False,
                "input_type": "radio",
                "values": ["left", "right"],
                "default_value": "left",
            },
        ],
    },
    {"name": "person", "color": "#00ff00", "type": "any", "attributes": []},
    {"name": "night", "type": "tag", "attributes": []},
]


@contextmanager
def refused(*statuses: int) -> Iterator[list[str]]:
    """Fails unless the block is refused with one of the statuses, or while it is worked on if there are none.

    The list has afterwards what the client was told.
    """
    told: list[str] = []
    try:
        yield told
    except exceptions.ApiException as fault:
        if fault.status not in statuses:
            raise
        body = fault.body or ""
        told.append(body.decode() if isinstance(body, bytes) else body)
    except BackgroundRequestException as fault:
        if statuses:
            raise
        told.append(str(fault))
    else:
        raise AssertionError("nothing was refused")


def picture(number: int) -> Image.Image:
    """A smooth picture that no other number has, so that lossy copies stay near it."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    red = (rows + 20 * number) % 240
    return Image.fromarray(np.stack([red, columns, np.full_like(rows, 12 * number)], -1).astype(np.uint8))


def pictures(folder: Path, count: int, suffix: str = ".png") -> list[Path]:
    """Files `p00.png` and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"p{number:02}{suffix}" for number in range(count)]
    for number, path in enumerate(paths):
        picture(number).save(path)
    return paths


def pixels(source: IO[bytes] | Path) -> NDArray[np.int16]:
    """Of a file with a picture."""
    with Image.open(source) as image:
        return np.asarray(image.convert("RGB")).astype(np.int16)


def distance(one: IO[bytes] | Path, other: IO[bytes] | Path) -> float:
    """How far two pictures are apart, in levels on the average: 0 if they are the same."""
    return float(np.abs(pixels(one) - pixels(other)).mean())


def album(client: Client, folder: Path, count: int = 6, **spec: Any) -> Task:
    """A task with pictures and, unless `spec` says else, with LABELS."""
    if "project_id" not in spec:
        spec.setdefault("labels", LABELS)
    return client.tasks.create_from_data(
        models.TaskWriteRequest(**{"name": "album", **spec}),
        pictures(folder / "pictures", count),
        data_params={"image_quality": 90, "chunk_size": 4},
    )


def label_ids(entity: Any) -> dict[str, int]:
    """By name."""
    return {label.name: label.id for label in entity.get_labels()}


def attribute_ids(entity: Any, name: str) -> dict[str, int]:
    """Of a label, by name."""
    found = next(label for label in entity.get_labels() if label.name == name)
    return {attribute.name: attribute.id for attribute in found.attributes}
