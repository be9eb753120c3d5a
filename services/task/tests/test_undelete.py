from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from frameyard.annotation.v1 import annotation_pb2
from frameyard.annotation.v1 import annotation_service_pb2 as annotation_messages
from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.media.v1 import media_pb2
from frameyard.operation.v1 import operation_pb2
from frameyard.task.v1.label_pb2 import Label
from frameyard.task.v1.project_service_pb2 import ListProjectsRequest
from frameyard.task.v1.task_events_pb2 import ProjectUndeleted, TaskDeleted, TaskUndeleted
from frameyard.task.v1.task_service_pb2 import ListTasksRequest
from yard.runtime import errors
from yard.task.handlers import projects, removal
from yard.task.handlers.context import Tasks
from yard.testkit import eventually
from yard.testkit.refusals import refused

from services.task.tests.neighbours import ANN, BEN, CLEO, Client, Neighbours, Running, emitted, finished


async def test_a_deleted_task_comes_back_whole(
    ann: Client, cleo: Client, running: Running, neighbours: Neighbours
) -> None:
    task, [job] = await neighbours.ready_task(ann, labels=[Label(name="car")])
    await ann.update_job(job.id, assignee=PersonRef(id=CLEO.user_id))
    box = annotation_pb2.Shape(
        frame=1,
        label_id=task.labels[0].id,
        kind=annotation_pb2.SHAPE_KIND_RECTANGLE,
        points=[1, 1, 20, 20],
    )
    target = annotation_messages.AnnotationTarget(job_id=job.id)
    put = annotation_messages.PutAnnotationsRequest(
        target=target, annotations=annotation_pb2.AnnotationSet(shapes=[box])
    )
    saved = await cleo.annotations.PutAnnotations(put)
    before = await ann.task(task.id)
    await ann.delete_task(task.id)
    assert isinstance(await refused(cleo.job(job.id)), errors.NotFound)

    back = await ann.undelete_task(task.id)
    assert back == before == await ann.task(task.id)
    get = annotation_messages.GetAnnotationsRequest(target=target)
    assert (await cleo.annotations.GetAnnotations(get)).annotations == saved.annotations
    assert await ann.list_tasks() == [task.name]
    assert (await emitted(running, task.id))[-1] == TaskUndeleted(task_id=task.id, media_id=task.media_id)
    # Once more changes nothing and is told to nobody.
    count = len(await emitted(running, task.id))
    assert await ann.undelete_task(task.id) == back
    assert len(await emitted(running, task.id)) == count


async def test_who_brings_back(
    ann: Client, ben: Client, cleo: Client, stranger: Client, admin: Client, export: Client
) -> None:
    project = await ann.new_project(assignee_id=BEN.user_id)
    task = await ann.new_task(project_id=project.id, assignee_id=CLEO.user_id)
    # What is not deleted tells no secrets.
    assert isinstance(await refused(cleo.undelete_task(task.id)), errors.PermissionDenied)
    assert isinstance(await refused(ben.undelete_project(project.id)), errors.PermissionDenied)
    await ann.delete_task(task.id)
    for client in (ben, cleo, stranger, export):
        assert isinstance(await refused(client.undelete_task(task.id)), errors.NotFound)
    await admin.undelete_task(task.id)
    await ann.delete_project(project.id)
    for client in (ben, cleo, stranger, export):
        assert isinstance(await refused(client.undelete_project(project.id)), errors.NotFound)
    await admin.undelete_project(project.id)
    assert (await cleo.task(task.id)).id == task.id
    for call in (ann.undelete_task(999), ann.undelete_project(999)):
        assert isinstance(await refused(call), errors.NotFound)


async def test_a_project_comes_back_with_the_tasks_that_went_with_it(
    ann: Client, running: Running, neighbours: Neighbours
) -> None:
    project = await ann.new_project()
    await neighbours.ready_task(ann, project_id=project.id, name="goes with it")
    gone = await ann.new_task("gone before", project_id=project.id)
    await ann.delete_task(gone.id)
    before = await ann.project(project.id)
    await ann.delete_project(project.id)
    await all_hidden(running, project.id)

    back = await ann.undelete_project(project.id)
    assert (back.task_count, back.jobs) == (before.task_count, before.jobs) == (1, before.jobs)
    assert await ann.list_tasks() == ["goes with it"]
    assert ProjectUndeleted(project_id=project.id) in await emitted(running, project.id)
    # The one from before can still be brought back alone.
    await ann.undelete_task(gone.id)
    assert (await ann.project(project.id)).task_count == 2


async def test_a_project_that_is_back_at_once_loses_nothing(ann: Client, running: Running) -> None:
    project = await ann.new_project()
    count = 2 * projects.HIDDEN_AT_ONCE
    await asyncio.gather(*(ann.new_task(project_id=project.id) for _ in range(count)))
    for _ in range(3):
        await ann.delete_project(project.id)
        assert (await ann.undelete_project(project.id)).task_count == count
    assert len(await ann.list_tasks()) == count
    await ann.delete_project(project.id)
    await all_hidden(running, project.id)


async def test_a_task_brings_its_project_back_without_the_others(
    ann: Client, running: Running, neighbours: Neighbours
) -> None:
    project = await ann.new_project()
    task = await ann.new_task("wanted", project_id=project.id)
    for number in range(3):
        await ann.new_task(f"other {number}", project_id=project.id)
    await ann.delete_project(project.id)

    back = await ann.undelete_task(task.id)
    assert back.project_id == project.id
    assert await ann.list_projects() == [project.name]
    assert await ann.list_tasks() == ["wanted"]
    assert (await ann.project(project.id)).task_count == 1
    # They went with the project and come with it, if that is asked for.
    assert (await ann.undelete_project(project.id)).task_count == 4


async def test_what_was_under_way_is_cancelled_and_may_begin_again(
    ann: Client, neighbours: Neighbours
) -> None:
    task = await ann.new_task()
    operation = await ann.attach(task.id)
    await ann.delete_task(task.id)
    back = await ann.undelete_task(task.id)
    assert (back.media_state, back.media_id) == (media_pb2.MEDIA_STATE_UNSPECIFIED, "")
    assert (await ann.operation(operation.name)).state == operation_pb2.OPERATION_STATE_CANCELLED
    again = await ann.attach(task.id)
    await neighbours.index(await ann.task(task.id), 10)
    assert (await finished(ann, again)).state == operation_pb2.OPERATION_STATE_SUCCEEDED


async def test_what_is_being_removed_does_not_come_back(ann: Client, running: Running) -> None:
    project = await ann.new_project()
    task = await ann.new_task(project_id=project.id)
    await ann.delete_task(task.id)
    await running.runtime.db.execute("UPDATE task SET is_purging = true WHERE id = $1", task.id)
    assert isinstance(await refused(ann.undelete_task(task.id)), errors.NotFound)
    await ann.delete_project(project.id)
    await long_ago(running)
    assert isinstance(await refused(ann.undelete_project(project.id)), errors.NotFound)
    assert isinstance(await refused(ann.project(project.id)), errors.NotFound)


async def test_a_removal_and_bringing_back_at_once_leave_all_or_nothing(
    ann: Client, running: Running, neighbours: Neighbours
) -> None:
    outcomes = set()
    for number in range(6):
        task, [job] = await neighbours.ready_task(ann, name=str(number))
        await ann.delete_task(task.id)
        await running.runtime.db.execute(
            "UPDATE task SET deleted_at = deleted_at - interval '30 days' + interval '0.1 s' WHERE id = $1",
            task.id,
        )
        removal_ = asyncio.create_task(purged(running, task.id))
        try:
            await ann.undelete_task(task.id)
        except BaseException:  # noqa: BLE001 - refused
            outcomes.add("gone")
            await removal_
            assert await running.runtime.db.fetchval("SELECT count(*) FROM job WHERE id = $1", job.id) == 0
        else:
            outcomes.add("back")
            removal_.cancel()
            assert (await ann.job(job.id)).task_id == task.id
    assert outcomes <= {"gone", "back"}


async def test_a_task_that_is_back_is_not_removed(ann: Client, running: Running) -> None:
    task, other = await ann.new_task("back"), await ann.new_task("gone")
    await ann.delete_task(task.id)
    await ann.delete_task(other.id)
    await ann.undelete_task(task.id)
    await long_ago(running)
    assert await removal.purge(Tasks(runtime=running.runtime)) == 1
    assert await ann.list_tasks() == ["back"]
    assert TaskDeleted(task_id=task.id, user_id=ANN.user_id) in await emitted(running, task.id)


async def test_what_is_deleted_is_listed_for_those_who_may_bring_it_back(
    ann: Client, ben: Client, admin: Client
) -> None:
    project = await ann.new_project("with it", assignee_id=BEN.user_id)
    task = await ann.new_task("alone", assignee_id=BEN.user_id)
    await ann.delete_project(project.id)
    await ann.delete_task(task.id)
    for client, names in ((ann, ["alone"]), (admin, ["alone"]), (ben, [])):
        assert await client.list_tasks(deleted=True) == names
    for client, names in ((ann, ["with it"]), (admin, ["with it"]), (ben, [])):
        assert await client.list_projects(deleted=True) == names
    found: list[Any] = [
        *(await ann.tasks.ListTasks(ListTasksRequest(deleted=True))).tasks,
        *(await ann.projects.ListProjects(ListProjectsRequest(deleted=True))).projects,
    ]
    for one in found:
        assert one.purge_time.ToDatetime() - one.delete_time.ToDatetime() == timedelta(days=30)
    assert not (await ann.undelete_task(task.id)).HasField("delete_time")
    assert not (await ann.undelete_project(project.id)).HasField("delete_time")


async def long_ago(running: Running) -> None:
    """Everything that was deleted was deleted a month before."""
    for table in ("task", "project"):
        await running.runtime.db.execute(f"UPDATE {table} SET deleted_at = deleted_at - interval '31 days'")


async def all_hidden(running: Running, project_id: int) -> None:
    """Waits until the tasks of a deleted project are hidden themselves."""
    sql = "SELECT count(*) FROM task WHERE project_id = $1 AND deleted_at IS NULL"

    async def hidden() -> bool:
        return bool(await running.runtime.db.fetchval(sql, project_id) == 0)

    assert await eventually(hidden)


async def purged(running: Running, task_id: int) -> None:
    tasks: Any = Tasks(runtime=running.runtime)

    async def gone() -> bool:
        await removal.purge(tasks)
        return not await running.runtime.db.fetchval("SELECT count(*) FROM task WHERE id = $1", task_id)

    await eventually(gone)
