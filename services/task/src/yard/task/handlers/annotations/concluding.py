"""The end of every save: revisions, history, and the news of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from frameyard.annotation.v1.annotation_events_pb2 import AnnotationsChanged
from yard.runtime import auth
from yard.runtime.db import Transaction
from yard.task.domain.annotation_plans import Counts
from yard.task.domain.history import Kept
from yard.task.domain.rows import Job
from yard.task.handlers.annotations.scopes import Scope
from yard.task.handlers.context import Tasks
from yard.task.handlers.history.limits import limits_of
from yard.task.store import history
from yard.task.store import jobs as job_store
from yard.task.store.annotations import writing
from yard.task.store.history import Saved

if TYPE_CHECKING:
    from frameyard.annotation.v1.history_service_pb2 import RevisionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a save has done to one job, and what its history keeps of it."""

    counts: Counts
    kept: Kept


async def conclude(
    tasks: Tasks,
    tx: Transaction,
    scope: Scope,
    done: Mapping[int, Done],
    *,
    kind: RevisionKind.ValueType,
    restored: int = 0,
) -> int:
    """Notes what was done to the locked jobs of the scope; returns its revision after that."""
    task_id = scope.task.id
    saved = {job.id: await job_store.record_save(tx, job) for job in scope.jobs if job.id in done}
    saves = [_saved(job, done[job.id], kind, restored) for job in saved.values()]
    await history.record(tx, saves, limits_of(tasks.settings))
    # Saving locks the task's row: from here on the sum is the task's until we are done.
    task_revision = await writing.revision_of(tx, task_id)
    for job in saved.values():
        await tx.emit(_event(job, done[job.id].counts, task_revision), key=str(task_id))
    return sum(saved.get(job.id, job).revision for job in scope.jobs)


def _saved(job: Job, done: Done, kind: RevisionKind.ValueType, restored: int) -> Saved:
    return Saved(
        task_id=job.task_id,
        job_id=job.id,
        number=job.revision,
        kind=kind,
        user_id=auth.current().user_id,
        created=done.counts.created,
        updated=done.counts.updated,
        deleted=done.counts.deleted,
        kept=done.kept,
        restored=restored,
    )


def _event(job: Job, counts: Counts, task_revision: int) -> AnnotationsChanged:
    return AnnotationsChanged(
        task_id=job.task_id,
        job_id=job.id,
        revision=job.revision,
        task_revision=task_revision,
        user_id=auth.current().user_id,
        created=counts.created,
        updated=counts.updated,
        deleted=counts.deleted,
    )
