"""Jobs."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Query, Response
from frameyard.task.v1 import job_service_pb2
from yard.gateway.cvat.faults import OF_JOBS, told
from yard.gateway.cvat.fields import JOBS
from yard.gateway.cvat.jobs import JobRead, JobWrite, job_changes, job_read
from yard.gateway.cvat.queries import JobQuery, asked
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Page, Paged, Problem
from yard.gateway.edge.seeing import JobId
from yard.gateway.upstream.tasks import get_job, get_task, tasks_by_id
from yard.runtime import errors

router = APIRouter(prefix="/jobs", tags=["jobs"])

_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    501: {"description": "A task has jobs for all of its frames, and no others."}
}


@router.get("")
async def list_jobs(caller: Calling, paging: Paged, query: Annotated[JobQuery, Query()]) -> Page[JobRead]:
    """Lists jobs, newest first."""
    request = job_service_pb2.ListJobsRequest(
        page_size=paging.size,
        skip=paging.skip,
        with_total_size=True,
        task_id=query.task_id or 0,
        project_id=query.project_id or 0,
        **asked(query, JOBS, aside={"task_id", "project_id"}),
    )
    answer = await caller.call(caller.services.jobs.ListJobs, request)
    tasks = await tasks_by_id(caller, (job.task_id for job in answer.jobs))
    jobs = [job_read(job, tasks[job.task_id], caller.base_url) for job in answer.jobs if job.task_id in tasks]
    return paging.page(jobs, answer.total_size)


@router.post("", status_code=501, response_model=Problem, responses=_REFUSED)
async def create_job(caller: Calling) -> Response:
    """Refuses: there are no jobs of chosen frames to compare others with."""
    raise errors.Unimplemented("jobs of type ground_truth are not supported")


@router.get("/{job_id}")
async def read_job(caller: Calling, job_id: JobId) -> JobRead:
    """Reads a job."""
    job = await get_job(caller, job_id)
    return job_read(job, await get_task(caller, job.task_id), caller.base_url)


@router.patch("/{job_id}")
async def change_job(caller: Calling, job_id: JobId, body: Annotated[JobWrite, Body()]) -> JobRead:
    """Changes stage, state or assignee; a new stage begins with the state new unless one is given."""
    changes = job_changes(job_id, body)
    if changes is None:
        job = await get_job(caller, job_id)
    else:
        with told(OF_JOBS):
            job = (await caller.call(caller.services.jobs.UpdateJob, changes)).job
    return job_read(job, await get_task(caller, job.task_id), caller.base_url)


@router.delete("/{job_id}", status_code=501, response_model=Problem, responses=_REFUSED)
async def delete_job(caller: Calling, job_id: JobId) -> Response:
    """Refuses: a task has jobs for all of its frames."""
    await get_job(caller, job_id)
    raise errors.Unimplemented("a job goes with its task only")
