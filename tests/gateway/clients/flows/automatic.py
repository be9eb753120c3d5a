"""What programs make of tasks: data sets, and annotations by a function."""

import shutil
from pathlib import Path
from typing import Any

import cvat_sdk.auto_annotation as cvataa
from cvat_sdk import Client, models
from cvat_sdk.datasets import MediaDownloadPolicy, TaskDataset

from tests.gateway.clients.flows import function
from tests.gateway.clients.flows.annotations import everything, shapes_alone
from tests.gateway.clients.flows.scenes import album, pixels


def data_set(client: Client, folder: Path) -> list[list[int]]:
    """Pictures and annotations by frame, with all ways to fetch, from caches that notice changes."""
    task = album(client, folder)
    task.set_annotations(models.LabeledDataRequest(**everything(task)))
    task.remove_frames_by_ids([3])
    sources = sorted((folder / "pictures").iterdir())
    for policy in MediaDownloadPolicy:
        shutil.rmtree(client.config.cache_dir, ignore_errors=True)
        found = TaskDataset(client, task.id, media_download_policy=policy)
        assert [sample.frame_index for sample in found.samples] == [0, 1, 2, 4, 5]
        for sample in found.samples:
            source = sources[sample.frame_index]
            assert sample.frame_name == source.name
            shown = sample.media.load_image().convert("RGB")
            shown.save(folder / "shown.png")
            assert (pixels(folder / "shown.png") == pixels(source)).all()
    before = counted(TaskDataset(client, task.id))
    task.remove_annotations(ids=shapes_alone(task)[:3])
    return [before, counted(TaskDataset(client, task.id))]


def counted(found: TaskDataset) -> list[int]:
    return [len(sample.annotations.shapes) + len(sample.annotations.tags) for sample in found.samples]


def detected(client: Client, folder: Path) -> dict[str, Any]:
    """A function finds a box on every picture."""
    task = album(client, folder, 3)
    cvataa.annotate_task(client, task.id, function)
    return boxes(client, folder, task_id=task.id)


def boxes(client: Client, folder: Path, *, task_id: int) -> dict[str, Any]:
    """What the function has left on a task."""
    shapes = client.tasks.retrieve(task_id).get_annotations().shapes
    return {
        "frames": sorted(shape.frame for shape in shapes),
        "sources": sorted({shape.source for shape in shapes}),
        "types": sorted({str(shape.type) for shape in shapes}),
    }
