"""Jobs: reading and changing."""

from frameyard.task.v1 import job_pb2
from frameyard.task.v1 import job_service_pb2 as messages
from frameyard.task.v1.task_events_pb2 import JobUpdated
from yard.runtime import auth, clock, errors
from yard.runtime.db import Transaction
from yard.task.domain import progress, requests, rights
from yard.task.domain.progress import JobChanges
from yard.task.domain.rows import Job, Task
from yard.task.handlers import pages, people
from yard.task.handlers import progress as task_progress
from yard.task.handlers.access import readable_job, visible_to
from yard.task.handlers.context import Tasks
from yard.task.handlers.messages import job_to_proto
from yard.task.store import job_views
from yard.task.store import jobs as store
from yard.task.store import tasks as task_store
from yard.task.store.filters import Filter

CHANGEABLE = ("assignee", "reviewer", "stage", "state")
_ORDERS = {
    messages.JOB_ORDER_UNSPECIFIED: job_views.ORDERS["id"],
    messages.JOB_ORDER_STATUS: job_views.ORDERS["status"],
    messages.JOB_ORDER_ASSIGNEE: job_views.ORDERS["assignee"],
    messages.JOB_ORDER_REVIEWER: job_views.ORDERS["reviewer"],
    messages.JOB_ORDER_LAST_CHANGED_FIRST: job_views.ORDERS["last_changed"],
}
_ENUMS = {
    "order": messages.JobOrder,
    "status": job_pb2.JobStatus,
    "stage": job_pb2.JobStage,
    "state": job_pb2.JobState,
}
_PARTS = ("assignee_contains", "reviewer_contains", "task_contains")


async def get_job(tasks: Tasks, request: messages.GetJobRequest) -> messages.GetJobResponse:
    """Reads a job."""
    await readable_job(tasks.db, request.id)
    return messages.GetJobResponse(job=job_to_proto(await job_views.view_of(tasks.db, request.id)))


async def list_jobs(tasks: Tasks, request: messages.ListJobsRequest) -> messages.ListJobsResponse:
    """One page, in the order that is asked for."""
    errors.refuse(_faults(request))
    search = _search(request, await pages.filter_of(tasks.db, request, job_views.FIELDS))
    found = await pages.listed(
        tasks.db,
        request,
        pages.order_of(request, _ORDERS, job_views.FIELDS),
        lambda tx, page: job_views.page(tx, search, page),
        lambda tx: job_views.count(tx, search),
    )
    return messages.ListJobsResponse(
        jobs=map(job_to_proto, found.rows), next_page_token=found.next_page_token, total_size=found.total
    )


async def update_job(tasks: Tasks, request: messages.UpdateJobRequest) -> messages.UpdateJobResponse:
    """Changes the masked fields; the numbers of the task follow in the same transaction."""
    paths = frozenset(request.update_mask.paths)
    _check_may_change(*await readable_job(tasks.db, request.job.id), paths)
    errors.refuse(await _violations(tasks, request))
    async with tasks.db.transaction() as tx:
        before, task = await readable_job(tx, request.job.id, lock=True)
        _check_may_change(before, task, paths)
        after = progress.changed(before, _changes(request.job, paths), clock.now())
        names = progress.changed_fields(before, after)
        if names:
            await store.update_job(tx, after)
            await _tell(tx, before, after, names)
        return messages.UpdateJobResponse(job=job_to_proto(await job_views.view_of(tx, before.id)))


def _faults(request: messages.ListJobsRequest) -> list[errors.Violation]:
    found = pages.violations(request, enums=_ENUMS, parts=_PARTS)
    found += pages.filter_violations(request, job_views.FIELDS)
    if request.unassigned and (request.assignee_id or request.assignee_contains):
        found.append(errors.Violation("unassigned", "leaves no assignee to look for"))
    if request.unreviewed and (request.reviewer_id or request.reviewer_contains):
        found.append(errors.Violation("unreviewed", "leaves no reviewer to look for"))
    return found


def _search(request: messages.ListJobsRequest, condition: Filter | None) -> job_views.Search:
    return job_views.Search(
        user_id=visible_to(),
        task_id=request.task_id,
        project_id=request.project_id,
        status=request.status,
        stage=request.stage,
        state=request.state,
        assignee_id=request.assignee_id,
        reviewer_id=request.reviewer_id,
        unassigned=request.unassigned,
        unreviewed=request.unreviewed,
        assignee_contains=request.assignee_contains,
        reviewer_contains=request.reviewer_contains,
        task_contains=request.task_contains,
        filter=condition,
    )


def _check_may_change(job: Job, task: Task, paths: frozenset[str]) -> None:
    principal = auth.current()
    if rights.may_assign(principal, task):
        return
    if paths - {"state"} or not rights.may_annotate(principal, task, job):
        raise errors.PermissionDenied(f"this is not yours to change in job {job.id}", reason="NOT_YOUR_TURN")


async def _violations(tasks: Tasks, request: messages.UpdateJobRequest) -> list[errors.Violation]:
    job, paths = request.job, request.update_mask.paths
    found = list(requests.mask_violations(paths, CHANGEABLE))
    if "stage" in paths and job.stage not in list(job_pb2.JobStage.values())[1:]:
        found.append(errors.Violation("job.stage", f"must be a stage, got {job.stage}"))
    if "state" in paths and job.state not in list(job_pb2.JobState.values())[1:]:
        found.append(errors.Violation("job.state", f"must be a state, got {job.state}"))
    given = {"job.assignee": job.assignee.id, "job.reviewer": job.reviewer.id}
    wanted = {field: id_ for field, id_ in given.items() if field.removeprefix("job.") in paths}
    return [*found, *await people.violations(tasks.db, wanted)]


def _changes(job: job_pb2.Job, paths: frozenset[str]) -> JobChanges:
    return JobChanges(
        assignee_id=job.assignee.id if "assignee" in paths else None,
        reviewer_id=job.reviewer.id if "reviewer" in paths else None,
        stage=job.stage if "stage" in paths else None,
        state=job.state if "state" in paths else None,
    )


async def _tell(tx: Transaction, before: Job, after: Job, names: list[str]) -> None:
    if before.status != after.status:
        # The task before its events, as saves have it, so that neither waits for the other.
        await task_store.numbers_of(tx, after.task_id)
    view = await job_views.view_of(tx, after.id)
    updated = JobUpdated(job=job_to_proto(view), changed_fields=names, user_id=auth.current().user_id)
    await tx.emit(updated, key=str(after.task_id))
    if before.status != after.status:
        await task_progress.jobs_changed(tx, after.task_id, progress.difference(before, after))
