"""What follows from working on a job: when it began, how long it took, and what is told of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import grpc
import pytest
from frameyard.annotation.v1 import annotation_service_pb2
from frameyard.annotation.v1.annotation_pb2 import AnnotationSet, Tag
from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.identity.v1 import identity_events_pb2
from frameyard.task.v1 import job_pb2, label_pb2, task_service_pb2
from frameyard.task.v1.job_pb2 import (
    JOB_STAGE_ACCEPTANCE,
    JOB_STAGE_ANNOTATION,
    JOB_STAGE_VALIDATION,
    JOB_STATE_COMPLETED,
    JOB_STATE_IN_PROGRESS,
    JOB_STATE_NEW,
    JOB_STATE_REJECTED,
    JOB_STATUS_COMPLETED,
    JOB_STATUS_VALIDATION,
)
from frameyard.task.v1.task_events_pb2 import JobUpdated, TaskProgressed
from hypothesis import given
from hypothesis import strategies as st
from yard.runtime import clock
from yard.task.domain import progress
from yard.testkit import eventually
from yard.testkit.refusals import wrong_fields

from services.task.tests.neighbours import CLEO, DORA, Client, Neighbours, Running, emitted
from services.task.tests.test_progress import START
from services.task.tests.test_progress import job as stored_job

TO_CLEO, TO_DORA = PersonRef(id=CLEO.user_id), PersonRef(id=DORA.user_id)
MINUTES = st.floats(min_value=0, max_value=60, allow_nan=False)


class Watch:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.time = datetime.fromtimestamp(int(clock.now().timestamp()), tz=clock.now().tzinfo)

    def now(self) -> datetime:
        return self.time

    def pass_(self, minutes: float) -> None:
        self.time += timedelta(minutes=minutes)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(clock, "now", made.now)
    return made


@pytest.fixture
async def job(ann: Client, neighbours: Neighbours) -> job_pb2.Job:
    """CLEO annotates it and DORA reviews it."""
    _, [job] = await neighbours.ready_task(ann, labels=[label_pb2.Label(name="car")])
    return await ann.update_job(job.id, assignee=TO_CLEO, reviewer=TO_DORA)


async def open_(client: Client, job: job_pb2.Job) -> None:
    await client.tasks.GetMediaGrant(task_service_pb2.GetMediaGrantRequest(job_id=job.id))


async def save(client: Client, job: job_pb2.Job) -> None:
    [label] = (await client.task(job.task_id)).labels
    await client.annotations.PutAnnotations(
        annotation_service_pb2.PutAnnotationsRequest(
            target=annotation_service_pb2.AnnotationTarget(job_id=job.id),
            annotations=AnnotationSet(tags=[Tag(frame=0, label_id=label.id)]),
        )
    )


def minutes(job: job_pb2.Job) -> float:
    return job.work_duration.ToMicroseconds() / 60e6


async def test_opening_saving_and_changing_the_state_are_work(
    cleo: Client, job: job_pb2.Job, watch: Watch
) -> None:
    await open_(cleo, job)
    assert not (await cleo.job(job.id)).HasField("start_time")
    watch.pass_(4)
    await save(cleo, job)
    began = watch.time
    watch.pass_(9.9)
    await open_(cleo, job)
    watch.pass_(10)
    await save(cleo, job)  # a break: ten minutes are no work any more
    watch.pass_(3)
    done = await cleo.update_job(job.id, state=JOB_STATE_COMPLETED)
    assert minutes(done) == pytest.approx(4 + 9.9 + 3)
    assert done.start_time.ToDatetime(tzinfo=began.tzinfo) == began


async def test_the_state_leaving_new_begins_a_job_and_assigning_does_not(
    ann: Client, job: job_pb2.Job, watch: Watch
) -> None:
    assert not job.HasField("start_time")
    watch.pass_(5)
    begun = await ann.update_job(job.id, state=JOB_STATE_IN_PROGRESS)
    assert begun.start_time.ToDatetime(tzinfo=watch.time.tzinfo) == watch.time
    watch.pass_(5)
    reset = await ann.update_job(job.id, state=JOB_STATE_NEW)
    assert reset.start_time == begun.start_time


async def test_looking_on_is_no_work(ann: Client, dora: Client, job: job_pb2.Job, watch: Watch) -> None:
    for client in (ann, dora, ann, dora):
        await open_(client, job)
        watch.pass_(2)
    assert minutes(await ann.job(job.id)) == 0


async def test_the_clock_stops_at_completed_and_goes_on_when_reopened(
    ann: Client, cleo: Client, dora: Client, job: job_pb2.Job, watch: Watch
) -> None:
    await save(cleo, job)
    watch.pass_(2)
    await ann.update_job(job.id, stage=JOB_STAGE_ACCEPTANCE)
    watch.pass_(3)
    done = await dora.update_job(job.id, state=JOB_STATE_COMPLETED)
    assert done.status == JOB_STATUS_COMPLETED
    assert minutes(done) == pytest.approx(5)
    for _ in range(2):
        watch.pass_(1)
        await open_(dora, job)
    assert minutes(await ann.job(job.id)) == pytest.approx(5)

    reopened = await dora.update_job(job.id, state=JOB_STATE_REJECTED)
    assert reopened.status == JOB_STATUS_VALIDATION
    assert minutes(reopened) == pytest.approx(5)
    watch.pass_(4)
    await open_(dora, job)
    assert minutes(await ann.job(job.id)) == pytest.approx(9)


async def test_one_person_may_annotate_and_review_and_nobody_may_too(
    ann: Client, cleo: Client, job: job_pb2.Job
) -> None:
    both = await ann.update_job(job.id, assignee=TO_CLEO, reviewer=TO_CLEO)
    assert both.assignee == both.reviewer
    for stage in (JOB_STAGE_ANNOTATION, JOB_STAGE_VALIDATION, JOB_STAGE_ACCEPTANCE):
        await ann.update_job(job.id, stage=stage)
        state = JOB_STATE_IN_PROGRESS
        assert (await cleo.update_job(job.id, state=state)).state == state
    nobody = await ann.update_job(job.id, "assignee", "reviewer")
    assert not nobody.HasField("assignee")
    assert not nobody.HasField("reviewer")


async def test_who_was_deactivated_stays_shown_and_gets_nothing_new(
    ann: Client, neighbours: Neighbours, job: job_pb2.Job
) -> None:
    left = identity_events_pb2.UserDeactivated(user_id=CLEO.user_id)
    await neighbours.publish(left, CLEO.user_id, "identity")

    async def told() -> bool:
        try:
            await ann.update_job(job.id, reviewer=TO_CLEO)
        except grpc.aio.AioRpcError:
            return True
        return False

    assert await eventually(told)
    assert await wrong_fields(ann.update_job(job.id, reviewer=TO_CLEO)) == ["job.reviewer"]
    changed = await ann.update_job(job.id, state=JOB_STATE_IN_PROGRESS)
    assert changed.assignee == PersonRef(id=CLEO.user_id, username="cleo")
    assert [found.id for found in await ann.list_jobs(assignee_id=CLEO.user_id)] == [job.id]


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"assignee": TO_DORA}, ["assignee"]),
        ({"reviewer": TO_CLEO}, ["reviewer"]),
        ({"state": JOB_STATE_REJECTED}, ["state"]),
        ({"stage": JOB_STAGE_VALIDATION}, ["stage"]),
        ({"stage": JOB_STAGE_ACCEPTANCE, "state": JOB_STATE_COMPLETED}, ["stage", "state"]),
        ({"assignee": TO_CLEO}, []),
    ],
)
async def test_each_change_is_told_and_the_status_of_the_task_beside_it(
    ann: Client, running: Running, job: job_pb2.Job, fields: dict[str, Any], changed: list[str]
) -> None:
    before = len(await emitted(running, job.task_id))
    after = await ann.update_job(job.id, **fields)
    told = (await emitted(running, job.task_id))[before:]
    expected: list[Any] = [JobUpdated(job=after, changed_fields=changed, user_id=1)] if changed else []
    assert [event for event in told if not isinstance(event, TaskProgressed)] == expected
    is_moved = after.status != job.status
    assert [event.status for event in told if isinstance(event, TaskProgressed)] == [after.status] * is_moved


@given(st.lists(MINUTES, max_size=30), st.lists(st.booleans(), min_size=30, max_size=30))
def test_duration_is_the_sum_of_short_gaps(gaps: list[float], is_save: list[bool]) -> None:
    moments = [START]
    for gap in gaps:
        moments.append(moments[-1] + timedelta(minutes=gap))
    present = stored_job()
    for moment, saves in zip(moments, is_save, strict=False):
        present = progress.saved(present, moment) if saves else progress.active(present, moment)
    signals = moments[: len(is_save)]
    short = [
        later - earlier for earlier, later in pairwise(signals) if later - earlier < progress.LONGEST_GAP
    ]
    assert present.work_s == pytest.approx(sum(gap.total_seconds() for gap in short))


@given(st.lists(st.integers(min_value=-3_600, max_value=3_600), max_size=40))
def test_duration_never_shrinks_and_never_outruns_the_clock(steps: list[int]) -> None:
    present, moment = progress.active(stored_job(), START), START
    forward = 0.0
    for step in steps:
        moment += timedelta(seconds=step)
        after = progress.active(present, moment)
        forward += max(step, 0)
        assert present.work_s <= after.work_s <= forward
        present = after
