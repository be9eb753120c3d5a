"""A task that goes into a project, out of it, or from one to another, and takes its objects along.

Locks are taken in the order labels, jobs, task, projects: that of saves, of changes of jobs, and of those of
labels. Whoever saves waits for the jobs, and finds other labels then.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from frameyard.annotation.v1.history_service_pb2 import REVISION_KIND_MOVE
from frameyard.task.v1 import task_service_pb2 as messages
from frameyard.task.v1.task_events_pb2 import TaskMoved, TaskUpdated
from yard.annotations.labels import Label
from yard.runtime import auth, errors
from yard.runtime.db import Transaction
from yard.task.domain import moves as rules
from yard.task.domain import rights
from yard.task.domain.moves import Matching
from yard.task.domain.rows import Task
from yard.task.handlers import progress
from yard.task.handlers.access import changeable_project, changeable_task
from yard.task.handlers.context import Tasks
from yard.task.handlers.reading import shown_task
from yard.task.store import Reader, label_changes
from yard.task.store import jobs as job_store
from yard.task.store import labels as label_store
from yard.task.store import moves as store
from yard.task.store import projects as project_store
from yard.task.store import tasks as task_store
from yard.task.store.annotations import reading, relabelling, usage
from yard.task.store.label_changes import Owner

# A task gets its jobs once, from its media.
TRIES: Final = 3


class _OutdatedError(Exception):
    """Jobs were made while the others were waited for."""


async def move_task(tasks: Tasks, request: messages.MoveTaskRequest) -> messages.MoveTaskResponse:
    """Moves a task, or tells what that would do; where it is already, nothing is done."""
    for _ in range(TRIES):
        await _movable(tasks.db, request)
        try:
            async with tasks.db.transaction() as tx:
                await (reading.hold_snapshot(tx) if request.validate_only else _lock(tx, request))
                return await _answer(tasks, tx, request)
        except _OutdatedError:
            continue
    raise errors.Conflict(f"task {request.id} is being given media", reason="TASK_CHANGED")


async def _movable(reader: Reader, request: messages.MoveTaskRequest) -> Task:
    """The task, if the caller may change it and make tasks where it is to go."""
    task = await changeable_task(reader, request.id)
    if request.project_id and request.project_id != task.project_id:
        await _check_may_bring(reader, request.project_id)
    return task


async def _check_may_bring(reader: Reader, project_id: int, *, lock: str = "") -> None:
    await changeable_project(reader, project_id, lock=lock)
    if not rights.may_create(auth.current()):
        raise errors.PermissionDenied("tasks are put into projects by users and administrators")


async def _lock(tx: Transaction, request: messages.MoveTaskRequest) -> None:
    """Keeps others from labels and annotations until the end, and the task where it is."""
    # Whoever moves the task begins with this.
    await label_changes.lock(tx, Owner(task_id=request.id))
    task = await _movable(tx, request)
    for project_id in sorted({id_ for id_ in (task.project_id, request.project_id) if id_}):
        await label_changes.lock(tx, Owner(project_id=project_id))
    await store.lock_labels(tx, task.id)
    jobs = await job_store.jobs_of_task(tx, task.id, lock=True)
    if (await task_store.numbers_of(tx, task.id)).jobs.total != len(jobs):
        raise _OutdatedError


async def _answer(
    tasks: Tasks, tx: Transaction, request: messages.MoveTaskRequest
) -> messages.MoveTaskResponse:
    task = await _movable(tx, request)
    if (task.project_id or 0) == request.project_id:
        return messages.MoveTaskResponse(task=await shown_task(tasks, tx, task.id))
    labels = await label_store.labels_of(tx, task)
    matching = await _matching(tx, task, labels, request)
    if not request.validate_only:
        if matching.misfits:
            raise rules.refusal(matching.misfits, request.project_id)
        await _move(tx, task, request.project_id or None, matching)
    return messages.MoveTaskResponse(
        task=await shown_task(tasks, tx, task.id),
        matches=[
            messages.LabelMatch(name=old.name, from_label_id=old.id, to_label_id=new.id)
            for old, new in matching.pairs
        ],
        misfits=[
            messages.LabelMisfit(
                label=misfit.label.name, attribute=misfit.attribute, description=misfit.description
            )
            for misfit in matching.misfits
        ],
        left_behind=matching.left_behind,
    )


async def _matching(
    tx: Transaction, task: Task, labels: list[Label], request: messages.MoveTaskRequest
) -> Matching:
    if not request.project_id:
        return rules.matched(labels, await _own_labels(tx, task, labels, request))
    matching = rules.matched(labels, await label_store.labels_of_project(tx, request.project_id))
    if matching.misfits and not await store.has_past(tx, task.id):
        unfit = matching.unfit
        matching = matching.without(set(unfit) - await relabelling.labels_in_use(tx, task.id, unfit))
    return matching


async def _own_labels(
    tx: Transaction, task: Task, labels: list[Label], request: messages.MoveTaskRequest
) -> list[Label]:
    """Copies of the labels for the task alone, without ids if they are not to be made."""
    if request.validate_only:
        return [_without_ids(label) for label in labels]
    await label_changes.insert(tx, Owner(task_id=task.id), labels)
    return await label_store.labels_of(tx, replace(task, project_id=None))


def _without_ids(label: Label) -> Label:
    return replace(label, id=0, attributes=tuple(replace(attribute, id=0) for attribute in label.attributes))


async def _move(tx: Transaction, task: Task, project_id: int | None, matching: Matching) -> None:
    """Rewrites objects and tells it; projects, in which others count, are locked as late as can be."""
    user_id = auth.current().user_id
    changed = await relabelling.relabel(tx, task.id, matching.label_ids, matching.attribute_ids)
    await store.note_succession(tx, task.id, matching.label_ids, matching.attribute_ids)
    if task.project_id is None:
        await store.delete_labels(tx, task.id)
    await usage.tell(tx, changed, user_id, REVISION_KIND_MOVE)
    await _hold_projects(tx, task, {id_ for id_ in (task.project_id, project_id) if id_ is not None})
    await store.put_into(tx, task.id, project_id)
    moved = TaskMoved(
        task_id=task.id,
        from_project_id=task.project_id or 0,
        to_project_id=project_id or 0,
        user_id=user_id,
    )
    await tx.emit(moved, key=str(task.id))
    names = ["project_id", "labels"]
    updated = TaskUpdated(task_id=task.id, changed_fields=names, user_id=user_id)
    await tx.emit(updated, key=str(task.id))
    await progress.task_moved(tx, task.id, task.project_id)


async def _hold_projects(tx: Transaction, task: Task, project_ids: Collection[int]) -> None:
    """Keeps projects from being hidden until the end; NotFound for what was hidden in the meantime."""
    for project_id in sorted(project_ids):
        if project_id != task.project_id:
            await _check_may_bring(tx, project_id, lock="NO KEY UPDATE")
        elif await project_store.project_of(tx, project_id, lock="NO KEY UPDATE") is None:
            raise errors.NotFound("task", task.id)
