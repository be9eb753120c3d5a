"""Projects: making, reading, changing, hiding."""

from dataclasses import replace

from frameyard.task.v1 import job_pb2
from frameyard.task.v1 import project_service_pb2 as messages
from frameyard.task.v1.task_events_pb2 import ProjectCreated, ProjectDeleted, ProjectUpdated
from google.protobuf.message import Message
from yard.runtime import auth, clock, errors, idempotency
from yard.runtime.db import Transaction
from yard.runtime.work import Work
from yard.task.domain import labels as label_rules
from yard.task.domain import requests, rights
from yard.task.domain.rows import Project
from yard.task.handlers import ownership, pages, people
from yard.task.handlers.access import changeable_project, readable_project, visible_to
from yard.task.handlers.context import HIDE_TASKS, Tasks
from yard.task.handlers.messages import project_to_proto, show_deletion
from yard.task.handlers.removal import hide_task
from yard.task.store import Reader, deletion, label_changes, project_views
from yard.task.store import projects as store
from yard.task.store.filters import Filter

CHANGEABLE = ("name", "assignee", "issue_tracker", "owner")
HIDDEN_AT_ONCE = 50
_ORDERS = {
    messages.PROJECT_ORDER_UNSPECIFIED: project_views.ORDERS["id"].reversed(),
    messages.PROJECT_ORDER_OLDEST_FIRST: project_views.ORDERS["id"],
    messages.PROJECT_ORDER_NAME: project_views.ORDERS["name"],
    messages.PROJECT_ORDER_LAST_CHANGED_FIRST: project_views.ORDERS["last_changed"],
}
_ENUMS = {"order": messages.ProjectOrder, "status": job_pb2.JobStatus}
_PARTS = ("name_contains", "owner_contains", "assignee_contains")


async def create_project(
    tasks: Tasks, request: messages.CreateProjectRequest
) -> messages.CreateProjectResponse:
    """Makes a project with labels, once for each request id."""
    ownership.check_may_create("projects", request.owner_id)
    errors.refuse(
        [
            *requests.name_violations(request.name),
            *requests.issue_tracker_violations(request.issue_tracker),
            *label_rules.new_violations(request.labels),
            *await people.violations(tasks.db, {"assignee_id": request.assignee_id}),
            *await ownership.violations(tasks.db, "owner_id", request.owner_id),
        ]
    )
    async with tasks.db.transaction() as tx:
        return await idempotency.once(
            tx,
            request.request_id,
            request,
            messages.CreateProjectResponse,
            lambda: _insert(tx, request),
        )


async def get_project(tasks: Tasks, request: messages.GetProjectRequest) -> messages.GetProjectResponse:
    """Reads a project."""
    await readable_project(tasks.db, request.id)
    return messages.GetProjectResponse(project=project_to_proto(await _view(tasks.db, request.id)))


async def list_projects(tasks: Tasks, request: messages.ListProjectsRequest) -> messages.ListProjectsResponse:
    """One page, in the order that is asked for."""
    fields = project_views.FIELDS
    found_wrong = pages.violations(request, enums=_ENUMS, parts=_PARTS)
    errors.refuse([*found_wrong, *pages.filter_violations(request, fields)])
    search = _search(request, await pages.filter_of(tasks.db, request, fields))
    found = await pages.listed(
        tasks.db,
        request,
        pages.order_of(request, _ORDERS, fields),
        lambda tx, page: project_views.page(tx, search, page),
        lambda tx: project_views.count(tx, search),
    )
    response = messages.ListProjectsResponse(
        projects=map(project_to_proto, found.rows),
        next_page_token=found.next_page_token,
        total_size=found.total,
    )
    for shown, view in zip(response.projects, found.rows, strict=True):
        show_deletion(shown, view.deleted_at, tasks.purge_after)
    return response


async def update_project(
    tasks: Tasks, request: messages.UpdateProjectRequest
) -> messages.UpdateProjectResponse:
    """Changes the masked fields."""
    _check_may_give_away(await changeable_project(tasks.db, request.project.id), request)
    paths = frozenset(request.update_mask.paths)
    errors.refuse(await _violations(tasks, request))
    async with tasks.db.transaction() as tx:
        before = await changeable_project(tx, request.project.id, lock="UPDATE")
        _check_may_give_away(before, request)
        after = _changed(before, request, paths)
        if after != before:
            await store.update(tx, replace(after, updated_at=clock.now()))
            names = [name for name in CHANGEABLE if _field(before, name) != _field(after, name)]
            user_id = auth.current().user_id
            event = ProjectUpdated(project_id=before.id, changed_fields=names, user_id=user_id)
            await _emit(tx, event, before.id)
        return messages.UpdateProjectResponse(project=project_to_proto(await _view(tx, before.id)))


async def delete_project(
    tasks: Tasks, request: messages.DeleteProjectRequest
) -> messages.DeleteProjectResponse:
    """Hides a project, and with it its tasks, whose work is ended behind the answer."""
    async with tasks.db.transaction() as tx:
        await deletion.hold_project(tx, request.id)
        await deletion.forget_deleted_with(tx, request.id)
        project = await readable_project(tx, request.id, lock="UPDATE")
        if not rights.may_delete_project(auth.current(), project):
            raise errors.PermissionDenied(f"project {request.id} is deleted by its owner")
        now = clock.now()
        await store.hide(tx, project.id, now)
        deleted = ProjectDeleted(project_id=project.id, user_id=auth.current().user_id)
        await _emit(tx, deleted, project.id)
        await tx.enqueue(deleted, kind=HIDE_TASKS, unique=f"{HIDE_TASKS}/{project.id}/{now.isoformat()}")
    return messages.DeleteProjectResponse()


async def hide_tasks(tasks: Tasks, work: Work[ProjectDeleted]) -> None:
    """Ends the work of all tasks of a hidden project, some at a time, and tells it; not if it is back."""
    project_id = work.message.project_id
    while True:
        async with work.transaction() as tx:
            await deletion.hold_project(tx, project_id)
            if not await deletion.is_project_hidden(tx, project_id):
                return
            ids = await deletion.tasks_to_hide(tx, project_id, HIDDEN_AT_ONCE)
            for task_id in ids:
                await hide_task(tasks, tx, task_id, user_id=work.message.user_id, with_project=True)
        if len(ids) < HIDDEN_AT_ONCE:
            return


def _search(request: messages.ListProjectsRequest, condition: Filter | None) -> project_views.Search:
    return project_views.Search(
        user_id=visible_to(deleted=request.deleted),
        deleted=request.deleted,
        name_contains=request.name_contains,
        owner_id=request.owner_id,
        assignee_id=request.assignee_id,
        status=request.status,
        owner_contains=request.owner_contains,
        assignee_contains=request.assignee_contains,
        filter=condition,
    )


async def _insert(tx: Transaction, request: messages.CreateProjectRequest) -> messages.CreateProjectResponse:
    await people.note_caller(tx)
    owner_id = ownership.owner_of(request.owner_id)
    project_id = await store.insert(
        tx,
        name=request.name,
        owner_id=owner_id,
        assignee_id=request.assignee_id or None,
        issue_tracker=request.issue_tracker,
    )
    labels = label_rules.colored(map(label_rules.label_from, request.labels))
    await label_changes.insert(tx, label_changes.Owner(project_id=project_id), labels)
    await _emit(tx, ProjectCreated(project_id=project_id, name=request.name, owner_id=owner_id), project_id)
    return messages.CreateProjectResponse(project=project_to_proto(await _view(tx, project_id)))


async def _violations(tasks: Tasks, request: messages.UpdateProjectRequest) -> list[errors.Violation]:
    project, paths = request.project, request.update_mask.paths
    found = [*requests.mask_violations(paths, CHANGEABLE)]
    if "name" in paths:
        found += requests.name_violations(project.name, "project.name")
    if "issue_tracker" in paths:
        found += requests.issue_tracker_violations(project.issue_tracker, "project.issue_tracker")
    if "assignee" in paths:
        found += await people.violations(tasks.db, {"project.assignee": project.assignee.id})
    if "owner" in paths:
        found += await ownership.new_owner_violations(tasks.db, "project.owner", project.owner.id)
    return found


def _check_may_give_away(project: Project, request: messages.UpdateProjectRequest) -> None:
    may = rights.may_give_away_project(auth.current(), project)
    ownership.check_may_give_away(project, request.update_mask.paths, may=may)


def _changed(project: Project, request: messages.UpdateProjectRequest, paths: frozenset[str]) -> Project:
    wanted = request.project
    return replace(
        project,
        name=wanted.name if "name" in paths else project.name,
        owner_id=wanted.owner.id if "owner" in paths else project.owner_id,
        assignee_id=(wanted.assignee.id or None) if "assignee" in paths else project.assignee_id,
        issue_tracker=wanted.issue_tracker if "issue_tracker" in paths else project.issue_tracker,
    )


def _field(project: Project, name: str) -> object:
    return getattr(project, f"{name}_id" if name in ("owner", "assignee") else name)


async def _view(reader: Reader, project_id: int) -> store.ProjectView:
    return await store.view_of(reader, project_id)


async def _emit(tx: Transaction, event: Message, project_id: int) -> None:
    await tx.emit(event, key=str(project_id))
