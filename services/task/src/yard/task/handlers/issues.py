"""Issues of jobs: opening, reading, changing, deleting."""

from dataclasses import replace

from frameyard.task.v1 import issue_pb2
from frameyard.task.v1 import issue_service_pb2 as messages
from frameyard.task.v1.issue_events_pb2 import CommentChange, IssueCreated, IssueDeleted, IssueUpdated
from yard.runtime import auth, errors, idempotency
from yard.runtime.db import Transaction
from yard.task.domain import issues as rules
from yard.task.domain import requests
from yard.task.domain.issues import Issue
from yard.task.domain.rows import Job, Task
from yard.task.handlers import pages, people
from yard.task.handlers.access import readable_job, visible_to
from yard.task.handlers.context import Tasks
from yard.task.handlers.issue_messages import issue_to_proto
from yard.task.store import Reader, issue_views
from yard.task.store import issues as store

CHANGEABLE = ("assignee", "position", "resolved")
COMMENTS_SHOWN = 100


async def create_issue(tasks: Tasks, request: messages.CreateIssueRequest) -> messages.CreateIssueResponse:
    """Opens an issue, once for each request id."""
    job, _ = await readable_job(tasks.db, request.job_id)
    check_is_person()
    errors.refuse(
        [
            *rules.frame_violations(request.frame, job),
            *rules.position_violations(request.position),
            *rules.message_violations(request.message),
            *await people.violations(tasks.db, {"assignee_id": request.assignee_id}),
        ]
    )
    async with tasks.db.transaction() as tx:
        return await idempotency.once(
            tx, request.request_id, request, messages.CreateIssueResponse, lambda: _insert(tx, request)
        )


async def get_issue(tasks: Tasks, request: messages.GetIssueRequest) -> messages.GetIssueResponse:
    """Reads an issue with its first comments."""
    await readable_issue(tasks.db, request.id)
    return messages.GetIssueResponse(issue=await shown(tasks.db, request.id))


async def list_issues(tasks: Tasks, request: messages.ListIssuesRequest) -> messages.ListIssuesResponse:
    """One page, newest first."""
    fields = issue_views.FIELDS
    errors.refuse([*pages.violations(request), *pages.filter_violations(request, fields)])
    search = issue_views.Search(
        user_id=visible_to(),
        job_id=request.job_id,
        task_id=request.task_id,
        resolved=request.resolved if request.HasField("resolved") else None,
        assignee_id=request.assignee_id,
        filter=await pages.filter_of(tasks.db, request, fields),
    )
    found = await pages.listed(
        tasks.db,
        request,
        pages.sorted_or(request, fields, issue_views.NEWEST_FIRST),
        lambda tx, page: issue_views.page(tx, search, page),
        lambda tx: issue_views.count(tx, search),
    )
    firsts = await store.first_comments(tasks.db, [view.issue.id for view in found.rows])
    return messages.ListIssuesResponse(
        issues=[
            issue_to_proto(view, [firsts[view.issue.id]] if view.issue.id in firsts else [])
            for view in found.rows
        ],
        next_page_token=found.next_page_token,
        total_size=found.total,
    )


async def update_issue(tasks: Tasks, request: messages.UpdateIssueRequest) -> messages.UpdateIssueResponse:
    """Changes the masked fields."""
    _check_may_change(*await readable_issue(tasks.db, request.issue.id))
    errors.refuse(await _violations(tasks, request))
    async with tasks.db.transaction() as tx:
        await store.lock(tx, request.issue.id)
        issue, job, task = await readable_issue(tx, request.issue.id)
        _check_may_change(issue, job, task)
        after = _changed(issue, request)
        names = [name for name in CHANGEABLE if _field(issue, name) != _field(after, name)]
        if names:
            await store.update(tx, after)
            await tell_changed(tx, issue, names)
        return messages.UpdateIssueResponse(issue=await shown(tx, issue.id))


async def delete_issue(tasks: Tasks, request: messages.DeleteIssueRequest) -> messages.DeleteIssueResponse:
    """Deletes an issue with its comments."""
    async with tasks.db.transaction() as tx:
        await store.lock(tx, request.id)
        issue, _, task = await readable_issue(tx, request.id)
        if not rules.may_delete(auth.current(), issue, task):
            raise errors.PermissionDenied(
                f"issue {issue.id} is deleted by its owner and by whoever answers for its task"
            )
        await store.delete(tx, issue.id)
        user_id = auth.current().user_id
        gone = IssueDeleted(issue_id=issue.id, job_id=issue.job_id, task_id=issue.task_id, user_id=user_id)
        await tx.emit(gone, key=str(issue.task_id))
    return messages.DeleteIssueResponse()


def check_is_person() -> None:
    """PermissionDenied for services, in whose name nothing is said."""
    if auth.current().is_service:
        raise errors.PermissionDenied("issues and comments are written by people")


async def readable_issue(reader: Reader, issue_id: int) -> tuple[Issue, Job, Task]:
    """The issue with its job and task, if the caller sees the job; NotFound otherwise."""
    view = await store.view_of(reader, issue_id)
    if view is None:
        raise errors.NotFound("issue", issue_id)
    try:
        return view.issue, *await readable_job(reader, view.issue.job_id)
    except errors.NotFound:
        raise errors.NotFound("issue", issue_id) from None


async def shown(reader: Reader, issue_id: int) -> issue_pb2.Issue:
    """An issue that exists, with its first comments."""
    view = await store.view_of(reader, issue_id)
    assert view is not None
    return issue_to_proto(view, await store.comments_of(reader, issue_id, 0, COMMENTS_SHOWN))


async def tell_changed(
    tx: Transaction,
    issue: Issue,
    names: list[str],
    comment: issue_pb2.Comment | None = None,
    change: CommentChange.ValueType = CommentChange.COMMENT_CHANGE_UNSPECIFIED,
) -> None:
    """Tells that fields of an issue, or a comment of it, are others now."""
    view = await store.view_of(tx, issue.id)
    assert view is not None
    changed = IssueUpdated(
        issue=issue_to_proto(view, []),
        changed_fields=names,
        user_id=auth.current().user_id,
        comment=comment,
        comment_change=change,
    )
    await tx.emit(changed, key=str(issue.task_id))


async def _insert(tx: Transaction, request: messages.CreateIssueRequest) -> messages.CreateIssueResponse:
    job, task = await readable_job(tx, request.job_id)
    await people.note_caller(tx)
    user_id = auth.current().user_id
    issue_id = await store.insert(
        tx,
        task_id=task.id,
        job_id=job.id,
        frame=request.frame,
        position=request.position,
        owner_id=user_id,
        assignee_id=request.assignee_id or None,
    )
    await store.insert_comment(tx, issue_id, user_id, request.message)
    issue = await shown(tx, issue_id)
    await tx.emit(IssueCreated(issue=issue), key=str(task.id))
    return messages.CreateIssueResponse(issue=issue)


def _check_may_change(issue: Issue, job: Job, task: Task) -> None:
    if not rules.may_change(auth.current(), issue, job, task):
        raise errors.PermissionDenied(f"issue {issue.id} is not yours to change")


async def _violations(tasks: Tasks, request: messages.UpdateIssueRequest) -> list[errors.Violation]:
    issue, paths = request.issue, request.update_mask.paths
    found = list(requests.mask_violations(paths, CHANGEABLE))
    if "position" in paths:
        found += rules.position_violations(issue.position, "issue.position")
    if "assignee" in paths:
        found += await people.violations(tasks.db, {"issue.assignee": issue.assignee.id})
    return found


def _changed(issue: Issue, request: messages.UpdateIssueRequest) -> Issue:
    wanted, paths = request.issue, request.update_mask.paths
    return replace(
        issue,
        assignee_id=(wanted.assignee.id or None) if "assignee" in paths else issue.assignee_id,
        position=[*wanted.position] if "position" in paths else issue.position,
        resolved=wanted.resolved if "resolved" in paths else issue.resolved,
    )


def _field(issue: Issue, name: str) -> object:
    return issue.assignee_id if name == "assignee" else getattr(issue, name)
