"""Tasks: one with its labels, and pages of many."""

from datetime import datetime

from frameyard.task.v1 import job_pb2, task_pb2
from frameyard.task.v1 import task_service_pb2 as messages
from yard.runtime import auth, errors, paging
from yard.task.domain import requests, rights
from yard.task.handlers import positions
from yard.task.handlers.context import Tasks
from yard.task.handlers.messages import task_to_proto
from yard.task.store import Reader
from yard.task.store import task_views as store
from yard.task.store.task_views import Order, Search, TaskView

_ORDERS: dict[int, Order] = {
    messages.TASK_ORDER_UNSPECIFIED: "newest",
    messages.TASK_ORDER_OLDEST_FIRST: "oldest",
    messages.TASK_ORDER_NAME: "name",
    messages.TASK_ORDER_LAST_CHANGED_FIRST: "last_changed",
}


async def get_task(tasks: Tasks, request: messages.GetTaskRequest) -> messages.GetTaskResponse:
    """Reads a task, in one statement."""
    principal = auth.current()
    view = await store.view_of(tasks.db, request.id, principal.user_id)
    if view is None or not (rights.sees_whole_task(principal, view.task) or view.is_worked_on):
        raise errors.NotFound("task", request.id)
    return messages.GetTaskResponse(task=_shown(tasks, view))


async def list_tasks(tasks: Tasks, request: messages.ListTasksRequest) -> messages.ListTasksResponse:
    """One page, in the order that is asked for."""
    size = paging.size(request.page_size)
    requests.refuse(_violations(request))
    order = _ORDERS[request.order]
    found = await store.page(tasks.db, _search(request, order, size + 1))
    token = paging.encode(_position(found[size - 1], order), request) if len(found) > size else ""
    return messages.ListTasksResponse(
        tasks=[_shown(tasks, view) for view in found[:size]], next_page_token=token
    )


async def shown_task(tasks: Tasks, reader: Reader, task_id: int) -> task_pb2.Task:
    """A task that the caller may see, as answers show it."""
    view = await store.view_of(reader, task_id, auth.current().user_id)
    if view is None:
        raise errors.NotFound("task", task_id)
    return _shown(tasks, view)


def _shown(tasks: Tasks, view: TaskView) -> task_pb2.Task:
    operation_id = view.task.media_operation
    return task_to_proto(view, "" if operation_id is None else tasks.operations.name(operation_id))


def _violations(request: messages.ListTasksRequest) -> list[errors.Violation]:
    found = list(requests.search_violations(request.name_contains))
    if request.order not in _ORDERS:
        found.append(errors.Violation("order", f"is no order: {request.order}"))
    if request.status not in job_pb2.JobStatus.values():
        found.append(errors.Violation("status", f"is no status: {request.status}"))
    if request.mode not in task_pb2.TaskMode.values():
        found.append(errors.Violation("mode", f"is no mode: {request.mode}"))
    return found


def _search(request: messages.ListTasksRequest, order: Order, limit: int) -> Search:
    principal = auth.current()
    after = _after(request, order)
    return Search(
        user_id=None if rights.sees_everything(principal) else principal.user_id,
        order=order,
        name_contains=request.name_contains,
        project_id=request.project_id,
        owner_id=request.owner_id,
        assignee_id=request.assignee_id,
        status=request.status,
        mode=request.mode,
        limit=limit,
        after_id=after[0],
        after_key=after[1],
    )


def _after(request: messages.ListTasksRequest, order: Order) -> tuple[int | None, str | datetime | None]:
    token = request.page_token
    if order == "name":
        return positions.after_key(token, request) or (None, None)
    if order == "last_changed":
        return positions.after_moment(token, request) or (None, None)
    return positions.after_id(token, request), None


def _position(view: TaskView, order: Order) -> list[str | int]:
    """The sort key of a task, by which its page is followed by the next."""
    if order == "name":
        return [view.task.id, requests.name_key(view.task.name)]
    if order == "last_changed":
        return [view.task.id, view.task.updated_at.isoformat()]
    return [view.task.id]
