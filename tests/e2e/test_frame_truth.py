"""Whatever the source is like, every way to a frame shows the frame's own number."""

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frameyard.chunk.v1 import chunk_service_pb2 as chunks
from frameyard.media.v1 import media_pb2
from frameyard.task.v1 import task_pb2, task_service_pb2
from PIL import Image
from yard.client import Client, uploads
from yard.client.media import ready_task, upload_and_attach
from yard.client.pixels import Pixels
from yard.embedded.demo.pictures import pictures_of_mp4, pictures_of_zip
from yard.media import hard_clips, synthetic

SELECTIONS: tuple[tuple[dict[str, int], range], ...] = (
    ({}, range(hard_clips.FRAMES)),
    (
        {"start_frame": 3, "stop_frame": hard_clips.FRAMES - 3, "frame_step": 4},
        range(3, hard_clips.FRAMES - 2, 4),
    ),
)


async def task_with(client: Client, path: Path, **data: Any) -> task_pb2.Task:
    request = task_service_pb2.CreateTaskRequest(name=path.name)
    task = (await client.call(client.tasks.CreateTask, request)).task
    spec = media_pb2.DataSpec(chunk_size=7, **data)
    operation = await upload_and_attach(client, task.id, uploads.local_files([path]), spec)
    return await ready_task(client, operation)


async def numbers_of_chunks(pixels: Pixels, count: int, form: media_pb2.ChunkFormat.ValueType) -> list[int]:
    """The numbers that the pictures of all chunks show, in order, inside the size that the header tells."""
    shown: list[int] = []
    for number in range(count):
        with tempfile.TemporaryFile() as file:
            header = (await pixels.chunk(number, file, form=form)).header
            file.seek(0)
            pictures = (pictures_of_mp4 if form == media_pb2.CHUNK_FORMAT_MP4 else pictures_of_zip)(file)
            shown += [synthetic.read(picture[: header.height, : header.width]) for picture in pictures]
    return shown


def shown_in(content: bytes) -> int:
    return synthetic.read(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))


@pytest.mark.parametrize("selection", SELECTIONS, ids=["all", "stepped"])
@pytest.mark.parametrize("name", hard_clips.HARD_CLIPS)
async def test_every_way_to_a_frame_shows_its_number(
    client: Client, tmp_path: Path, name: str, selection: tuple[dict[str, int], range]
) -> None:
    data, expected = selection
    task = await task_with(client, hard_clips.make_clip(name, tmp_path), **data)
    assert task.size == len(expected)
    pixels = Pixels(client, task_id=task.id)
    count = -(-task.size // task.data.chunk_size)

    for form in (media_pb2.CHUNK_FORMAT_ZIP, media_pb2.CHUNK_FORMAT_MP4):
        assert await numbers_of_chunks(pixels, count, form) == list(expected)
    frames = [await pixels.frame(frame) for frame in range(task.size)]
    assert [shown_in(frame.content) for frame in frames] == list(expected)
    assert {(frame.width, frame.height) for frame in frames} == {(task.width, task.height)}
    originals = [await pixels.frame(frame, quality=chunks.QUALITY_ORIGINAL) for frame in range(task.size)]
    assert [shown_in(frame.content) for frame in originals] == list(expected)
    previews = [await pixels.preview(frame) for frame in range(task.size)]
    assert [shown_in(preview.content) for preview in previews] == list(expected)
    assert max(max(preview.width, preview.height) for preview in previews) <= 256
