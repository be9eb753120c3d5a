"""An export through the whole platform: from boxes in the database to the archive in the bucket."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Final

from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.export.v1 import export_service_pb2 as exports
from frameyard.media.v1 import media_pb2
from frameyard.operation.v1.operation_pb2 import Operation
from frameyard.task.v1 import label_pb2, task_pb2
from frameyard.task.v1 import task_service_pb2 as tasks
from PIL import Image
from yard.annotations.batch import LARGEST_BATCH
from yard.client import Client
from yard.client.client import request_id
from yard.client.exports import download, result_of
from yard.client.media import ready_task
from yard.runtime import clock
from yard.testkit.platform import Platform, running_platform

from benchmarks.formats_ours import boxes
from benchmarks.formats_process import OURS, took
from benchmarks.formats_scene import HEIGHT, LABELS, WIDTH, Scene
from benchmarks.peaks import peak_mib
from benchmarks.report import Aim, Row, row

REPETITIONS: Final = 3
FORMAT: Final = "COCO 1.0"
UNDER_25_S: Final = Aim(of="ours", relation="<", value=25)
UNDER_200_MIB: Final = Aim(of="ours", relation="<", value=200)
_SHARE: Final = "bench"


def measure_platform(scene: Scene) -> list[Row]:
    """With all servers and services as processes, the time beside that of the stream of annotations alone."""
    with tempfile.TemporaryDirectory(prefix="frameyard-bench-") as name:
        folder = Path(name)
        share = folder / "share"
        _write_manifest(scene, share / Path(scene.name(0)).parent)
        with running_platform(folder, {"FRAMEYARD_SHARES": f"{_SHARE}={share}"}) as platform:
            return asyncio.run(_measure(platform, scene, folder))


async def _measure(platform: Platform, scene: Scene, folder: Path) -> list[Row]:
    async with Client(platform.endpoints) as client:
        await client.login("admin", platform.admin_password)
        task = await _filled_task(client, scene)
        seconds, streams, peaks, sizes = [], [], [], []
        for repetition in range(REPETITIONS):
            streams.append(await _stream(client, task.id))
            with peak_mib(platform.pid("export"), "pss") as peak:
                began = clock.monotonic()
                operation = await _export(client, task.id)
                seconds.append(clock.monotonic() - began)
            peaks.append(peak[0])
            sizes.append(result_of(operation).archive.size_bytes / (1 << 20))
            if not repetition:
                await _check(client, operation.name, scene, folder)
            # An archive of annotations that are still the same would not be written again.
            await _add_box(client, task)
    title = f"{scene.frames * scene.boxes:,} boxes from the database to {FORMAT} in the bucket"
    memory = f"memory of the export service, {title} (baseline: its bytes)"
    return [
        row(f"{title} (baseline: their stream alone)", "s", seconds, streams, UNDER_25_S),
        row(memory, "MiB", peaks, sizes, UNDER_200_MIB),
    ]


def _write_manifest(scene: Scene, folder: Path) -> None:
    """Of the images only the first and the last are there, as no other is looked at."""
    folder.mkdir(parents=True)
    with (folder / "manifest.jsonl").open("w") as file:
        file.write('{"version":"1.1"}\n{"type":"images"}\n')
        for number in range(scene.frames):
            name = Path(scene.name(number))
            size = f'"width":{WIDTH},"height":{HEIGHT}'
            file.write(f'{{"name":"{name.stem}","extension":"{name.suffix}",{size}}}\n')
    content = BytesIO()
    Image.new("L", (WIDTH, HEIGHT)).save(content, "JPEG")
    for number in (0, scene.frames - 1):
        (folder / Path(scene.name(number)).name).write_bytes(content.getvalue())


async def _filled_task(client: Client, scene: Scene) -> task_pb2.Task:
    labels = [label_pb2.Label(name=name) for name in LABELS]
    request = tasks.CreateTaskRequest(name="street", labels=labels, request_id=request_id())
    task_id = (await client.call(client.tasks.CreateTask, request)).task.id
    share = media_pb2.ShareSource(share=_SHARE, paths=[str(Path(scene.name(0)).parent)])
    data = media_pb2.DataSpec(sources=[media_pb2.MediaSource(share=share)], use_cache=True)
    attach = tasks.AttachMediaRequest(task_id=task_id, data=data)
    task = await ready_task(client, (await client.call(client.tasks.AttachMedia, attach)).operation)
    metadata = await client.session.metadata()
    answer = await client.annotations.ImportAnnotations(_requests(task, scene), metadata=metadata)
    if (task.size, answer.shapes) != (scene.frames, scene.frames * scene.boxes):
        raise RuntimeError(f"{task.size} frames and {answer.shapes} boxes came of {scene}")
    return task


async def _requests(task: task_pb2.Task, scene: Scene) -> AsyncIterator[messages.ImportAnnotationsRequest]:
    target = messages.AnnotationTarget(task_id=task.id)
    yield messages.ImportAnnotationsRequest(
        header=messages.ImportHeader(target=target, request_id=request_id())
    )
    label_ids = [label.id for label in task.labels]
    total = scene.frames * scene.boxes
    for first in range(0, total, LARGEST_BATCH):
        batch = boxes(scene, first, min(first + LARGEST_BATCH, total), label_ids)
        yield messages.ImportAnnotationsRequest(batch=batch)


async def _export(client: Client, task_id: int) -> Operation:
    request = exports.CreateExportRequest(format=FORMAT, task_id=task_id, request_id=request_id())
    return await client.wait((await client.call(client.exports.CreateExport, request)).operation.name)


async def _stream(client: Client, task_id: int) -> float:
    request = messages.StreamAnnotationsRequest(target=messages.AnnotationTarget(task_id=task_id))
    began = clock.monotonic()
    async for _ in client.stream(client.annotations.StreamAnnotations, request):
        pass
    return clock.monotonic() - began


async def _add_box(client: Client, task: task_pb2.Task) -> None:
    shape = annotation.Shape(
        frame=0,
        label_id=task.labels[0].id,
        kind=annotation.SHAPE_KIND_RECTANGLE,
        points=(1, 1, 2, 2),
        source=annotation.SOURCE_MANUAL,
    )
    target, create = messages.AnnotationTarget(task_id=task.id), annotation.AnnotationSet(shapes=[shape])
    request = messages.PatchAnnotationsRequest(target=target, create=create)
    await client.call(client.annotations.PatchAnnotations, request)


async def _check(client: Client, operation: str, scene: Scene, folder: Path) -> None:
    """Whether all boxes are in the archive, by reading it into the same frames."""
    path = await download(client, operation, folder / "archive.zip")
    work = {"format_name": FORMAT, "scene": asdict(scene), "path": str(path)}
    found = (await asyncio.to_thread(took, OURS, "benchmarks.formats_ours:read", **work)).boxes
    if found != scene.frames * scene.boxes:
        raise RuntimeError(f"{found} boxes are in the archive of {scene}")
    path.unlink()
