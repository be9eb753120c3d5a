"""Media that is made as people make it: sent, attached to a task, indexed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from frameyard.media.v1 import media_pb2, upload_service_pb2_grpc
from frameyard.media.v1 import upload_service_pb2 as uploads
from frameyard.task.v1 import task_service_pb2 as tasks
from frameyard.task.v1 import task_service_pb2_grpc
from yard.media.hard_clips import make_clip
from yard.media.synthetic import make_demo_video
from yard.testkit import eventually

from tests.rights.people import PEOPLE
from tests.rights.platform import Platform

FRAMES: Final = 20
FILM_FRAMES: Final = 600
_PIECE: Final = 1 << 20


async def bring_media(platform: Platform, folder: Path) -> None:
    """A clip, and a film that takes seconds to be built, for it is one chunk."""
    platform.media = await _bring(platform, make_clip("b_frames", folder, frames=FRAMES), chunk_size=10)
    film = make_demo_video(folder / "film.mp4", FILM_FRAMES // 30, (960, 540))
    platform.film = await _bring(platform, film, chunk_size=FILM_FRAMES)


async def _bring(platform: Platform, path: Path, **data: Any) -> str:
    source = media_pb2.MediaSource(upload=media_pb2.UploadSource(upload_id=await _send(platform, path)))
    stub = task_service_pb2_grpc.TaskServiceStub(platform.channel("task", PEOPLE["task_owner"]))
    made = await stub.CreateTask(tasks.CreateTaskRequest(name=path.stem))
    spec = media_pb2.DataSpec(sources=[source], use_cache=True, use_zip_chunks=True, **data)
    await stub.AttachMedia(tasks.AttachMediaRequest(task_id=made.task.id, data=spec))

    async def media_id() -> str:
        task = (await stub.GetTask(tasks.GetTaskRequest(id=made.task.id))).task
        assert task.media_state == media_pb2.MEDIA_STATE_READY
        assert await platform.db("chunking").fetchval(
            "SELECT true FROM media_plan WHERE id = $1", task.media_id
        )
        return task.media_id

    return await eventually(media_id, timeout_s=60)


async def _send(platform: Platform, path: Path) -> str:
    content = path.read_bytes()
    stub = upload_service_pb2_grpc.UploadServiceStub(platform.channel("media_ingest", PEOPLE["task_owner"]))
    file = uploads.NewUploadFile(name=path.name, size_bytes=len(content))
    upload = (await stub.CreateUpload(uploads.CreateUploadRequest(files=[file]))).upload
    await stub.UploadFile(_messages(upload.id, content))
    await stub.FinishUpload(uploads.FinishUploadRequest(id=upload.id))
    return upload.id


def _messages(upload_id: str, content: bytes) -> Iterator[uploads.UploadFileRequest]:
    yield uploads.UploadFileRequest(header=uploads.UploadFileHeader(upload_id=upload_id))
    for start in range(0, len(content), _PIECE):
        yield uploads.UploadFileRequest(content=content[start : start + _PIECE])
