"""Tasks: making, planning, changing."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.task.v1 import task_pb2
from frameyard.task.v1 import task_service_pb2 as messages
from frameyard.task.v1.task_events_pb2 import TaskCreated, TaskUpdated
from yard.runtime import auth, clock, errors, idempotency
from yard.runtime.db import Transaction
from yard.task.domain import labels as label_rules
from yard.task.domain import requests, rights, segments
from yard.task.domain.rows import Task
from yard.task.handlers import ownership, people, progress
from yard.task.handlers.access import changeable_task
from yard.task.handlers.context import Tasks
from yard.task.handlers.reading import shown_task
from yard.task.store import label_changes
from yard.task.store import tasks as store

CHANGEABLE = ("name", "assignee", "issue_tracker", "subset", "owner")


async def create_task(tasks: Tasks, request: messages.CreateTaskRequest) -> messages.CreateTaskResponse:
    """Makes a task without media, once for each request id."""
    ownership.check_may_create("tasks", request.owner_id)
    errors.refuse(await _new_violations(tasks, request))
    if request.validate_only:
        return await _tried(tasks, request)

    async def insert() -> messages.CreateTaskResponse:
        return await _insert(tasks, tx, request)

    async with tasks.db.transaction() as tx:
        return await idempotency.once(tx, request.request_id, request, messages.CreateTaskResponse, insert)


class _TakenBackError(Exception):
    """Ends the transaction of what was only tried."""


async def _tried(tasks: Tasks, request: messages.CreateTaskRequest) -> messages.CreateTaskResponse:
    """The task as it would be: it is made, and taken back."""
    answer = messages.CreateTaskResponse()
    with suppress(_TakenBackError):
        async with tasks.db.transaction() as tx:
            answer = await _insert(tasks, tx, request)
            raise _TakenBackError
    answer.task.id = 0
    for label in answer.task.labels:
        label.id = label.id if request.project_id else 0
        for attribute in label.attributes:
            attribute.id = attribute.id if request.project_id else 0
    if request.plan_size:
        answer.segments.extend(_plan_of(request).segments)
    return answer


def _plan_of(request: messages.CreateTaskRequest) -> messages.PlanSegmentsResponse:
    segment_size, overlap = _segmentation(request)
    return plan_segments(
        messages.PlanSegmentsRequest(
            size=request.plan_size, segment_size=segment_size, overlap=overlap, mode=request.plan_mode
        )
    )


def plan_segments(request: messages.PlanSegmentsRequest) -> messages.PlanSegmentsResponse:
    """The segments that a task would have."""
    segment_size, overlap = _segmentation(request)
    found = list(segments.violations(segment_size, overlap))
    if request.size < 1:
        found.append(errors.Violation("size", f"must be 1 or more, got {request.size}"))
    if request.mode not in task_pb2.TaskMode.values():
        found.append(errors.Violation("mode", f"is no mode: {request.mode}"))
    errors.refuse(found)
    plan = segments.plan(request.size, segment_size, overlap, request.mode)
    if wrong := segments.too_many(plan):
        raise errors.InvalidArgument(violations=[wrong])
    return messages.PlanSegmentsResponse(
        segments=[
            task_pb2.Segment(number=number, frames=FrameRange(first=first, last=last))
            for number, (first, last) in enumerate(plan.ranges())
        ],
        segment_size=plan.segment_size,
        overlap=plan.overlap,
    )


async def update_task(tasks: Tasks, request: messages.UpdateTaskRequest) -> messages.UpdateTaskResponse:
    """Changes the masked fields."""
    _check_may_give_away(await changeable_task(tasks.db, request.task.id), request)
    errors.refuse(await _violations(tasks, request))
    async with tasks.db.transaction() as tx:
        before = await changeable_task(tx, request.task.id, lock=True)
        _check_may_give_away(before, request)
        after = _changed(before, request.task, frozenset(request.update_mask.paths), clock.now())
        names = [name for name in CHANGEABLE if _field(before, name) != _field(after, name)]
        if names:
            await store.update(tx, after)
            user_id = auth.current().user_id
            event = TaskUpdated(task_id=before.id, changed_fields=names, user_id=user_id)
            await tx.emit(event, key=str(before.id))
        return messages.UpdateTaskResponse(task=await shown_task(tasks, tx, before.id))


async def _new_violations(tasks: Tasks, request: messages.CreateTaskRequest) -> list[errors.Violation]:
    found = [
        *requests.name_violations(request.name),
        *requests.issue_tracker_violations(request.issue_tracker),
        *requests.subset_violations(request.subset),
        *segments.violations(*_segmentation(request)),
        *label_rules.new_violations(request.labels),
        *await people.violations(tasks.db, {"assignee_id": request.assignee_id}),
        *await ownership.violations(tasks.db, "owner_id", request.owner_id),
    ]
    if request.HasField("repository"):
        found += requests.repository_violations(request.repository)
    if request.plan_size < 0:
        found.append(errors.Violation("plan_size", f"must be 0 or more, got {request.plan_size}"))
    if request.plan_mode not in task_pb2.TaskMode.values():
        found.append(errors.Violation("plan_mode", f"is no mode: {request.plan_mode}"))
    if request.project_id and request.labels:
        found.append(errors.Violation("labels", "a task of a project has the labels of the project"))
    return found


def _segmentation(
    request: messages.CreateTaskRequest | messages.PlanSegmentsRequest,
) -> tuple[int | None, int | None]:
    """Segment size and overlap, None where they are absent."""
    segment_size = request.segment_size if request.HasField("segment_size") else None
    return segment_size, request.overlap if request.HasField("overlap") else None


async def _insert(
    tasks: Tasks, tx: Transaction, request: messages.CreateTaskRequest
) -> messages.CreateTaskResponse:
    if request.project_id:
        # It stays as it is until the task is in it, and is counted up then.
        await ownership.check_may_bring(tx, request.project_id, request.owner_id)
    await people.note_caller(tx)
    task_id = await store.insert(tx, _new_task(request))
    labels = label_rules.colored(map(label_rules.label_from, request.labels))
    await label_changes.insert(tx, label_changes.Owner(task_id=task_id), labels)
    created = TaskCreated(
        task_id=task_id,
        name=request.name,
        project_id=request.project_id,
        owner_id=ownership.owner_of(request.owner_id),
        repository=request.repository if request.HasField("repository") else None,
    )
    await tx.emit(created, key=str(task_id))
    await progress.task_came(tx, task_id)
    return messages.CreateTaskResponse(task=await shown_task(tasks, tx, task_id))


def _new_task(request: messages.CreateTaskRequest) -> store.NewTask:
    segment_size, overlap = _segmentation(request)
    repository = request.repository
    has_repository = request.HasField("repository")
    return store.NewTask(
        name=request.name,
        project_id=request.project_id or None,
        owner_id=ownership.owner_of(request.owner_id),
        assignee_id=request.assignee_id or None,
        issue_tracker=request.issue_tracker,
        subset=request.subset,
        segment_size=segment_size,
        overlap=overlap,
        repository_location=repository.location.strip(),
        repository_use_lfs=repository.use_lfs,
        repository_format=repository.format,
        sync_status=(
            task_pb2.SYNC_STATUS_NOT_SYNCHRONIZED if has_repository else task_pb2.SYNC_STATUS_UNSPECIFIED
        ),
    )


async def _violations(tasks: Tasks, request: messages.UpdateTaskRequest) -> list[errors.Violation]:
    task, paths = request.task, request.update_mask.paths
    found = list(requests.mask_violations(paths, CHANGEABLE))
    if "name" in paths:
        found += requests.name_violations(task.name, "task.name")
    if "issue_tracker" in paths:
        found += requests.issue_tracker_violations(task.issue_tracker, "task.issue_tracker")
    if "subset" in paths:
        found += requests.subset_violations(task.subset, "task.subset")
    if "assignee" in paths:
        found += await people.violations(tasks.db, {"task.assignee": task.assignee.id})
    if "owner" in paths:
        found += await ownership.new_owner_violations(tasks.db, "task.owner", task.owner.id)
    return found


def _check_may_give_away(task: Task, request: messages.UpdateTaskRequest) -> None:
    may = rights.may_give_away_task(auth.current(), task)
    ownership.check_may_give_away(task, request.update_mask.paths, may=may)


def _changed(task: Task, wanted: task_pb2.Task, paths: frozenset[str], now: datetime) -> Task:
    return replace(
        task,
        name=wanted.name if "name" in paths else task.name,
        owner_id=wanted.owner.id if "owner" in paths else task.owner_id,
        assignee_id=(wanted.assignee.id or None) if "assignee" in paths else task.assignee_id,
        issue_tracker=wanted.issue_tracker if "issue_tracker" in paths else task.issue_tracker,
        subset=wanted.subset if "subset" in paths else task.subset,
        updated_at=now,
    )


def _field(task: Task, name: str) -> object:
    return getattr(task, f"{name}_id" if name in ("owner", "assignee") else name)
