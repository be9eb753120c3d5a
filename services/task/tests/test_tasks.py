import asyncio
import uuid
from datetime import timedelta

import pytest
from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.task.v1 import job_pb2, label_pb2, task_events_pb2, task_pb2, task_service_pb2
from frameyard.task.v1.task_events_pb2 import TaskCreated, TaskDeleted, TaskPurged, TaskUpdated
from yard.runtime import clock, errors, ids
from yard.task.handlers import removal
from yard.task.handlers.context import Tasks
from yard.testkit.refusals import refused, wrong_fields

from services.task.tests.neighbours import ANN, BEN, CLEO, Client, Neighbours, Running, emitted

PERSON = label_pb2.Label(name="person")


async def test_a_new_task_is_as_asked_for_and_told(ann: Client, running: Running) -> None:
    repository = task_pb2.DatasetRepository(location="https://example.org/a.git [x.zip]", use_lfs=True)
    task = await ann.new_task(
        "Street",
        labels=[PERSON],
        assignee_id=2,
        issue_tracker="https://x.org/1",
        subset="train",
        segment_size=10,
        overlap=3,
        repository=repository,
    )
    assert (task.name, task.subset, task.issue_tracker) == ("Street", "train", "https://x.org/1")
    assert (task.owner, task.assignee) == (PersonRef(id=1, username="ann"), PersonRef(id=2, username="ben"))
    assert [label.name for label in task.labels] == ["person"]
    assert (task.status, task.jobs.total, task.size, task.segment_size) == (
        job_pb2.JOB_STATUS_ANNOTATION,
        0,
        0,
        0,
    )
    assert (task.mode, task.media_state, task.media_id, task.media_operation) == (0, 0, "", "")
    assert (task.repository, task.sync_status) == (repository, task_pb2.SYNC_STATUS_NOT_SYNCHRONIZED)
    assert await ann.task(task.id) == task
    assert await emitted(running, task.id) == [
        TaskCreated(task_id=task.id, name="Street", owner_id=1, repository=repository)
    ]


async def test_a_task_of_a_project_has_its_labels(ann: Client) -> None:
    project = await ann.new_project(labels=[PERSON])
    task = await ann.new_task(project_id=project.id)
    assert (task.project_id, list(task.labels)) == (project.id, list(project.labels))
    assert not task.HasField("repository")
    assert task.sync_status == task_pb2.SYNC_STATUS_UNSPECIFIED


async def test_all_faults_of_a_task_come_at_once(ann: Client) -> None:
    project = await ann.new_project()
    call = ann.new_task(
        "x" * 257,
        project_id=project.id,
        labels=[label_pb2.Label(name="a", color="red")],
        assignee_id=77,
        issue_tracker="x",
        subset="y" * 65,
        segment_size=0,
        overlap=-1,
        repository=task_pb2.DatasetRepository(location="nowhere"),
    )
    assert await wrong_fields(call) == [
        "assignee_id",
        "issue_tracker",
        "labels",
        "labels[0].color",
        "name",
        "overlap",
        "repository.location",
        "segment_size",
        "subset",
    ]


async def test_a_repeated_request_makes_one_task(ann: Client, running: Running) -> None:
    request_id = str(uuid.UUID(int=1))
    calls = [ann.new_task("once", request_id=request_id) for _ in range(4)]
    first, *others = await asyncio.gather(*calls)
    assert all(other == first for other in others)
    assert await running.runtime.db.fetchval("SELECT count(*) FROM task") == 1


async def test_who_makes_tasks_in_a_project(
    ann: Client, ben: Client, cleo: Client, stranger: Client, admin: Client, export: Client
) -> None:
    project = await ann.new_project(assignee_id=BEN.user_id)
    for client in (ann, ben, admin):
        assert (await client.new_task(project_id=project.id)).project_id == project.id
    assert isinstance(await refused(stranger.new_task(project_id=project.id)), errors.NotFound)
    assert isinstance(await refused(ann.new_task(project_id=999)), errors.NotFound)
    for client in (cleo, export):
        assert isinstance(await refused(client.new_task()), errors.PermissionDenied)


async def test_who_sees_a_task(
    ann: Client,
    ben: Client,
    cleo: Client,
    dora: Client,
    stranger: Client,
    admin: Client,
    export: Client,
    neighbours: Neighbours,
) -> None:
    project = await admin.new_project(assignee_id=ANN.user_id)
    task, jobs = await neighbours.ready_task(admin, project_id=project.id, assignee_id=BEN.user_id)
    for client in (ann, ben, admin, export):
        assert (await client.task(task.id)).id == task.id
        assert await client.list_tasks() == ["a task"]
    for client in (cleo, dora, stranger):
        assert isinstance(await refused(client.task(task.id)), errors.NotFound)
        assert await client.list_tasks() == []
    assert isinstance(await refused(admin.task(task.id + 1)), errors.NotFound)

    await admin.update_job(jobs[0].id, assignee=PersonRef(id=3), reviewer=PersonRef(id=4))
    for client in (cleo, dora):
        assert (await client.task(task.id)).id == task.id
        assert await client.list_tasks() == ["a task"]


async def test_who_changes_a_task(
    ann: Client, ben: Client, cleo: Client, stranger: Client, admin: Client, export: Client
) -> None:
    project = await ann.new_project(assignee_id=CLEO.user_id)
    task = await ann.new_task(project_id=project.id, assignee_id=BEN.user_id)
    for client in (ann, ben, admin):
        assert (await client.update_task(task.id, name="other")).name == "other"
    for client in (cleo, export):
        assert isinstance(await refused(client.update_task(task.id, name="x")), errors.PermissionDenied)
        assert isinstance(await refused(client.attach(task.id)), errors.PermissionDenied)
        assert isinstance(await refused(client.delete_task(task.id)), errors.PermissionDenied)
    assert isinstance(await refused(ben.delete_task(task.id)), errors.PermissionDenied)
    for call in (
        stranger.update_task(task.id, name="x"),
        stranger.attach(task.id),
        stranger.delete_task(task.id),
    ):
        assert isinstance(await refused(call), errors.NotFound)


async def test_changes_are_those_of_the_mask(ann: Client, running: Running) -> None:
    task = await ann.new_task("old", assignee_id=BEN.user_id, subset="train")
    changed = await ann.update_task(task.id, "name", "assignee", "subset", name="new", issue_tracker="x")
    assert (changed.name, changed.subset, changed.issue_tracker) == ("new", "", "")
    assert not changed.HasField("assignee")
    assert await ann.update_task(task.id, name="new") == changed
    assert (await emitted(running, task.id))[1:] == [
        TaskUpdated(task_id=task.id, changed_fields=["name", "assignee", "subset"], user_id=ANN.user_id)
    ]


async def test_all_faults_of_a_change_come_at_once(ann: Client) -> None:
    task = await ann.new_task()
    call = ann.update_task(
        task.id,
        *("name", "assignee", "issue_tracker", "subset", "size"),
        issue_tracker="x",
        subset="y" * 65,
        assignee=PersonRef(id=-1),
    )
    assert await wrong_fields(call) == [
        "task.assignee",
        "task.issue_tracker",
        "task.name",
        "task.subset",
        "update_mask",
    ]


async def test_lists_are_ordered_and_paged(ann: Client) -> None:
    tasks = [await ann.new_task(name) for name in ("b", "A", "c", "a")]
    await ann.update_task(tasks[1].id, subset="train")
    orders = {
        task_service_pb2.TASK_ORDER_UNSPECIFIED: ["a", "c", "A", "b"],
        task_service_pb2.TASK_ORDER_OLDEST_FIRST: ["b", "A", "c", "a"],
        task_service_pb2.TASK_ORDER_NAME: ["A", "a", "b", "c"],
        task_service_pb2.TASK_ORDER_LAST_CHANGED_FIRST: ["A", "a", "c", "b"],
    }
    for order, names in orders.items():
        for page_size in (1, 3, 4):
            assert await ann.list_tasks(order=order, page_size=page_size) == names


async def test_lists_are_filtered(ann: Client, ben: Client, neighbours: Neighbours) -> None:
    project = await ann.new_project()
    await ann.new_task("in project", project_id=project.id)
    await ann.new_task("of ben", assignee_id=BEN.user_id)
    await ben.new_task("by ben", assignee_id=ANN.user_id)
    _, [job] = await neighbours.ready_task(ann, name="video")
    await neighbours.ready_task(ann, name="images", is_video=False)
    await ann.update_job(job.id, stage=job_pb2.JOB_STAGE_VALIDATION)
    assert await ann.list_tasks(project_id=project.id) == ["in project"]
    assert await ann.list_tasks(owner_id=BEN.user_id) == ["by ben"]
    assert await ann.list_tasks(assignee_id=BEN.user_id) == ["of ben"]
    assert await ann.list_tasks(name_contains="BEN") == ["by ben", "of ben"]
    assert await ann.list_tasks(status=job_pb2.JOB_STATUS_VALIDATION) == ["video"]
    assert await ann.list_tasks(mode=task_pb2.TASK_MODE_ANNOTATION) == ["images"]
    assert await ann.list_tasks(mode=task_pb2.TASK_MODE_INTERPOLATION, owner_id=ANN.user_id) == ["video"]
    assert await wrong_fields(ann.list_tasks(order=9, status=9, mode=9, name_contains="\0")) == [
        "mode",
        "name_contains",
        "order",
        "status",
    ]


async def test_lists_show_no_labels(ann: Client) -> None:
    await ann.new_task(labels=[PERSON])
    [task] = (await ann.tasks.ListTasks(task_service_pb2.ListTasksRequest())).tasks
    assert list(task.labels) == []
    assert task.owner == PersonRef(id=1, username="ann")


async def test_segments_can_be_planned(ann: Client) -> None:
    request = task_service_pb2.PlanSegmentsRequest(
        size=25, segment_size=10, mode=task_pb2.TASK_MODE_INTERPOLATION
    )
    answer = await ann.tasks.PlanSegments(request)
    assert [(item.number, item.frames.first, item.frames.last) for item in answer.segments] == [
        (0, 0, 9),
        (1, 5, 14),
        (2, 10, 19),
        (3, 15, 24),
    ]
    assert (answer.segment_size, answer.overlap) == (10, 5)
    wrong = task_service_pb2.PlanSegmentsRequest(size=0, segment_size=0, overlap=-1)
    assert await wrong_fields(ann.tasks.PlanSegments(wrong)) == ["overlap", "segment_size", "size"]
    many = task_service_pb2.PlanSegmentsRequest(size=100_001, segment_size=1)
    assert await wrong_fields(ann.tasks.PlanSegments(many)) == ["segment_size"]


async def test_a_deleted_task_is_hidden_and_told_once(
    ann: Client, running: Running, neighbours: Neighbours
) -> None:
    task, [job] = await neighbours.ready_task(ann)
    await ann.delete_task(task.id)
    for call in (ann.task(task.id), ann.job(job.id), ann.delete_task(task.id)):
        assert isinstance(await refused(call), errors.NotFound)
    assert (await ann.list_tasks(), await ann.list_jobs()) == ([], [])
    deleted = TaskDeleted(task_id=task.id, media_id=task.media_id, user_id=ANN.user_id)
    assert (await emitted(running, task.id))[-1] == deleted


async def test_deleting_ends_what_is_under_way(ann: Client, running: Running) -> None:
    task = await ann.new_task()
    operation = await ann.attach(task.id)
    media_id = (await ann.task(task.id)).media_id
    await ann.delete_task(task.id)
    assert (await ann.operation(operation.name)).HasField("finish_time")
    assert (await emitted(running, task.id))[-2:] == [
        task_events_pb2.MediaRequestCancelled(media_id=media_id, task_id=task.id),
        TaskDeleted(task_id=task.id, media_id=media_id, user_id=ANN.user_id),
    ]


async def test_what_is_hidden_goes_after_its_time(
    ann: Client, running: Running, neighbours: Neighbours
) -> None:
    tasks = Tasks(runtime=running.runtime)
    project = await ann.new_project(labels=[PERSON])
    task, _ = await neighbours.ready_task(ann, project_id=project.id)
    kept = await ann.new_task(labels=[PERSON])
    await ann.delete_task(task.id)
    await ann.delete_project(project.id)
    assert await removal.purge(tasks) == 0

    db = running.runtime.db
    long_ago = clock.now() - timedelta(days=31)
    await db.execute("UPDATE task SET deleted_at = $1 WHERE deleted_at IS NOT NULL", long_ago)
    await db.execute("UPDATE project SET deleted_at = $1", long_ago)
    assert await removal.purge(tasks) == 1
    purged = TaskPurged(task_id=task.id, media_id=task.media_id)
    assert (await emitted(running, task.id))[-1] == purged
    assert await db.fetchval("SELECT array_agg(id) FROM task") == [kept.id]
    for table, count in {"job": 0, "project": 0, "label": 1}.items():
        assert await db.fetchval(f"SELECT count(*) FROM {table}") == count
    assert await removal.purge(tasks) == 0


@pytest.mark.parametrize("user_id", [0, 2])
async def test_names_of_people_follow_identity(ann: Client, neighbours: Neighbours, user_id: int) -> None:
    task = await ann.new_task(assignee_id=user_id)
    assert task.assignee.username == ("ben" if user_id else "")


async def test_a_task_that_is_only_tried_is_told_and_not_made(ann: Client, running: Running) -> None:
    request = task_service_pb2.CreateTaskRequest(
        name="tried", labels=[label_pb2.Label(name="car")], segment_size=10, overlap=2,
        validate_only=True, plan_size=25, plan_mode=task_pb2.TASK_MODE_INTERPOLATION,
        request_id=str(ids.uuid7()),
    )  # fmt: skip
    answer = await ann.tasks.CreateTask(request)
    assert (answer.task.id, answer.task.name, answer.task.owner.username) == (0, "tried", "ann")
    assert [(label.id, label.name) for label in answer.task.labels] == [(0, "car")]
    assert answer.task.labels[0].color
    found = [(segment.frames.first, segment.frames.last) for segment in answer.segments]
    assert found == [(0, 9), (8, 17), (16, 24)]
    assert await ann.list_tasks() == []
    for table in ("task", "label", "outbox", "request_record"):
        assert await running.runtime.db.fetchval(f"SELECT count(*) FROM {table}") == 0
    wrong = ann.new_task("", validate_only=True, overlap=-1, plan_size=-1, plan_mode=9)
    assert await wrong_fields(wrong) == ["name", "overlap", "plan_mode", "plan_size"]
