import asyncio
from typing import Any

import pytest
from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.task.v1 import job_pb2
from frameyard.task.v1.job_pb2 import (
    JOB_STAGE_ACCEPTANCE,
    JOB_STAGE_ANNOTATION,
    JOB_STAGE_VALIDATION,
    JOB_STATE_COMPLETED,
    JOB_STATE_IN_PROGRESS,
    JOB_STATE_NEW,
    JOB_STATUS_ANNOTATION,
    JOB_STATUS_COMPLETED,
    JOB_STATUS_VALIDATION,
)
from frameyard.task.v1.task_events_pb2 import JobUpdated, TaskProgressed
from yard.runtime import errors
from yard.task.store import jobs as job_store
from yard.testkit.refusals import refused, wrong_fields

from services.task.tests.neighbours import BEN, CLEO, DORA, Client, Neighbours, Running, emitted

TO_CLEO, TO_DORA = PersonRef(id=CLEO.user_id), PersonRef(id=DORA.user_id)
Three = list[job_pb2.Job]


@pytest.fixture
async def three(ann: Client, neighbours: Neighbours) -> Three:
    """Three jobs of a task of ann's: of cleo (reviewed by dora), of dora, of nobody."""
    _, jobs = await neighbours.ready_task(ann, size=30, segment_size=10, overlap=0)
    return [
        await ann.update_job(jobs[0].id, assignee=TO_CLEO, reviewer=TO_DORA),
        await ann.update_job(jobs[1].id, assignee=TO_DORA),
        jobs[2],
    ]


def ids(jobs: list[job_pb2.Job]) -> list[int]:
    return [job.id for job in jobs]


async def test_who_sees_which_jobs(
    ann: Client, cleo: Client, dora: Client, stranger: Client, admin: Client, export: Client, three: Three
) -> None:
    first, second, third = three
    for client in (ann, admin, export):
        assert await client.list_jobs() == three
        assert await client.job(third.id) == third
    for client, visible in ((cleo, [first]), (dora, [first, second]), (stranger, [])):
        assert await client.list_jobs() == visible
        assert await client.list_jobs(task_id=first.task_id) == visible
        for job in three:
            if job in visible:
                assert await client.job(job.id) == job
            else:
                assert isinstance(await refused(client.job(job.id)), errors.NotFound)


async def test_lists_are_paged_and_filtered(ann: Client, neighbours: Neighbours, three: Three) -> None:
    first, second, third = three
    _, [other] = await neighbours.ready_task(ann)
    await ann.update_job(second.id, stage=JOB_STAGE_VALIDATION)
    assert ids(await ann.list_jobs(page_size=1)) == [*ids(three), other.id]
    assert ids(await ann.list_jobs(task_id=first.task_id, page_size=2)) == ids(three)
    assert ids(await ann.list_jobs(status=JOB_STATUS_VALIDATION)) == [second.id]
    assert ids(await ann.list_jobs(assignee_id=CLEO.user_id)) == [first.id]
    assert ids(await ann.list_jobs(reviewer_id=DORA.user_id, assignee_id=CLEO.user_id)) == [first.id]
    assert ids(await ann.list_jobs(status=JOB_STATUS_ANNOTATION, task_id=first.task_id)) == [
        first.id,
        third.id,
    ]
    assert await wrong_fields(ann.list_jobs(status=9)) == ["status"]


async def test_who_changes_what(
    ann: Client, ben: Client, cleo: Client, dora: Client, stranger: Client, admin: Client, three: Three
) -> None:
    first = three[0]
    await ann.update_task(first.task_id, assignee=PersonRef(id=BEN.user_id))
    for client in (ann, ben, admin):
        assert (await client.update_job(first.id, assignee=TO_CLEO)).id == first.id
    assert (await cleo.update_job(first.id, state=JOB_STATE_IN_PROGRESS)).state == JOB_STATE_IN_PROGRESS
    for client, fields in (
        (cleo, {"stage": JOB_STAGE_VALIDATION}),
        (cleo, {"stage": JOB_STAGE_VALIDATION, "state": JOB_STATE_COMPLETED}),
        (cleo, {"assignee": TO_DORA}),
        (cleo, {"reviewer": TO_CLEO}),
        (dora, {"state": JOB_STATE_COMPLETED}),
    ):
        error = await refused(client.update_job(first.id, **fields))
        assert isinstance(error, errors.PermissionDenied)
    assert isinstance(await refused(stranger.update_job(first.id, state=2)), errors.NotFound)
    assert isinstance(await refused(cleo.update_job(three[2].id, state=2)), errors.NotFound)

    await ann.update_job(first.id, stage=JOB_STAGE_VALIDATION)
    assert (await dora.update_job(first.id, state=JOB_STATE_IN_PROGRESS)).state == JOB_STATE_IN_PROGRESS
    assert isinstance(await refused(cleo.update_job(first.id, state=2)), errors.PermissionDenied)


async def test_services_change_no_jobs(export: Client, three: Three) -> None:
    assert isinstance(await refused(export.update_job(three[0].id, state=2)), errors.PermissionDenied)


async def test_changes_are_told_with_their_fields(ann: Client, running: Running, three: Three) -> None:
    third = three[2]
    before = len(await emitted(running, third.task_id))
    changed = await ann.update_job(third.id, "assignee", "state", assignee=TO_CLEO, state=JOB_STATE_NEW)
    assert changed.assignee == PersonRef(id=CLEO.user_id, username="cleo")
    assert await ann.update_job(third.id, assignee=TO_CLEO) == changed
    freed = await ann.update_job(third.id, "assignee")
    assert not freed.HasField("assignee")
    assert (await emitted(running, third.task_id))[before:] == [
        JobUpdated(job=changed, changed_fields=["assignee"], user_id=1),
        JobUpdated(job=freed, changed_fields=["assignee"], user_id=1),
    ]


async def test_all_faults_of_a_change_come_at_once(ann: Client, three: Three) -> None:
    call = ann.update_job(
        three[0].id,
        *("assignee", "reviewer", "stage", "state", "frames"),
        assignee=PersonRef(id=77),
        reviewer=PersonRef(id=78),
        stage=0,
        state=9,
    )
    assert await wrong_fields(call) == [
        "job.assignee",
        "job.reviewer",
        "job.stage",
        "job.state",
        "update_mask",
    ]
    assert await wrong_fields(ann.update_job(three[0].id)) == ["update_mask"]


async def test_the_numbers_of_the_task_follow(ann: Client, running: Running, three: Three) -> None:
    first, second, third = three
    task_id = first.task_id

    async def move(job: job_pb2.Job, **fields: Any) -> tuple[int, tuple[int, int, int]]:
        await ann.update_job(job.id, **fields)
        task = await ann.task(task_id)
        counts = task.jobs
        assert counts.total == 3
        return task.status, (counts.annotation, counts.validation, counts.completed)

    completed = {"stage": JOB_STAGE_ACCEPTANCE, "state": JOB_STATE_COMPLETED}
    assert await move(first, state=JOB_STATE_COMPLETED) == (JOB_STATUS_ANNOTATION, (3, 0, 0))
    assert await move(first, stage=JOB_STAGE_VALIDATION) == (JOB_STATUS_ANNOTATION, (2, 1, 0))
    assert await move(first, **completed) == (JOB_STATUS_ANNOTATION, (2, 0, 1))
    assert await move(second, **completed) == (JOB_STATUS_ANNOTATION, (1, 0, 2))
    assert await move(third, stage=JOB_STAGE_VALIDATION) == (JOB_STATUS_VALIDATION, (0, 1, 2))
    assert await move(third, **completed) == (JOB_STATUS_COMPLETED, (0, 0, 3))
    assert await move(third, stage=JOB_STAGE_ANNOTATION) == (JOB_STATUS_ANNOTATION, (1, 0, 2))

    progressed = [event for event in await emitted(running, task_id) if isinstance(event, TaskProgressed)]
    assert [(event.status, event.jobs.annotation, event.jobs.completed) for event in progressed] == [
        (JOB_STATUS_ANNOTATION, 3, 0),
        (JOB_STATUS_ANNOTATION, 2, 0),
        (JOB_STATUS_ANNOTATION, 2, 1),
        (JOB_STATUS_ANNOTATION, 1, 2),
        (JOB_STATUS_VALIDATION, 0, 2),
        (JOB_STATUS_COMPLETED, 0, 3),
        (JOB_STATUS_ANNOTATION, 1, 2),
    ]


async def test_changes_at_the_same_time_are_all_counted(ann: Client, three: Three) -> None:
    stages = (JOB_STAGE_VALIDATION, JOB_STAGE_ACCEPTANCE)
    await asyncio.gather(*(ann.update_job(job.id, stage=stage) for job in three for stage in stages))
    assert (await ann.task(three[0].task_id)).jobs == job_pb2.JobCounts(total=3, validation=3)


async def test_started_on_is_when_the_state_leaves_new(ann: Client, three: Three) -> None:
    job = await ann.update_job(three[0].id, stage=JOB_STAGE_ANNOTATION, state=JOB_STATE_NEW)
    assert not job.HasField("start_time")
    begun = await ann.update_job(job.id, state=JOB_STATE_IN_PROGRESS)
    assert begun.start_time == begun.update_time
    done = await ann.update_job(job.id, state=JOB_STATE_COMPLETED)
    assert done.start_time == begun.start_time
    worked_us = done.update_time.ToMicroseconds() - begun.update_time.ToMicroseconds()
    assert done.work_duration.ToMicroseconds() == pytest.approx(worked_us, abs=1)


async def test_a_save_is_work_and_makes_the_repository_stale(
    ann: Client, running: Running, neighbours: Neighbours
) -> None:
    task, [job] = await neighbours.ready_task(ann, repository={"location": "https://example.org/a.git"})
    db = running.runtime.db
    await db.execute("UPDATE task SET sync_status = 3")
    async with db.transaction() as tx:
        stored = await job_store.job_of(tx, job.id, lock=True)
        assert stored is not None
        saved = await job_store.record_save(tx, stored)
    found = await ann.job(job.id)
    assert (found.revision, found.start_time, saved.revision) == (1, found.update_time, 1)
    shown = await ann.task(task.id)
    assert (shown.revision, shown.sync_status, shown.update_time) == (1, 1, found.update_time)
