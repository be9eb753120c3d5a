"""Moves while others save, change jobs, or move too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import grpc
import pytest
from frameyard.task.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc
from frameyard.task.v1 import task_service_pb2 as messages
from frameyard.task.v1.task_service_pb2_grpc import TaskServiceStub
from google.protobuf.field_mask_pb2 import FieldMask
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import ANN, Scene, some
from services.task.tests.moving import channel, insert_project, move

# Others were first, and what the caller knew of labels was old when it arrived.
LOST = (grpc.StatusCode.ABORTED, grpc.StatusCode.INVALID_ARGUMENT)


@pytest.fixture
async def scene(settings_for: SettingsFor) -> AsyncIterator[Scene]:
    async with stage.scene(settings_for) as scene:
        yield scene


@dataclass(slots=True, kw_only=True)
class Traffic:
    """People who work until the moves are over; `saved` counts what they were told is saved."""

    scene: Scene
    done: asyncio.Event = field(default_factory=asyncio.Event)
    saved: list[int] = field(default_factory=lambda: [0, 0, 0])

    async def save(self, job: int, count: int) -> None:
        """So many boxes at a time, on a frame that only this job has."""
        while not self.done.is_set():
            shapes = [self.scene.box(100 * job + 5) for _ in range(count)]
            try:
                await self.scene.patch(self.scene.job(job), create=some(*shapes), by=ANN)
                self.saved[job] += count
            except grpc.aio.AioRpcError as fault:
                if fault.code() not in LOST:
                    raise

    async def change_jobs(self) -> None:
        """The numbers of the task and of its project follow."""
        stub = job_service_pb2_grpc.JobServiceStub(channel(self.scene))
        stage_ = job_pb2.JOB_STAGE_ANNOTATION
        while not self.done.is_set():
            stage_ = job_pb2.JobStage.ValueType(3 - stage_)
            wanted = job_pb2.Job(id=self.scene.jobs[2], stage=stage_)
            request = job_service_pb2.UpdateJobRequest(job=wanted, update_mask=FieldMask(paths=["stage"]))
            await stub.UpdateJob(request)

    async def move(self, places: list[int]) -> None:
        """To one place after the other, so slowly that people can keep up."""
        try:
            for place in places:
                await move(self.scene, place)
                await self._more_saves()
        finally:
            self.done.set()

    async def _more_saves(self) -> None:
        """In both jobs."""
        before = self.saved[:2]
        await eventually(lambda: all(now > then for now, then in zip(self.saved, before, strict=False)))


@pytest.mark.parametrize("count", [1, 30])
async def test_saves_and_moves_at_the_same_time_leave_no_old_labels(scene: Scene, count: int) -> None:
    places = [await insert_project(scene), 0, await insert_project(scene)]
    traffic = Traffic(scene=scene)
    await asyncio.gather(
        *(traffic.save(job, count) for job in (0, 0, 1)),
        traffic.change_jobs(),
        traffic.move([*places, *places, *places]),
    )
    for job in (0, 1):
        found = (await scene.get(scene.job(job))).annotations.shapes
        assert len(found) == traffic.saved[job]
        assert {shape.label_id for shape in found} == {scene.car}
    rows = await scene.db.fetch("SELECT id, task_count, jobs_total FROM project ORDER BY id")
    assert [tuple(row) for row in rows] == [(places[0], 0, 0), (places[2], 1, 3)]


async def test_moves_that_cross_come_one_after_the_other(scene: Scene) -> None:
    places = [await insert_project(scene) for _ in range(2)]
    tasks = [await stage.insert_task(scene.db, size=0, jobs=0) for _ in range(5)]
    stub = TaskServiceStub(channel(scene))

    async def wander(task_id: int, begin: int) -> None:
        for step in range(6):
            to = (*places, 0)[(begin + step) % 3]
            await stub.MoveTask(messages.MoveTaskRequest(id=task_id, project_id=to))

    # Each task is moved by two at the same time.
    await asyncio.gather(*(wander(task_id, number) for number, task_id in enumerate([*tasks, *tasks])))
    rows = await scene.db.fetch(
        """
        SELECT task_count, (SELECT count(*) FROM task WHERE project_id = project.id) AS tasks
        FROM project
        """
    )
    assert [row["task_count"] for row in rows] == [row["tasks"] for row in rows]


async def test_a_move_waits_for_jobs_that_are_being_made(scene: Scene) -> None:
    project_id = await insert_project(scene)

    async def is_waiting() -> bool:
        found: bool = await scene.db.fetchval(
            """
            SELECT EXISTS (
                SELECT
                FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'
            )
            """
        )
        return found

    async with scene.db.transaction() as tx:
        await tx.execute(
            "UPDATE task SET jobs_total = 4, jobs_annotation = 4, size = 250 WHERE id = $1", scene.task_id
        )
        await tx.execute(
            "INSERT INTO job (task_id, segment, first_frame, last_frame) VALUES ($1, 3, 230, 249)",
            scene.task_id,
        )
        moving = asyncio.create_task(move(scene, project_id))
        await eventually(is_waiting)
    await moving
    total = await scene.db.fetchval("SELECT jobs_total FROM project WHERE id = $1", project_id)
    assert total == 4
