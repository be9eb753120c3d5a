from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from frameyard.task.v1 import job_pb2
from frameyard.task.v1.job_pb2 import (
    JOB_STAGE_ACCEPTANCE,
    JOB_STAGE_ANNOTATION,
    JOB_STAGE_VALIDATION,
    JOB_STATE_COMPLETED,
    JOB_STATE_IN_PROGRESS,
    JOB_STATE_NEW,
    JOB_STATE_REJECTED,
    JOB_STATUS_ANNOTATION,
    JOB_STATUS_COMPLETED,
    JOB_STATUS_VALIDATION,
)
from yard.task.domain import progress
from yard.task.domain.progress import Counts, JobChanges
from yard.task.domain.rows import Job

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def job(**fields: Any) -> Job:
    present: dict[str, Any] = {
        "id": 1,
        "task_id": 1,
        "segment": 0,
        "first_frame": 0,
        "last_frame": 9,
        "assignee_id": None,
        "reviewer_id": None,
        "stage": JOB_STAGE_ANNOTATION,
        "state": JOB_STATE_NEW,
        "status": JOB_STATUS_ANNOTATION,
        "started_at": None,
        "work_s": 0.0,
        "active_at": None,
        "revision": 0,
        "created_at": START,
        "updated_at": START,
    }
    return Job(**{**present, **fields})


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("stage", "state", "status"),
    [
        (JOB_STAGE_ANNOTATION, JOB_STATE_NEW, JOB_STATUS_ANNOTATION),
        (JOB_STAGE_ANNOTATION, JOB_STATE_COMPLETED, JOB_STATUS_ANNOTATION),
        (JOB_STAGE_VALIDATION, JOB_STATE_NEW, JOB_STATUS_VALIDATION),
        (JOB_STAGE_VALIDATION, JOB_STATE_COMPLETED, JOB_STATUS_VALIDATION),
        (JOB_STAGE_ACCEPTANCE, JOB_STATE_IN_PROGRESS, JOB_STATUS_VALIDATION),
        (JOB_STAGE_ACCEPTANCE, JOB_STATE_REJECTED, JOB_STATUS_VALIDATION),
        (JOB_STAGE_ACCEPTANCE, JOB_STATE_COMPLETED, JOB_STATUS_COMPLETED),
    ],
)
def test_status_of_a_job(
    stage: job_pb2.JobStage.ValueType, state: job_pb2.JobState.ValueType, status: int
) -> None:
    assert progress.status_of(stage, state) == status


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        (Counts(), JOB_STATUS_ANNOTATION),
        (Counts(total=3, annotation=1, completed=2), JOB_STATUS_ANNOTATION),
        (Counts(total=3, validation=1, completed=2), JOB_STATUS_VALIDATION),
        (Counts(total=3, completed=3), JOB_STATUS_COMPLETED),
    ],
)
def test_status_of_a_task(counts: Counts, status: int) -> None:
    assert counts.status == status


def test_gaps_shorter_than_ten_minutes_are_work() -> None:
    present = job()
    for minutes in (0, 3, 12.9, 22.9, 30):  # gaps of 3, 9.9, 10 and 7.1 minutes
        present = progress.active(present, after(minutes))
    assert present.work_s == pytest.approx((3 + 9.9 + 7.1) * 60)
    assert present.active_at == after(30)


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    present = progress.active(job(active_at=after(5), work_s=60.0), after(4))
    assert (present.work_s, present.active_at) == (60.0, after(4))


def test_a_save_starts_the_job_and_counts_a_revision() -> None:
    first = progress.saved(job(), after(1))
    assert (first.revision, first.started_at, first.active_at) == (1, after(1), after(1))
    second = progress.saved(first, after(4))
    assert (second.revision, second.started_at, second.work_s) == (2, after(1), 180.0)
    assert second.updated_at == after(4)


def test_a_job_starts_when_its_state_leaves_new() -> None:
    begun = progress.changed(job(), JobChanges(state=JOB_STATE_IN_PROGRESS), after(1))
    assert (begun.started_at, begun.state) == (after(1), JOB_STATE_IN_PROGRESS)
    assigned = progress.changed(job(), JobChanges(assignee_id=5), after(1))
    assert (assigned.started_at, assigned.active_at, assigned.assignee_id) == (None, None, 5)


def test_a_new_stage_without_a_state_is_new() -> None:
    done = job(state=JOB_STATE_COMPLETED, started_at=START)
    moved = progress.changed(done, JobChanges(stage=JOB_STAGE_VALIDATION), after(1))
    assert (moved.stage, moved.state, moved.status) == (
        JOB_STAGE_VALIDATION,
        JOB_STATE_NEW,
        JOB_STATUS_VALIDATION,
    )
    same = progress.changed(done, JobChanges(stage=JOB_STAGE_ANNOTATION), after(1))
    assert same == done


def test_the_clock_stops_at_completed_and_goes_on_when_reopened() -> None:
    present = job(stage=JOB_STAGE_ACCEPTANCE, status=JOB_STATUS_VALIDATION, active_at=START)
    completed = progress.changed(present, JobChanges(state=JOB_STATE_COMPLETED), after(2))
    assert (completed.status, completed.work_s, completed.active_at) == (JOB_STATUS_COMPLETED, 120.0, None)
    assert progress.active(completed, after(3)).work_s == 120.0
    assert progress.saved(completed, after(4)).work_s == 120.0
    reopened = progress.changed(completed, JobChanges(stage=JOB_STAGE_ANNOTATION), after(5))
    assert (reopened.work_s, reopened.active_at) == (120.0, after(5))
    reopened = progress.active(reopened, after(6))
    assert progress.active(reopened, after(8)).work_s == 300.0


def test_the_id_zero_is_nobody() -> None:
    present = job(assignee_id=5, reviewer_id=6)
    freed = progress.changed(present, JobChanges(assignee_id=0), after(1))
    assert (freed.assignee_id, freed.reviewer_id) == (None, 6)
    assert progress.changed_fields(present, freed) == ["assignee"]
    assert progress.changed(present, JobChanges(), after(1)) == present


def test_changed_fields_are_those_that_differ() -> None:
    before = job()
    changed = replace(before, stage=JOB_STAGE_VALIDATION, reviewer_id=3, updated_at=after(1))
    assert progress.changed_fields(before, changed) == ["reviewer", "stage"]
