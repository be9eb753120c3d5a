"""Deleted tasks and projects brought back, as long as nothing of them is gone for good."""

from datetime import datetime

from frameyard.task.v1 import project_service_pb2, task_service_pb2
from frameyard.task.v1.task_events_pb2 import ProjectUndeleted, TaskUndeleted
from yard.runtime import auth, clock, errors
from yard.runtime.db import Transaction
from yard.task.domain import rights
from yard.task.domain.rows import Task
from yard.task.handlers import progress
from yard.task.handlers.access import readable_project, readable_task
from yard.task.handlers.context import Tasks
from yard.task.handlers.messages import project_to_proto
from yard.task.handlers.reading import shown_task
from yard.task.handlers.removal import hide_task
from yard.task.store import deletion
from yard.task.store import projects as project_store
from yard.task.store import tasks as task_store


async def undelete_task(
    tasks: Tasks, request: task_service_pb2.UndeleteTaskRequest
) -> task_service_pb2.UndeleteTaskResponse:
    """Shows a task again, and its project if that is hidden; one that is not deleted stays as it is."""
    async with tasks.db.transaction() as tx:
        task = await _task_to_bring_back(tx, request.id)
        if task.project_id is not None:
            await deletion.hold_project(tx, task.project_id)
        await _bring_back(tx, task.id, _oldest(tasks))
        if task.project_id is not None and await deletion.is_project_hidden(tx, task.project_id):
            await _hide_others(tasks, tx, task)
            await _bring_back_project(tx, task.project_id, _oldest(tasks))
        return task_service_pb2.UndeleteTaskResponse(task=await shown_task(tasks, tx, task.id))


async def undelete_project(
    tasks: Tasks, request: project_service_pb2.UndeleteProjectRequest
) -> project_service_pb2.UndeleteProjectResponse:
    """Shows a project again with the tasks that went with it, not those that were deleted before it."""
    async with tasks.db.transaction() as tx:
        await _check_may_bring_back_project(tx, request.id)
        await deletion.hold_project(tx, request.id)
        for task_id in await deletion.tasks_deleted_with(tx, request.id):
            await _bring_back(tx, task_id, _oldest(tasks))
        if await deletion.is_project_hidden(tx, request.id):
            await _bring_back_project(tx, request.id, _oldest(tasks))
        view = await project_store.view_of(tx, request.id)
        return project_service_pb2.UndeleteProjectResponse(project=project_to_proto(view))


async def _task_to_bring_back(tx: Transaction, task_id: int) -> Task:
    """The task, if it is the caller's to delete; hidden tasks of others are as absent as ever."""
    task = await task_store.task_of_any(tx, task_id)
    if task is not None and rights.may_delete_task(auth.current(), task):
        return task
    await readable_task(tx, task_id)
    raise errors.PermissionDenied(f"task {task_id} is brought back by its owner")


async def _check_may_bring_back_project(tx: Transaction, project_id: int) -> None:
    project = await deletion.project_of_any(tx, project_id)
    if project is not None and rights.may_delete_project(auth.current(), project):
        return
    await readable_project(tx, project_id)
    raise errors.PermissionDenied(f"project {project_id} is brought back by its owner")


async def _bring_back(tx: Transaction, task_id: int, oldest: datetime) -> None:
    """Shows a task, counts it and tells it; NotFound if its time is over."""
    if not await deletion.show_task(tx, task_id, oldest):
        if await deletion.is_task_hidden(tx, task_id):
            raise errors.NotFound("task", task_id)
        return
    task = await task_store.task_of_any(tx, task_id)
    assert task is not None
    undeleted = TaskUndeleted(task_id=task_id, media_id=str(task.media_id or ""))
    await tx.emit(undeleted, key=str(task_id))
    await progress.task_came(tx, task_id)


async def _bring_back_project(tx: Transaction, project_id: int, oldest: datetime) -> None:
    if not await deletion.show_project(tx, project_id, oldest):
        raise errors.NotFound("project", project_id)
    await tx.emit(ProjectUndeleted(project_id=project_id), key=str(project_id))


async def _hide_others(tasks: Tasks, tx: Transaction, task: Task) -> None:
    """Does at once what the deletion of the project has not come to yet: the other tasks stay deleted."""
    assert task.project_id is not None
    for task_id in await deletion.tasks_to_hide(tx, task.project_id):
        if task_id != task.id:
            await hide_task(tasks, tx, task_id, user_id=auth.current().user_id, with_project=True)


def _oldest(tasks: Tasks) -> datetime:
    """What was deleted before then is gone, or may be any moment."""
    return clock.now() - tasks.purge_after
