"""The numbers of tasks and projects are those of their jobs, whoever changes what at the same time."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable
from typing import TYPE_CHECKING

import grpc
import pytest
from frameyard.task.v1 import job_pb2
from frameyard.task.v1.task_events_pb2 import ProjectProgressed, TaskProgressed

from services.task.tests.neighbours import Client, Neighbours, Running, emitted

if TYPE_CHECKING:
    from frameyard.task.v1 import project_pb2

_STAGES = list(job_pb2.JobStage.values())[1:]
_STATES = list(job_pb2.JobState.values())[1:]
# Somebody else was first: the task is gone, or both waited for each other.
_LOST = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.ABORTED)


def _counts(total: int, annotation: int, validation: int, completed: int) -> job_pb2.JobCounts:
    return job_pb2.JobCounts(total=total, annotation=annotation, validation=validation, completed=completed)


async def test_a_project_follows_its_tasks(ann: Client, neighbours: Neighbours, running: Running) -> None:
    project = await ann.new_project()
    assert (project.status, project.task_count, project.jobs) == (1, 0, job_pb2.JobCounts())
    task, [first, second] = await neighbours.ready_task(
        ann, 20, project_id=project.id, segment_size=10, overlap=0, subset="train"
    )
    empty = await ann.new_task(project_id=project.id, subset="test")

    found = await ann.project(project.id)
    assert (found.task_count, found.jobs) == (2, _counts(2, 2, 0, 0))
    assert (list(found.subsets), found.preview_task_id) == (["test", "train"], task.id)

    for job in (first, second):
        await ann.update_job(job.id, stage=job_pb2.JOB_STAGE_VALIDATION)
    assert (await ann.project(project.id)).status == job_pb2.JOB_STATUS_VALIDATION
    completed = {"stage": job_pb2.JOB_STAGE_ACCEPTANCE, "state": job_pb2.JOB_STATE_COMPLETED}
    for job in (first, second):
        await ann.update_job(job.id, **completed)
    assert (await ann.project(project.id)).status == job_pb2.JOB_STATUS_COMPLETED

    await ann.delete_task(task.id)
    await ann.delete_task(empty.id)
    found = await ann.project(project.id)
    assert (found.task_count, found.jobs, found.preview_task_id) == (0, job_pb2.JobCounts(), 0)
    assert list(found.subsets) == []
    await ann.undelete_task(task.id)
    found = await ann.project(project.id)
    assert (found.task_count, found.jobs, found.status) == (1, _counts(2, 0, 0, 2), 3)

    told = [event for event in await emitted(running, project.id) if isinstance(event, ProjectProgressed)]
    assert [(event.task_count, event.jobs.total, event.jobs.completed, event.status) for event in told] == [
        *((1, 0, 0, 1), (1, 2, 0, 1), (2, 2, 0, 1), (2, 2, 0, 1), (2, 2, 0, 2)),
        *((2, 2, 1, 2), (2, 2, 2, 3), (1, 0, 0, 1), (0, 0, 0, 1), (1, 2, 2, 3)),
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_numbers_are_those_of_the_jobs_after_changes_at_the_same_time(
    ann: Client, neighbours: Neighbours, running: Running, seed: int
) -> None:
    chance = random.Random(seed)
    projects = [await ann.new_project(name) for name in ("a", "b")]
    tasks, jobs = [], []
    for number in range(4):
        task, of_task = await neighbours.ready_task(
            ann, 30, project_id=projects[number % 2].id, segment_size=10, overlap=0
        )
        tasks.append(task.id)
        jobs += [job.id for job in of_task]

    async def work() -> None:
        for _ in range(15):
            await _unless_lost(_change(ann, chance, [project.id for project in projects], tasks, jobs))

    await asyncio.gather(*(work() for _ in range(5)))
    for project in projects:
        await _check(ann, running, await ann.project(project.id))


async def _change(
    ann: Client, chance: random.Random, projects: list[int], tasks: list[int], jobs: list[int]
) -> None:
    """Something that changes numbers, mostly of a job."""
    kind = chance.choice(["job"] * 6 + ["delete", "undelete", "make"])
    if kind == "job":
        stage, state = chance.choice(_STAGES), chance.choice(_STATES)
        await ann.update_job(chance.choice(jobs), stage=stage, state=state)
    elif kind == "make":
        await ann.new_task(project_id=chance.choice(projects))
    elif kind == "delete":
        await ann.delete_task(chance.choice(tasks))
    else:
        await ann.undelete_task(chance.choice(tasks))


async def _unless_lost(call: Awaitable[None]) -> None:
    try:
        await call
    except grpc.aio.AioRpcError as fault:
        if fault.code() not in _LOST:
            raise


async def _check(ann: Client, running: Running, project: project_pb2.Project) -> None:
    """Counts the jobs one by one, and compares them with the numbers and with what was told last."""
    rows = await running.runtime.db.fetch(
        "SELECT id FROM task WHERE project_id = $1 AND deleted_at IS NULL", project.id
    )
    all_jobs: Counter[int] = Counter()
    for row in rows:
        task = await ann.task(row["id"])
        by_status = Counter(int(job.status) for job in await ann.list_jobs(task_id=task.id))
        assert task.jobs == _counts(by_status.total(), by_status[1], by_status[2], by_status[3])
        told = [event for event in await emitted(running, task.id) if isinstance(event, TaskProgressed)]
        assert not told or (told[-1].jobs, told[-1].status) == (task.jobs, task.status)
        all_jobs += by_status
    assert project.jobs == _counts(all_jobs.total(), all_jobs[1], all_jobs[2], all_jobs[3])
    assert project.task_count == len(rows)
    last = [event for event in await emitted(running, project.id) if isinstance(event, ProjectProgressed)][-1]
    assert (last.jobs, last.status, last.task_count) == (project.jobs, project.status, project.task_count)
