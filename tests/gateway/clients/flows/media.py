"""Files of all kinds into tasks, and pictures out of them, compared by their pixels."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from cvat_sdk import Client, models
from cvat_sdk.core.proxies.tasks import ResourceType, Task
from cvat_sdk.core.uploading import DataUploader
from PIL import Image

from tests.gateway.clients.flows.scenes import LABELS, distance, pictures, pixels, refused

LOSS = 6.0
"""How far a JPEG of quality 70 or more may be from a smooth picture, in levels on the average."""


def spec(name: str = "media", **more: Any) -> models.TaskWriteRequest:
    return models.TaskWriteRequest(name=name, labels=LABELS, **more)


def compare(task: Task, sources: list[Path], folder: Path) -> None:
    """Every frame, original and compressed, alone and in chunks, with the file that it must show."""
    assert task.size == len(sources)
    for number, source in enumerate(sources):
        assert task.get_frame(number, quality="original").read() == source.read_bytes()
        assert distance(task.get_frame(number, quality="compressed"), source) < LOSS
        assert distance(task.get_frame(number), source) < LOSS
    for quality, loss in (("original", 0.0), ("compressed", LOSS)):
        for chunk in range(-(-task.size // task.data_chunk_size)):
            shown = sources[chunk * task.data_chunk_size : (chunk + 1) * task.data_chunk_size]
            for content, source in zip(members(task, chunk, quality), shown, strict=True):
                assert distance(io.BytesIO(content), source) <= loss
    saved = folder / "frames"
    task.download_frames(range(task.size), outdir=saved)
    for number, source in enumerate(sources):
        assert distance(saved / f"frame_{number:06}.png", source) == 0
    assert pixels(task.get_preview()).size


def members(task: Task, chunk: int, quality: str) -> list[bytes]:
    out = io.BytesIO()
    task.download_chunk(chunk, out, quality=quality)
    with zipfile.ZipFile(out) as archive:
        return [archive.read(name) for name in archive.namelist()]


def local_images(client: Client, folder: Path) -> list[str]:
    """Names with letters of all sorts; sorted by the server."""
    sources = pictures(folder / "in", 9)
    renamed = [path.rename(path.with_name(f"ä {path.name}")) for path in sources]
    task = client.tasks.create_from_data(
        spec(segment_size=4, overlap=1),
        list(reversed(renamed)),
        data_params={"chunk_size": 4, "image_quality": 80},
    )
    compare(task, renamed, folder)
    assert [job.start_frame for job in sorted(task.get_jobs(), key=lambda job: job.id)] == [0, 3, 6]
    assert task.segment_size == 4
    meta = task.get_meta()
    assert (meta.size, meta.chunk_size, meta.image_quality) == (9, 4, 80)
    assert [(frame.width, frame.height) for frame in meta.frames] == [(160, 120)] * 9
    task.remove_frames_by_ids([2, 5])
    assert task.get_meta().deleted_frames == [2, 5]
    client.tasks.remove_by_ids([task.id, 10**9])
    with refused(404):
        client.tasks.retrieve(task.id)
    return [frame.name for frame in meta.frames]


def in_given_order(client: Client, folder: Path) -> list[str]:
    """The order of the call, although big files are sent after small ones, by tus."""
    sources = pictures(folder / "in", 4)
    order = [sources[index] for index in (2, 0, 3, 1)]
    noise = np.random.default_rng(1).integers(0, 256, (300, 300, 3), np.uint8)
    big = folder / "in" / "big.bmp"
    Image.fromarray(noise).save(big)
    order.insert(1, big)
    task = client.tasks.create(spec())
    url = client.api_map.make_endpoint_url(task.api.create_data_endpoint.path, kwsub={"id": task.id})
    uploader = DataUploader(client, max_request_size=100_000)
    answer = uploader.upload_files(url, order, image_quality=70, sorting_method="predefined")
    client.wait_for_completion(json.loads(answer.data)["rq_id"])
    task.fetch()
    for number, source in enumerate(order):
        assert task.get_frame(number, quality="original").read() == source.read_bytes()
    return [frame.name for frame in task.get_frames_info()]


def local_archive(client: Client, folder: Path) -> list[str]:
    """A zip with folders."""
    sources = pictures(folder / "in", 5)
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        for path in sources:
            archive.write(path, f"a/{path.name}")
    task = client.tasks.create_from_data(spec(), [folder / "all.zip"])
    compare(task, sources, folder)
    return [frame.name for frame in task.get_frames_info()]


def local_video(client: Client, folder: Path, *, video: str, frames: list[str], step: int) -> dict[str, Any]:
    """Pictures of a film; `frames` are what its decoder gives."""
    shown = [Path(path) for path in frames][::step]
    params = {"chunk_size": 4, "image_quality": 90, "frame_step": step, "use_zip_chunks": True}
    task = client.tasks.create_from_data(spec(), [Path(video)], data_params=params)
    assert (task.size, task.mode) == (len(shown), "interpolation")
    for number in (0, 1, task.size - 1):
        original = task.get_frame(number, quality="original")
        assert original.read(4) == b"\x89PNG"
        original.seek(0)
        assert distance(original, shown[number]) < 2
        assert distance(task.get_frame(number, quality="compressed"), shown[number]) < LOSS
    for quality, loss in (("compressed", LOSS), ("original", 2)):
        for content, source in zip(members(task, 1, quality), shown[4:8], strict=True):
            assert distance(io.BytesIO(content), source) < loss
    meta = task.get_meta()
    return {"names": [frame.name for frame in meta.frames], "filter": meta.frame_filter}


def share(client: Client, folder: Path, *, directory: str, sources: list[str]) -> list[str]:
    """A folder that the server sees itself."""
    entries, _ = client.api_client.server_api.list_share(directory="/")
    assert directory.split("/")[0] in [entry.name for entry in entries]
    below, _ = client.api_client.server_api.list_share(directory=f"/{directory}")
    files = sorted(entry.name for entry in below if str(entry.type) == "REG")
    resources = [f"{directory}/{name}" for name in files]
    task = client.tasks.create_from_data(spec(), resources, resource_type=ResourceType.SHARE)
    compare(task, [Path(path) for path in sources], folder)
    return [frame.name for frame in task.get_frames_info()]


def remote(client: Client, folder: Path, *, address: str, sources: list[str]) -> list[str]:
    """Files that the server fetches."""
    resources = [f"{address}/{Path(path).name}" for path in sources]
    task = client.tasks.create_from_data(spec(), resources, resource_type=ResourceType.REMOTE)
    compare(task, [Path(path) for path in sources], folder)
    return [frame.name for frame in task.get_frames_info()]


def without_pictures(client: Client, folder: Path) -> list[str]:
    """What people are told."""
    (folder / "a.png").write_bytes(b"no picture")
    with refused() as failed:
        client.tasks.create_from_data(spec(), [folder / "a.png"])
    task = client.tasks.create(spec())
    with refused(400) as empty:
        task.upload_data([])
    return failed + empty
