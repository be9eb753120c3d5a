"""Exports in every format, imported again."""

import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

from cvat_sdk import Client, models
from cvat_sdk.core.proxies.tasks import Task

from tests.gateway.clients.flows.annotations import everything
from tests.gateway.clients.flows.media import spec
from tests.gateway.clients.flows.scenes import album, label_ids, refused


def kinds(entity: Any) -> dict[str, int]:
    data = entity.get_annotations()
    found = Counter(str(shape.type) for shape in data.shapes)
    return dict(found) | {"tag": len(data.tags), "track": len(data.tracks)}


def annotated(client: Client, folder: Path, **spec: Any) -> Task:
    task = album(client, folder, 4, **spec)
    task.set_annotations(models.LabeledDataRequest(**everything(task)))
    return task


def every(client: Client, folder: Path, *, names: dict[str, str]) -> dict[str, Any]:
    """What is there after each format's own export was imported again; `names` are exporters to importers."""
    task = annotated(client, folder)
    whole = everything(task)
    found: dict[str, Any] = {"before": kinds(task)}
    for exporter, importer in names.items():
        file = folder / f"{exporter}.zip"
        task.export_dataset(exporter, file, include_images=False)
        task.remove_annotations()
        task.import_annotations(importer, file)
        found[exporter] = kinds(task)
        task.set_annotations(models.LabeledDataRequest(**whole))
    return found


def boxes(client: Client, folder: Path, *, names: list[str], points: list[float]) -> dict[str, str]:
    """Archives by format, with pictures, of a task with a box on its second picture."""
    task = album(client, folder, 3)
    person = label_ids(task)["person"]
    box = {"type": "rectangle", "label_id": person, "frame": 1, "points": points}
    task.set_annotations(models.LabeledDataRequest(shapes=[box]))
    found = {}
    for name in names:
        found[name] = str(folder / f"box in {name}.zip")
        task.export_dataset(name, found[name], include_images=True)
    return found


def with_images(client: Client, folder: Path) -> list[str]:
    """The pictures are beside the annotations, as they were uploaded; a job has its own only."""
    task = annotated(client, folder, segment_size=2, overlap=0)
    job = min(task.get_jobs(), key=lambda job: job.id)
    given = folder / "to"
    given.mkdir()
    task.export_dataset("CVAT for images 1.1", given / "task.zip", include_images=True)
    job.export_dataset("CVAT for images 1.1", given / "job.zip", include_images=True)
    with zipfile.ZipFile(given / "task.zip") as archive:
        for source in sorted((folder / "pictures").iterdir()):
            assert archive.read(f"images/{source.name}") == source.read_bytes()
    with zipfile.ZipFile(given / "job.zip") as archive:
        return sorted(archive.namelist())


def of_a_job(client: Client, folder: Path) -> dict[str, Any]:
    """Into one job and no other; kept or replaced as asked."""
    task = annotated(client, folder, segment_size=2, overlap=0)
    one, two = sorted(task.get_jobs(), key=lambda job: job.id)
    one.export_dataset("CVAT for images 1.1", folder / "one.zip", include_images=False)
    before = kinds(one)
    one.import_annotations("CVAT 1.1", folder / "one.zip", import_mode="append")
    appended = kinds(one)
    one.import_annotations("CVAT 1.1", folder / "one.zip")
    return {"before": before, "appended": appended, "replaced": kinds(one), "other": kinds(two)}


def refusals(client: Client, folder: Path) -> list[str]:
    """What people are told of formats that are not there, and of files that are not what they should be."""
    task = annotated(client, folder)
    with refused(400) as unknown:
        task.export_dataset("Sketch 9", folder / "no.zip")
    (folder / "bad.zip").write_bytes(b"no archive")
    with refused() as unreadable:
        task.import_annotations("COCO 1.0", folder / "bad.zip")
    return unknown + unreadable


def at_creation(client: Client, folder: Path) -> dict[str, int]:
    """create_from_data takes annotations too."""
    task = annotated(client, folder)
    task.export_dataset("CVAT for images 1.1", folder / "a.zip", include_images=False)
    made = client.tasks.create_from_data(
        spec(),
        sorted((folder / "pictures").iterdir()),
        annotation_path=str(folder / "a.zip"),
        annotation_format="CVAT 1.1",
    )
    return kinds(made)
