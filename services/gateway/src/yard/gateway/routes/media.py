"""Pixels of tasks and jobs, and what is known of their frames.

Frame numbers are relative to the task, also those of jobs. A task's chunk n begins with frame n * chunk_size.
Of a job, `number` is a chunk of the task, cut to the job's frames, and `index` counts from its first frame.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from frameyard.annotation.v1 import annotation_service_pb2 as annotations
from frameyard.chunk.v1 import chunk_service_pb2 as chunks
from frameyard.common.v1.common_pb2 import FrameRange
from yard.gateway.cvat.meta import DataMeta, DataMetaWrite
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.metas import delete_frames, meta_answer
from yard.gateway.edge.pictures import chunk_answer, frame_answer, preview_answer
from yard.gateway.edge.seeing import JobId, JobSight, TaskId, TaskSight
from yard.gateway.upstream.caller import Caller
from yard.gateway.upstream.sights import Sight
from yard.runtime import errors

router = APIRouter(tags=["data"])

QUALITIES: Final = {"compressed": chunks.QUALITY_COMPRESSED, "original": chunks.QUALITY_ORIGINAL}

_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_PIXELS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The bytes.",
        "content": dict.fromkeys(("application/zip", "video/mp4", "image/jpeg", "image/png"), _BINARY),
    },
    206: {"description": "The asked range of a built chunk."},
    304: {"description": "The client has it."},
    307: {"description": "The chunk is at this address of the store."},
    416: {"description": "No such range."},
}
PREVIEW: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "A small picture.", "content": {"image/jpeg": _BINARY}},
    304: {"description": "The client has it."},
}


Pixels = Literal["chunk", "frame", "preview", "context_image"]
Quality = Literal["compressed", "original"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which pixels."""

    type: Pixels
    number: int | None
    index: int | None
    quality: Quality

    def needed_number(self) -> int:
        """The number; InvalidArgument without one."""
        if self.number is None:
            raise errors.invalid("number", f"is needed for a {self.type}")
        return self.number


async def _asked(
    type: Annotated[Pixels, Query(description="What to send.")],  # noqa: A002 - as clients name it
    number: Annotated[int | None, Query(ge=0, le=2**53, description="Number of the frame or chunk.")] = None,
    index: Annotated[int | None, Query(ge=0, le=2**53, description="Number of a job's own chunk.")] = None,
    quality: Annotated[Quality, Query(description="original: as it came, or lossless.")] = "compressed",
) -> Asked:
    return Asked(type, number, index, quality)


Asking = Annotated[Asked, Depends(_asked)]


@router.get("/tasks/{task_id}/data", response_class=Response, responses=_PIXELS)
async def read_task_data(request: Request, caller: Calling, sight: TaskSight, asked: Asking) -> Response:
    """Sends a frame or a chunk of a task."""
    return await _pixels(request, caller, sight, asked)


@router.get("/jobs/{job_id}/data", response_class=Response, responses=_PIXELS)
async def read_job_data(request: Request, caller: Calling, sight: JobSight, asked: Asking) -> Response:
    """Sends a frame or a chunk of a job."""
    return await _pixels(request, caller, sight, asked)


@router.get("/tasks/{task_id}/preview", response_class=Response, responses=PREVIEW)
async def read_task_preview(request: Request, caller: Calling, sight: TaskSight) -> Response:
    """Sends a small picture of a task's first frame."""
    return await preview_answer(request, caller, sight)


@router.get("/jobs/{job_id}/preview", response_class=Response, responses=PREVIEW)
async def read_job_preview(request: Request, caller: Calling, sight: JobSight) -> Response:
    """Sends a small picture of a job's first frame."""
    return await preview_answer(request, caller, sight)


@router.get("/tasks/{task_id}/data/meta", response_model=DataMeta)
async def read_task_meta(caller: Calling, sight: TaskSight, task_id: TaskId) -> Response:
    """Tells names and sizes of a task's frames, and which are deleted."""
    return await meta_answer(caller, sight, annotations.AnnotationTarget(task_id=task_id))


@router.get("/jobs/{job_id}/data/meta", response_model=DataMeta)
async def read_job_meta(caller: Calling, sight: JobSight, job_id: JobId) -> Response:
    """Tells names and sizes of a job's frames, and which are deleted."""
    return await meta_answer(caller, sight, annotations.AnnotationTarget(job_id=job_id))


@router.patch("/tasks/{task_id}/data/meta", response_model=DataMeta)
async def change_task_meta(
    caller: Calling, sight: TaskSight, task_id: TaskId, body: Annotated[DataMetaWrite, Body()]
) -> Response:
    """Sets which frames of a task are deleted."""
    target = annotations.AnnotationTarget(task_id=task_id)
    await delete_frames(caller, sight, target, body)
    return await meta_answer(caller, sight, target)


@router.patch("/jobs/{job_id}/data/meta", response_model=DataMeta)
async def change_job_meta(
    caller: Calling, sight: JobSight, job_id: JobId, body: Annotated[DataMetaWrite, Body()]
) -> Response:
    """Sets which frames of a job are deleted; those of other jobs stay as they are."""
    target = annotations.AnnotationTarget(job_id=job_id)
    await delete_frames(caller, sight, target, body)
    return await meta_answer(caller, sight, target)


async def _pixels(request: Request, caller: Caller, sight: Sight, asked: Asked) -> Response:
    quality = QUALITIES[asked.quality]
    if asked.type == "frame":
        return await frame_answer(request, caller, sight, asked.needed_number(), quality)
    if asked.type == "chunk":
        return await chunk_answer(request, caller, sight, _frames(sight, asked), quality)
    if asked.type == "preview":
        return await preview_answer(request, caller, sight)
    raise errors.NotFound("context image", asked.number, message="frames have no context images here")


def _frames(sight: Sight, asked: Asked) -> FrameRange:
    """The frames of a chunk that may be seen; OutOfRange if there are none."""
    size = sight.media.data.chunk_size
    if sight.is_job and asked.index is not None:
        first = sight.first + asked.index * size
    else:
        first = asked.needed_number() * size
    first, last = max(first, sight.first), min(first + size - 1, sight.last)
    if first > last:
        raise errors.OutOfRange(f"there are frames {sight.first} to {sight.last}, none of them in this chunk")
    return FrameRange(first=first, last=last)
