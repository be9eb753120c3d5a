"""Tasks."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Response
from frameyard.task.v1 import task_pb2, task_service_pb2
from yard.gateway.cvat.faults import OF_TASKS, told
from yard.gateway.cvat.fields import TASKS
from yard.gateway.cvat.labels import label_changes, new_labels
from yard.gateway.cvat.queries import TaskQuery, asked
from yard.gateway.cvat.tasks import TaskRead, TaskWrite, task_changes, task_read, violations
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Page, Paged
from yard.gateway.edge.seeing import TaskId
from yard.gateway.upstream.caller import Caller
from yard.gateway.upstream.labels import LabelChanges, change_labels
from yard.gateway.upstream.tasks import get_task
from yard.runtime import errors

router = APIRouter(prefix="/tasks", tags=["tasks"])


@router.post("", status_code=201)
async def create_task(caller: Calling, body: Annotated[TaskWrite, Body()]) -> TaskRead:
    """Makes a task without media; what it is to hold is uploaded after."""
    faults = violations(body, is_new=True)
    labels = new_labels(body.labels or [], faults)
    errors.refuse(faults)
    request = task_service_pb2.CreateTaskRequest(
        name=body.name or "",
        project_id=body.project_id or 0,
        labels=labels,
        assignee_id=body.assignee_id or 0,
        owner_id=body.owner_id or 0,
        issue_tracker=body.bug_tracker or "",
        subset=body.subset or "",
        segment_size=body.segment_size or None,
        overlap=body.overlap,
    )
    with told(OF_TASKS):
        answer = await caller.call(caller.services.tasks.CreateTask, request)
    return task_read(answer.task, caller.base_url)


@router.get("")
async def list_tasks(caller: Calling, paging: Paged, query: Annotated[TaskQuery, Query()]) -> Page[TaskRead]:
    """Lists tasks, newest first."""
    request = task_service_pb2.ListTasksRequest(
        page_size=paging.size,
        skip=paging.skip,
        with_total_size=True,
        project_id=query.project_id or 0,
        **asked(query, TASKS, aside={"project_id"}),
    )
    answer = await caller.call(caller.services.tasks.ListTasks, request)
    return paging.page([task_read(task, caller.base_url) for task in answer.tasks], answer.total_size)


@router.get("/{task_id}")
async def read_task(caller: Calling, task_id: TaskId) -> TaskRead:
    """Reads a task."""
    return task_read(await get_task(caller, task_id), caller.base_url)


@router.patch("/{task_id}")
async def change_task(caller: Calling, task_id: TaskId, body: Annotated[TaskWrite, Body()]) -> TaskRead:
    """Changes a task: name, people, labels, project; what is not given stays."""
    task = await get_task(caller, task_id)
    faults = violations(body)
    changes = LabelChanges()
    if body.labels and task.project_id:
        faults.append(errors.Violation("labels", "are those of the task's project, and changed there"))
    else:
        changes = label_changes(body.labels or [], task.labels, faults)
    errors.refuse(faults)
    fields = task_changes(task_id, body)
    move = _move(task, body)
    with told(OF_TASKS):
        if sum((fields is not None, bool(body.labels), move is not None)) > 1:
            await _check(caller, task_id, changes if body.labels else None, move)
        if fields is not None:
            await caller.call(caller.services.tasks.UpdateTask, fields)
        if body.labels:
            await change_labels(caller, changes, task_id=task_id)
        if move is not None:
            await caller.call(caller.services.tasks.MoveTask, move)
    return task_read(await get_task(caller, task_id), caller.base_url)


@router.delete("/{task_id}", status_code=204)
async def delete_task(caller: Calling, task_id: TaskId) -> Response:
    """Deletes a task; its owner can bring it back for 30 days."""
    await caller.call(caller.services.tasks.DeleteTask, task_service_pb2.DeleteTaskRequest(id=task_id))
    return Response(status_code=204)


def _move(task: task_pb2.Task, body: TaskWrite) -> task_service_pb2.MoveTaskRequest | None:
    """What takes the task to another project, or out of any; None if it is there or not asked for."""
    project_id = body.project_id or 0
    if "project_id" not in body.model_fields_set or project_id == task.project_id:
        return None
    return task_service_pb2.MoveTaskRequest(id=task.id, project_id=project_id)


async def _check(
    caller: Caller,
    task_id: int,
    labels: LabelChanges | None,
    move: task_service_pb2.MoveTaskRequest | None,
) -> None:
    """Of several changes none is made if one of the later ones cannot be."""
    if labels is not None:
        await change_labels(caller, labels, task_id=task_id, only_check=True)
    if move is not None:
        trial = task_service_pb2.MoveTaskRequest(id=move.id, project_id=move.project_id, validate_only=True)
        await caller.call(caller.services.tasks.MoveTask, trial)
