"""Tasks, and who answers for them."""

from dataclasses import dataclass

from frameyard.task.v1.project_service_pb2 import GetProjectRequest
from frameyard.task.v1.task_pb2 import Task
from frameyard.task.v1.task_service_pb2 import GetTaskRequest
from yard.repo_sync.sources.channels import Channels
from yard.runtime import errors
from yard.runtime.rpc import translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A task; `owners` may change its repository, `staff` (they too) may push and read."""

    task: Task
    owners: frozenset[int]
    staff: frozenset[int]


async def task_for_caller(channels: Channels, authorization: str, task_id: int) -> Owned:
    """The task, read in the name of the caller: NotFound unless the caller has to do with it."""
    with translated():
        request = GetTaskRequest(id=task_id)
        metadata = (("authorization", authorization),)
        answer = await channels.tasks_for_caller.GetTask(request, metadata=metadata)
    return await _owned(channels, answer.task)


async def task_of(channels: Channels, task_id: int) -> Owned:
    """The task, read as the service itself; NotFound if it is gone or deleted."""
    with translated():
        answer = await channels.tasks.GetTask(GetTaskRequest(id=task_id))
    return await _owned(channels, answer.task)


async def _owned(channels: Channels, task: Task) -> Owned:
    owners, staff = {task.owner.id}, {task.owner.id, task.assignee.id}
    if task.project_id:
        try:
            with translated():
                answer = await channels.projects.GetProject(GetProjectRequest(id=task.project_id))
        except errors.NotFound:
            raise errors.NotFound("task", task.id) from None
        owners.add(answer.project.owner.id)
        staff |= {answer.project.owner.id, answer.project.assignee.id}
    return Owned(task=task, owners=frozenset(owners - {0}), staff=frozenset(staff - {0}))
