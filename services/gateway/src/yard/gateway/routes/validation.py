"""Frames that are annotated to compare others with: there are none, and clients are told so."""

from typing import Any, Final

from fastapi import APIRouter, Response
from pydantic import BaseModel
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Problem
from yard.gateway.edge.seeing import JobId, TaskId
from yard.gateway.upstream.tasks import get_job, get_task
from yard.runtime import errors

router = APIRouter(tags=["validation"])

_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    501: {"description": "There are no ground truth jobs and no honeypots."}
}


class JobLayout(BaseModel):
    """Which frames of a job are honeypots: none."""

    honeypot_count: int = 0
    honeypot_frames: list[int] = []
    honeypot_real_frames: list[int] = []


class TaskLayout(JobLayout):
    """How a task is validated: without such frames, so that it has no mode."""

    mode: None = None
    validation_frames: list[int] = []
    disabled_frames: list[int] = []


@router.get("/tasks/{task_id}/validation_layout")
async def read_layout_of_task(caller: Calling, task_id: TaskId) -> TaskLayout:
    """Tells that a task has no frames to compare others with."""
    await get_task(caller, task_id)
    return TaskLayout()


@router.get("/jobs/{job_id}/validation_layout")
async def read_layout_of_job(caller: Calling, job_id: JobId) -> JobLayout:
    """Tells that a job has no honeypots."""
    await get_job(caller, job_id)
    return JobLayout()


@router.patch(
    "/tasks/{task_id}/validation_layout", status_code=501, response_model=Problem, responses=_REFUSED
)
async def change_layout_of_task(caller: Calling, task_id: TaskId) -> Response:
    """Refuses: there is nothing to change."""
    await get_task(caller, task_id)
    raise errors.Unimplemented("there are no ground truth jobs and no honeypots")


@router.patch("/jobs/{job_id}/validation_layout", status_code=501, response_model=Problem, responses=_REFUSED)
async def change_layout_of_job(caller: Calling, job_id: JobId) -> Response:
    """Refuses: there is nothing to change."""
    await get_job(caller, job_id)
    raise errors.Unimplemented("there are no ground truth jobs and no honeypots")
