import asyncio
import uuid
from typing import Any

import pytest
from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.operation.v1 import operation_pb2
from frameyard.task.v1 import (
    job_service_pb2,
    label_pb2,
    project_service_pb2,
    task_events_pb2,
    task_service_pb2,
)
from frameyard.task.v1.task_events_pb2 import ProjectCreated, ProjectDeleted, ProjectUpdated, TaskDeleted
from yard.runtime import errors, paging
from yard.task.handlers.projects import HIDDEN_AT_ONCE
from yard.testkit import eventually
from yard.testkit.refusals import refused, wrong_fields

from services.task.tests.neighbours import ANN, BEN, CLEO, Client, Neighbours, Running, emitted

PERSON = label_pb2.Label(
    name="person",
    color="#112233",
    kind=label_pb2.LABEL_KIND_RECTANGLE,
    attributes=[
        label_pb2.Attribute(
            name="pose", mutable=True, input=label_pb2.ATTRIBUTE_INPUT_SELECT, values=["up", "down"]
        ),
        label_pb2.Attribute(name="note", input=label_pb2.ATTRIBUTE_INPUT_TEXT, default_value=""),
    ],
)


async def test_a_new_project_is_as_asked_for_and_told(ann: Client, running: Running) -> None:
    project = await ann.new_project(
        "Street", labels=[PERSON, label_pb2.Label(name="car")], assignee_id=2, issue_tracker="https://x.org/1"
    )
    assert (project.name, project.issue_tracker, project.task_count) == ("Street", "https://x.org/1", 0)
    assert project.owner == PersonRef(id=1, username="ann")
    assert project.assignee == PersonRef(id=2, username="ben")
    person, car = project.labels
    assert (car.name, car.kind, car.color[0]) == ("car", label_pb2.LABEL_KIND_ANY, "#")
    assert [attribute.id > 0 for attribute in person.attributes] == [True, True]
    assert not person.attributes[0].HasField("default_value")
    assert person.attributes[1].HasField("default_value")
    expected = label_pb2.Label()
    expected.CopyFrom(PERSON)
    expected.id = person.id
    for wanted, got in zip(expected.attributes, person.attributes, strict=True):
        wanted.id = got.id
    assert person == expected
    assert await ann.project(project.id) == project
    assert await emitted(running, project.id) == [
        ProjectCreated(project_id=project.id, name="Street", owner_id=1)
    ]


async def test_all_faults_of_a_project_come_at_once(ann: Client, running: Running) -> None:
    labels = [PERSON, PERSON, label_pb2.Label(name="x", color="red")]
    call = ann.new_project("", labels=labels, assignee_id=77, issue_tracker="nowhere")
    assert await wrong_fields(call) == [
        "assignee_id",
        "issue_tracker",
        "labels[1].name",
        "labels[2].color",
        "name",
    ]
    assert await running.runtime.db.fetchval("SELECT count(*) FROM project") == 0


async def test_a_repeated_request_makes_one_project(ann: Client, ben: Client, running: Running) -> None:
    request_id = str(uuid.UUID(int=1))
    calls = [ann.new_project("once", labels=[PERSON], request_id=request_id) for _ in range(4)]
    first, *others = await asyncio.gather(*calls)
    assert all(other == first for other in others)
    assert (await ben.new_project("once", request_id=request_id)).id != first.id
    assert await wrong_fields(ann.new_project("other", request_id=request_id)) == ["request_id"]
    assert await running.runtime.db.fetchval("SELECT count(*) FROM project") == 2


async def test_workers_and_services_make_no_projects(cleo: Client, export: Client) -> None:
    assert isinstance(await refused(cleo.new_project()), errors.PermissionDenied)
    assert isinstance(await refused(export.new_project()), errors.PermissionDenied)


async def test_who_sees_a_project(
    ann: Client,
    ben: Client,
    cleo: Client,
    stranger: Client,
    admin: Client,
    export: Client,
    neighbours: Neighbours,
) -> None:
    project = await ann.new_project(assignee_id=BEN.user_id)
    for client in (ann, ben, admin, export):
        assert (await client.project(project.id)).id == project.id
        assert await client.list_projects() == ["a project"]
    for client in (cleo, stranger):
        assert isinstance(await refused(client.project(project.id)), errors.NotFound)
        assert await client.list_projects() == []
    assert isinstance(await refused(ann.project(project.id + 1)), errors.NotFound)

    _, jobs = await neighbours.ready_task(ann, project_id=project.id)
    await ann.update_job(jobs[0].id, assignee=PersonRef(id=CLEO.user_id))
    assert (await cleo.project(project.id)).id == project.id
    assert await cleo.list_projects() == ["a project"]
    assert isinstance(await refused(stranger.project(project.id)), errors.NotFound)


async def test_who_changes_a_project(
    ann: Client, ben: Client, cleo: Client, stranger: Client, admin: Client, export: Client
) -> None:
    project = await ann.new_project(assignee_id=BEN.user_id)
    task = await ann.new_task(project_id=project.id, assignee_id=CLEO.user_id)
    for client in (ann, ben, admin):
        assert (await client.update_project(project.id, name="other")).name == "other"
    for client in (cleo, export):
        assert isinstance(await refused(client.update_project(project.id, name="x")), errors.PermissionDenied)
    assert isinstance(await refused(stranger.update_project(project.id, name="x")), errors.NotFound)
    for client in (ben, cleo, export):
        assert isinstance(await refused(client.delete_project(project.id)), errors.PermissionDenied)
    assert isinstance(await refused(stranger.delete_project(project.id)), errors.NotFound)
    assert (await cleo.task(task.id)).project_id == project.id


async def test_changes_are_those_of_the_mask(ann: Client, running: Running) -> None:
    project = await ann.new_project("old", assignee_id=BEN.user_id, issue_tracker="https://x.org/1")
    changed = await ann.update_project(project.id, "name", "assignee", name="new", issue_tracker="ignored")
    assert (changed.name, changed.issue_tracker) == ("new", "https://x.org/1")
    assert not changed.HasField("assignee")
    assert changed.update_time.ToDatetime() > project.update_time.ToDatetime()
    same = await ann.update_project(project.id, name="new")
    assert same == changed
    assert (await emitted(running, project.id))[1:] == [
        ProjectUpdated(project_id=project.id, changed_fields=["name", "assignee"], user_id=ANN.user_id)
    ]


async def test_all_faults_of_a_change_come_at_once(ann: Client) -> None:
    project = await ann.new_project()
    call = ann.update_project(
        project.id,
        "name",
        "assignee",
        "issue_tracker",
        "labels",
        issue_tracker="x",
        assignee=PersonRef(id=77),
    )
    assert await wrong_fields(call) == [
        "project.assignee",
        "project.issue_tracker",
        "project.name",
        "update_mask",
    ]
    empty = project_service_pb2.UpdateProjectRequest(project=project)
    assert await wrong_fields(ann.projects.UpdateProject(empty)) == ["update_mask"]


async def test_lists_are_paged_and_filtered(ann: Client, ben: Client) -> None:
    for number in range(5):
        await ann.new_project(f"Straße {number}", assignee_id=BEN.user_id if number % 2 else 0)
    await ben.new_project("100% other_one", assignee_id=ANN.user_id)
    numbers = [f"Straße {number}" for number in range(4, -1, -1)]
    assert await ann.list_projects(page_size=2) == ["100% other_one", *numbers]
    assert await ann.list_projects(name_contains="STRASSE", page_size=5) == numbers
    assert await ann.list_projects(name_contains="0% OTHER_") == ["100% other_one"]
    assert await ann.list_projects(name_contains="%x") == []
    assert await ann.list_projects(owner_id=ANN.user_id, assignee_id=BEN.user_id) == ["Straße 3", "Straße 1"]
    assert await ann.list_projects(owner_id=BEN.user_id) == ["100% other_one"]


async def test_page_tokens_belong_to_their_request(ann: Client) -> None:
    for number in range(3):
        await ann.new_project(str(number))
    request = project_service_pb2.ListProjectsRequest(page_size=1)
    token = (await ann.projects.ListProjects(request)).next_page_token
    other = project_service_pb2.ListProjectsRequest(page_token=token, owner_id=1)
    assert await wrong_fields(ann.projects.ListProjects(other)) == ["page_token"]
    assert await wrong_fields(ann.list_projects(page_token="x")) == ["page_token"]
    assert await wrong_fields(ann.list_projects(page_size=-1)) == ["page_size"]


@pytest.mark.parametrize("values", [[], ["x"], [-1], [2**63], [1, 2], [1.5], [None]])
async def test_page_tokens_of_other_makers_are_refused(ann: Client, values: list[Any]) -> None:
    token = paging.encode(values, project_service_pb2.ListProjectsRequest())
    assert await wrong_fields(ann.list_projects(page_token=token)) == ["page_token"]
    jobs_token = paging.encode(values, job_service_pb2.ListJobsRequest())
    assert await wrong_fields(ann.list_jobs(page_token=jobs_token)) == ["page_token"]
    by_change = task_service_pb2.TASK_ORDER_LAST_CHANGED_FIRST
    token = paging.encode(values, task_service_pb2.ListTasksRequest(order=by_change))
    assert await wrong_fields(ann.list_tasks(order=by_change, page_token=token)) == ["page_token"]


async def test_a_project_sums_up_its_tasks(ann: Client, neighbours: Neighbours) -> None:
    project = await ann.new_project()
    await neighbours.ready_task(ann, size=20, project_id=project.id, segment_size=10, overlap=0)
    await ann.new_task(project_id=project.id)
    found = await ann.project(project.id)
    assert (found.task_count, found.jobs.total, found.jobs.annotation) == (2, 2, 2)


async def test_a_deleted_project_is_hidden_with_its_tasks(
    ann: Client, running: Running, neighbours: Neighbours
) -> None:
    project = await ann.new_project()
    task, [job] = await neighbours.ready_task(ann, project_id=project.id)
    open_task = await ann.new_task(project_id=project.id)
    operation = await ann.attach(open_task.id)
    await ann.delete_project(project.id)

    assert isinstance(await refused(ann.project(project.id)), errors.NotFound)
    assert isinstance(await refused(ann.task(task.id)), errors.NotFound)
    assert isinstance(await refused(ann.job(job.id)), errors.NotFound)
    assert isinstance(await refused(ann.new_task(project_id=project.id)), errors.NotFound)
    assert (await ann.list_projects(), await ann.list_tasks(), await ann.list_jobs()) == ([], [], [])
    assert ProjectDeleted(project_id=project.id, user_id=ANN.user_id) in await emitted(running, project.id)

    deleted = TaskDeleted(task_id=task.id, media_id=task.media_id, user_id=ANN.user_id)

    async def told() -> bool:
        events = await emitted(running, open_task.id)
        return any(isinstance(event, TaskDeleted) for event in events)

    await eventually(told)
    assert deleted in await emitted(running, task.id)
    events = await emitted(running, open_task.id)
    assert [type(event) for event in events[-2:]] == [task_events_pb2.MediaRequestCancelled, TaskDeleted]
    assert (await ann.operation(operation.name)).state == operation_pb2.OPERATION_STATE_CANCELLED


async def test_many_tasks_of_a_project_are_hidden_some_at_a_time(ann: Client, running: Running) -> None:
    project = await ann.new_project()
    await asyncio.gather(*(ann.new_task(project_id=project.id) for _ in range(2 * HIDDEN_AT_ONCE + 1)))
    await ann.delete_project(project.id)

    async def told() -> bool:
        count = "SELECT count(*) FROM outbox WHERE type = 'frameyard.task.v1.TaskDeleted'"
        return bool(await running.runtime.db.fetchval(count) == 2 * HIDDEN_AT_ONCE + 1)

    assert await eventually(told)


@pytest.mark.parametrize("text", ["\0", "x" * 300])
async def test_searches_are_for_parts_of_names(ann: Client, text: str) -> None:
    assert await wrong_fields(ann.list_projects(name_contains=text)) == ["name_contains"]
