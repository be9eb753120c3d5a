"""Annotations of every kind, there and back."""

from pathlib import Path
from typing import Any

import numpy as np
from cvat_sdk import Client, models
from cvat_sdk.core.proxies.annotations import AnnotationUpdateAction
from cvat_sdk.core.proxies.jobs import Job
from cvat_sdk.core.proxies.tasks import Task
from cvat_sdk.masks import decode_mask, encode_mask

from tests.gateway.clients.flows.scenes import HEIGHT, WIDTH, album, attribute_ids, label_ids, refused

POINTS: dict[str, list[float]] = {
    "rectangle": [10.5, 20, 60, 70.25],
    "polygon": [10, 10, 60, 10, 35.5, 60],
    "polyline": [5, 5, 50, 50, 90, 20],
    "points": [15, 25, 80.5, 90],
    "ellipse": [50, 60, 80, 40],
    "cuboid": [10, 10, 10, 40, 40, 10, 40, 40, 60, 5, 60, 35, 30, 5, 30, 35],
}


def bitmap() -> Any:
    found = np.zeros((HEIGHT, WIDTH), bool)
    found[20:40, 30:50] = True
    found[25:30, 35:40] = False
    return found


def everything(entity: Any, frames: tuple[int, int] = (0, 1)) -> dict[str, Any]:
    """A tag, a shape of every kind with attributes, and tracks; on the frames from the first to the last."""
    ids, car = label_ids(entity), attribute_ids(entity, "car")
    first, last = frames
    values = {"colour": "blue", "plate": "A 1", "parked": "true", "doors": "3", "side": "right"}
    attributes = [{"spec_id": car[name], "value": value} for name, value in values.items()]
    shapes = [
        {"type": kind, "label_id": ids["car"], "frame": first, "points": points, "attributes": attributes}
        for kind, points in POINTS.items()
    ]
    shapes[0] |= {"occluded": True, "z_order": 3, "group": 2}
    person = {"label_id": ids["person"], "frame": last}
    shapes.append({**person, "type": "rectangle", "points": [30, 30, 60, 50], "rotation": 30})
    mask = {**person, "type": "mask", "frame": first, "points": encode_mask(bitmap())}
    fixed = [{"spec_id": car["colour"], "value": "blue"}]
    key = {"type": "rectangle", "occluded": False}
    keys = [
        {**key, "frame": first, "points": [1, 2, 30, 40], "outside": False, "attributes": attributes[2:4]},
        {**key, "frame": last, "points": [11, 12, 40, 50], "outside": True},
    ]
    return {
        "tags": [{"label_id": ids["night"], "frame": last}],
        "shapes": [*shapes, mask],
        "tracks": [{"label_id": ids["car"], "frame": first, "attributes": fixed, "shapes": keys}],
    }


def counts(entity: Any) -> tuple[int, int, int]:
    data = entity.get_annotations()
    return len(data.tags), len(data.shapes), len(data.tracks)


def there_and_back(client: Client, folder: Path) -> None:
    """Saved by PUT, changed and deleted by PATCH, on the task."""
    task = album(client, folder)
    written = everything(task)
    task.set_annotations(models.LabeledDataRequest(**written))
    read = task.get_annotations()
    same(written, read)
    created(task, written)
    changed(task)
    task.remove_annotations(ids=shapes_alone(task)[:4])
    assert counts(task) == (2, 12, 2)
    before = task.fetch().updated_date
    task.remove_annotations()
    assert counts(task) == (0, 0, 0)
    assert task.fetch().updated_date > before


def shapes_alone(entity: Any) -> list[int]:
    """Ids that no tag and no track has too: the client takes ids for whatever has them."""
    data = entity.get_annotations()
    others = {item.id for item in (*data.tags, *data.tracks)}
    return [shape.id for shape in data.shapes if shape.id not in others]


def same(written: dict[str, Any], read: Any) -> None:
    assert len(read.tags) == 1
    shapes = {str(shape.type): shape for shape in read.shapes if not shape.rotation}
    values = {item["spec_id"]: item["value"] for item in written["shapes"][0]["attributes"]}
    for kind, points in POINTS.items():
        assert [float(value) for value in shapes[kind].points] == points, kind
        assert {item.spec_id: item.value for item in shapes[kind].attributes} == values
        assert shapes[kind].source == "manual"
    first = shapes["rectangle"]
    assert (first.occluded, first.z_order, first.group) == (True, 3, 2)
    assert [shape.rotation for shape in read.shapes if shape.rotation] == [30]
    decoded = decode_mask(shapes["mask"].points, image_width=WIDTH, image_height=HEIGHT)
    assert (decoded == bitmap()).all()
    track = read.tracks[0]
    assert [(key.frame, key.outside) for key in track.shapes] == [(0, False), (1, True)]
    values = {item.spec_id: item.value for item in track.attributes}
    assert "blue" in values.values()
    assert len(values) == 3
    assert sorted(item.value for item in track.shapes[0].attributes) == ["3", "true"]


def created(task: Task, written: dict[str, Any]) -> None:
    more = models.PatchedLabeledDataRequest(**written)
    task.update_annotations(more, action=AnnotationUpdateAction.CREATE)
    assert counts(task) == (2, 16, 2)


def changed(task: Task) -> None:
    """What was read is sent back, moved."""
    shape = next(s for s in task.get_annotations().shapes if str(s.type) == "polygon")
    moved = models.LabeledShapeRequest(**{**shape.to_dict(), "points": [1, 1, 20, 1, 20, 20]})
    task.update_annotations(models.PatchedLabeledDataRequest(shapes=[moved]))
    assert counts(task) == (2, 16, 2)
    found = [[float(v) for v in s.points] for s in task.get_annotations().shapes if str(s.type) == "polygon"]
    assert [1, 1, 20, 1, 20, 20] in found


def of_jobs(client: Client, folder: Path) -> None:
    """Frame numbers are the task's; each job has its own."""
    task = album(client, folder, segment_size=3, overlap=0)
    one, two = (client.jobs.retrieve(job.id) for job in sorted(task.get_jobs(), key=lambda job: job.id))
    written = everything(two, frames=(3, 5))
    two.set_annotations(models.LabeledDataRequest(**written))
    assert counts(one) == (0, 0, 0)
    assert counts(two) == counts(task) == (1, 8, 1)
    assert {shape.frame for shape in two.get_annotations().shapes} == {3, 5}
    two.remove_annotations(ids=shapes_alone(two)[:1])
    assert counts(two) == (1, 7, 1)
    refuses_foreign_frames(one, written)
    two.remove_annotations()
    assert counts(task) == (0, 0, 0)


def refuses_foreign_frames(job: Job, written: dict[str, Any]) -> None:
    with refused(400):
        job.set_annotations(models.LabeledDataRequest(tags=written["tags"]))
    assert counts(job) == (0, 0, 0)
