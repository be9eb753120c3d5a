"""Tasks, jobs and projects as they are now, read as the service itself."""

from collections.abc import AsyncIterator
from typing import Any, Final

from frameyard.task.v1.job_service_pb2 import GetJobRequest
from frameyard.task.v1.project_pb2 import Project
from frameyard.task.v1.project_service_pb2 import GetProjectRequest
from frameyard.task.v1.task_pb2 import Task
from frameyard.task.v1.task_service_pb2 import TASK_ORDER_OLDEST_FIRST, GetTaskRequest, ListTasksRequest
from yard.runtime import errors
from yard.runtime.rpc import translated
from yard.webhook.sources.channels import Channels
from yard.webhook.sources.shapes import job_json, project_json, task_json

PAGE: Final = 1_000


async def read(channels: Channels, kind: str, object_id: int) -> dict[str, Any] | None:
    """The object as deliveries show it; None if it is gone, or of a kind that events carry whole."""
    try:
        with translated():
            if kind == "task":
                return task_json((await channels.tasks.GetTask(GetTaskRequest(id=object_id))).task)
            if kind == "job":
                return job_json((await channels.jobs.GetJob(GetJobRequest(id=object_id))).job)
            if kind == "project":
                found = await channels.projects.GetProject(GetProjectRequest(id=object_id))
                return project_json(found.project)
    except errors.NotFound:
        pass
    return None


async def task_of(channels: Channels, task_id: int) -> Task | None:
    """A task that is there and not deleted."""
    try:
        with translated():
            return (await channels.tasks.GetTask(GetTaskRequest(id=task_id))).task
    except errors.NotFound:
        return None


async def project_of(channels: Channels, project_id: int) -> Project | None:
    """A project that is there and not deleted."""
    try:
        with translated():
            return (await channels.projects.GetProject(GetProjectRequest(id=project_id))).project
    except errors.NotFound:
        return None


async def tasks_in(channels: Channels, project_id: int) -> AsyncIterator[list[Task]]:
    """The tasks of a project, page by page."""
    token = ""
    while True:
        request = ListTasksRequest(
            project_id=project_id, order=TASK_ORDER_OLDEST_FIRST, page_size=PAGE, page_token=token
        )
        with translated():
            page = await channels.tasks.ListTasks(request)
        yield list(page.tasks)
        token = page.next_page_token
        if not token:
            return


async def project_for_caller(channels: Channels, authorization: str, project_id: int) -> Project:
    """The project, read in the name of the caller: NotFound unless the caller sees it."""
    metadata = (("authorization", authorization),)
    with translated():
        request = GetProjectRequest(id=project_id)
        answer = await channels.projects_for_caller.GetProject(request, metadata=metadata)
    return answer.project
