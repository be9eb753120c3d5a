"""Tasks: one with its labels, and pages of many."""

from frameyard.task.v1 import job_pb2, task_pb2
from frameyard.task.v1 import task_service_pb2 as messages
from yard.runtime import auth, errors
from yard.task.domain import requests, rights
from yard.task.handlers import pages
from yard.task.handlers.access import visible_to
from yard.task.handlers.context import Tasks
from yard.task.handlers.messages import show_deletion, task_to_proto
from yard.task.store import Reader
from yard.task.store import task_views as store
from yard.task.store.filters import Filter
from yard.task.store.task_views import Search, TaskView

_ORDERS = {
    messages.TASK_ORDER_UNSPECIFIED: store.ORDERS["id"].reversed(),
    messages.TASK_ORDER_OLDEST_FIRST: store.ORDERS["id"],
    messages.TASK_ORDER_NAME: store.ORDERS["name"],
    messages.TASK_ORDER_LAST_CHANGED_FIRST: store.ORDERS["last_changed"],
    messages.TASK_ORDER_OWNER: store.ORDERS["owner"],
    messages.TASK_ORDER_ASSIGNEE: store.ORDERS["assignee"],
    messages.TASK_ORDER_STATUS: store.ORDERS["status"],
    messages.TASK_ORDER_PROJECT: store.ORDERS["project"],
}
_ENUMS = {
    "order": messages.TaskOrder,
    "status": job_pb2.JobStatus,
    "mode": task_pb2.TaskMode,
    "sync_status": task_pb2.SyncStatus,
}
_PARTS = ("name_contains", "owner_contains", "assignee_contains", "project_contains")


async def get_task(tasks: Tasks, request: messages.GetTaskRequest) -> messages.GetTaskResponse:
    """Reads a task, in one statement."""
    principal = auth.current()
    view = await store.view_of(tasks.db, request.id, principal.user_id)
    if view is None or not (rights.sees_whole_task(principal, view.task) or view.is_worked_on):
        raise errors.NotFound("task", request.id)
    return messages.GetTaskResponse(task=_shown(tasks, view))


async def list_tasks(tasks: Tasks, request: messages.ListTasksRequest) -> messages.ListTasksResponse:
    """One page, in the order that is asked for."""
    errors.refuse(_violations(request))
    search = _search(request, await pages.filter_of(tasks.db, request, store.FIELDS))
    found = await pages.listed(
        tasks.db,
        request,
        pages.order_of(request, _ORDERS, store.FIELDS),
        lambda tx, page: store.page(tx, search, page),
        lambda tx: store.count(tx, search),
    )
    return messages.ListTasksResponse(
        tasks=[_shown(tasks, view) for view in found.rows],
        next_page_token=found.next_page_token,
        total_size=found.total,
    )


async def shown_task(tasks: Tasks, reader: Reader, task_id: int) -> task_pb2.Task:
    """A task that the caller may see, as answers show it."""
    view = await store.view_of(reader, task_id, auth.current().user_id)
    if view is None:
        raise errors.NotFound("task", task_id)
    return _shown(tasks, view)


def _shown(tasks: Tasks, view: TaskView) -> task_pb2.Task:
    operation_id = view.task.media_operation
    shown = task_to_proto(view, "" if operation_id is None else tasks.operations.name(operation_id))
    show_deletion(shown, view.deleted_at, tasks.purge_after)
    return shown


def _violations(request: messages.ListTasksRequest) -> list[errors.Violation]:
    found = pages.violations(request, enums=_ENUMS, parts=_PARTS)
    found += pages.filter_violations(request, store.FIELDS)
    found += requests.subset_violations(request.subset)
    if len(request.issue_tracker_contains) > requests.LONGEST_URL:
        longest = f"must have at most {requests.LONGEST_URL} characters"
        found.append(errors.Violation("issue_tracker_contains", longest))
    return found


def _search(request: messages.ListTasksRequest, condition: Filter | None) -> Search:
    return Search(
        user_id=visible_to(deleted=request.deleted),
        deleted=request.deleted,
        name_contains=request.name_contains,
        project_id=request.project_id,
        owner_id=request.owner_id,
        assignee_id=request.assignee_id,
        status=request.status,
        mode=request.mode,
        sync_status=request.sync_status,
        issue_tracker_contains=request.issue_tracker_contains,
        subset=request.subset,
        owner_contains=request.owner_contains,
        assignee_contains=request.assignee_contains,
        project_contains=request.project_contains,
        filter=condition,
    )
