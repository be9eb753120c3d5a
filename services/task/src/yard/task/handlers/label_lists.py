"""Labels by themselves: one, and pages of many."""

from dataclasses import replace

from frameyard.task.v1 import label_service_pb2 as messages
from yard.runtime import errors
from yard.task.handlers import pages
from yard.task.handlers.access import readable_job, readable_project, readable_task, visible_to
from yard.task.handlers.context import Tasks
from yard.task.handlers.messages import label_to_proto
from yard.task.store import label_views as store
from yard.task.store.label_views import LabelView, Search

_PARTS = ("name_contains",)


async def get_label(tasks: Tasks, request: messages.GetLabelRequest) -> messages.GetLabelResponse:
    """Reads a label, for who sees its task or project."""
    view = await store.view_of(tasks.db, request.id)
    if view is None:
        raise errors.NotFound("label", request.id)
    try:
        if view.task_id is not None:
            await readable_task(tasks.db, view.task_id)
        elif view.project_id is not None:
            await readable_project(tasks.db, view.project_id)
    except errors.NotFound:
        raise errors.NotFound("label", request.id) from None
    return messages.GetLabelResponse(label=_to_proto(view))


async def list_labels(tasks: Tasks, request: messages.ListLabelsRequest) -> messages.ListLabelsResponse:
    """One page by id; NotFound for an owner that the caller does not see."""
    errors.refuse([*pages.violations(request, parts=_PARTS), *pages.filter_violations(request, store.FIELDS)])
    condition = await pages.filter_of(tasks.db, request, store.FIELDS)
    search = replace(await _search(tasks, request), filter=condition)
    found = await pages.listed(
        tasks.db,
        request,
        pages.sorted_or(request, store.FIELDS, store.BY_ID),
        lambda tx, page: store.page(tx, search, page),
        lambda tx: store.count(tx, search),
    )
    return messages.ListLabelsResponse(
        labels=map(_to_proto, found.rows), next_page_token=found.next_page_token, total_size=found.total
    )


async def _search(tasks: Tasks, request: messages.ListLabelsRequest) -> Search:
    part = request.name_contains
    owner = request.WhichOneof("owner")
    if owner is None:
        return Search(user_id=visible_to(), name_contains=part)
    if owner == "project_id":
        project = await readable_project(tasks.db, request.project_id)
        return Search(project_id=project.id, name_contains=part)
    if owner == "job_id":
        _, task = await readable_job(tasks.db, request.job_id)
    else:
        task = await readable_task(tasks.db, request.task_id)
    if task.project_id is not None:
        return Search(project_id=task.project_id, name_contains=part)
    return Search(task_id=task.id, name_contains=part)


def _to_proto(view: LabelView) -> messages.OwnedLabel:
    return messages.OwnedLabel(
        label=label_to_proto(view.label), task_id=view.task_id or 0, project_id=view.project_id or 0
    )
