"""Status of jobs and tasks, and the time that was worked on a job."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from frameyard.task.v1 import job_pb2
from yard.task.domain.rows import Job

LONGEST_GAP: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Jobs by status."""

    total: int = 0
    annotation: int = 0
    validation: int = 0
    completed: int = 0

    @property
    def status(self) -> job_pb2.JobStatus.ValueType:
        """Status of the task that has these jobs; annotation while it has none."""
        if self.annotation or not self.total:
            return job_pb2.JOB_STATUS_ANNOTATION
        return job_pb2.JOB_STATUS_VALIDATION if self.validation else job_pb2.JOB_STATUS_COMPLETED

    def __neg__(self) -> Counts:
        """What undoes them where they are added."""
        return Counts(
            total=-self.total,
            annotation=-self.annotation,
            validation=-self.validation,
            completed=-self.completed,
        )


def status_of(
    stage: job_pb2.JobStage.ValueType, state: job_pb2.JobState.ValueType
) -> job_pb2.JobStatus.ValueType:
    """Status of a job."""
    if stage == job_pb2.JOB_STAGE_ANNOTATION:
        return job_pb2.JOB_STATUS_ANNOTATION
    is_completed = stage == job_pb2.JOB_STAGE_ACCEPTANCE and state == job_pb2.JOB_STATE_COMPLETED
    return job_pb2.JOB_STATUS_COMPLETED if is_completed else job_pb2.JOB_STATUS_VALIDATION


def difference(before: Job, after: Job) -> Counts:
    """What a job that moves from one status to another changes in the numbers."""

    def change(status: int) -> int:
        return (after.status == status) - (before.status == status)

    return Counts(
        annotation=change(job_pb2.JOB_STATUS_ANNOTATION),
        validation=change(job_pb2.JOB_STATUS_VALIDATION),
        completed=change(job_pb2.JOB_STATUS_COMPLETED),
    )


def active(job: Job, now: datetime) -> Job:
    """The job after a sign of activity: a gap shorter than 10 minutes since the last one was work.

    The clock of a completed job stands still.
    """
    if job.status == job_pb2.JOB_STATUS_COMPLETED:
        return replace(job, active_at=None)
    gap = timedelta(0) if job.active_at is None else now - job.active_at
    worked = gap if timedelta(0) < gap < LONGEST_GAP else timedelta(0)
    return replace(job, active_at=now, work_s=job.work_s + worked.total_seconds())


def saved(job: Job, now: datetime) -> Job:
    """The job after its annotations were changed."""
    return replace(
        active(job, now),
        revision=job.revision + 1,
        started_at=job.started_at or now,
        updated_at=now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChanges:
    """New values of a job; None leaves one as it is, the id 0 stands for nobody."""

    assignee_id: int | None = None
    reviewer_id: int | None = None
    stage: job_pb2.JobStage.ValueType | None = None
    state: job_pb2.JobState.ValueType | None = None


def changed(job: Job, changes: JobChanges, now: datetime) -> Job:
    """The job after a change; a new stage without a state begins with the state new."""
    stage = job.stage if changes.stage is None else changes.stage
    state = job.state if changes.state is None else changes.state
    if changes.state is None and stage != job.stage:
        state = job_pb2.JOB_STATE_NEW
    after = replace(
        job,
        assignee_id=_person(changes.assignee_id, job.assignee_id),
        reviewer_id=_person(changes.reviewer_id, job.reviewer_id),
        stage=stage,
        state=state,
    )
    if (stage, state) != (job.stage, job.state):
        after = _moved(after, now)
    return after if after == job else replace(after, updated_at=now)


def changed_fields(before: Job, after: Job) -> list[str]:
    """What differs, by the names of the API."""
    names = {"assignee": "assignee_id", "reviewer": "reviewer_id", "stage": "stage", "state": "state"}
    return [name for name, field in names.items() if getattr(before, field) != getattr(after, field)]


def _person(wanted: int | None, present: int | None) -> int | None:
    return present if wanted is None else (wanted or None)


def _moved(job: Job, now: datetime) -> Job:
    """A job that has stage and state already, but not yet what follows from them."""
    worked = active(job, now)
    status = status_of(job.stage, job.state)
    has_begun = job.state != job_pb2.JOB_STATE_NEW
    return replace(
        worked,
        status=status,
        started_at=job.started_at or (now if has_begun else None),
        # Reopening is a sign of activity too, with which the clock goes on.
        active_at=None if status == job_pb2.JOB_STATUS_COMPLETED else now,
    )
