"""What the present caller may see of the media of a task or a job, from the path."""

from typing import Annotated

from fastapi import Depends, Path, Request
from yard.gateway.edge.callers import Calling
from yard.gateway.upstream.sights import Sight, Sights

TaskId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Id of the task.")]
JobId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Id of the job.")]


async def _of_task(request: Request, caller: Calling, task_id: TaskId) -> Sight:
    sights: Sights = request.app.state.sights
    return await sights.of(caller, task_id=task_id)


async def _of_job(request: Request, caller: Calling, job_id: JobId) -> Sight:
    sights: Sights = request.app.state.sights
    return await sights.of(caller, job_id=job_id)


TaskSight = Annotated[Sight, Depends(_of_task)]
JobSight = Annotated[Sight, Depends(_of_job)]
