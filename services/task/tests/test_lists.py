"""Pages of lists: every order and filter, forwards and backwards, while rows come and go."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.task.v1 import job_pb2, job_service_pb2, project_service_pb2, task_pb2, task_service_pb2
from frameyard.task.v1.job_service_pb2 import ListJobsRequest
from frameyard.task.v1.project_service_pb2 import ListProjectsRequest
from frameyard.task.v1.task_service_pb2 import ListTasksRequest
from yard.runtime import auth
from yard.testkit import eventually
from yard.testkit.refusals import wrong_fields

from services.task.tests.neighbours import (
    ADMIN,
    ANN,
    BEN,
    CLEO,
    DORA,
    Client,
    Connect,
    Neighbours,
    Running,
    pages,
)

_TASK_ORDERS = list(task_service_pb2.TaskOrder.values())
_TASKS = 24


@pytest.fixture
async def many(running: Running, admin: Client) -> list[task_pb2.Task]:
    """Tasks of two projects and of none, of three owners, of nobody or somebody, in all statuses."""
    homes = [(await admin.new_project(name)).id for name in ("Zebra", "ape")]
    # Whoever calls is known from then on, whenever identity tells of them.
    people = ((ANN.user_id, "ann"), (BEN.user_id, "Ben"), (CLEO.user_id, "cleo"))
    await running.runtime.db.execute(
        """
        INSERT INTO person (id, username, username_key)
        SELECT id, name, lower(name) FROM unnest($1::bigint[], $2::text[]) AS people (id, name)
        ON CONFLICT (id) DO UPDATE SET username = excluded.username, username_key = excluded.username_key
        """,
        [each[0] for each in people],
        [each[1] for each in people],
    )
    for number in range(_TASKS):
        await running.runtime.db.execute(
            """
            INSERT INTO task (
                name, name_key, project_id, owner_id, assignee_id, jobs_total, jobs_annotation,
                jobs_validation, jobs_completed, mode, sync_status, issue_tracker, subset
            )
            VALUES ($1, lower($1), $2, $3, $4, 1, $5, $6, $7, $8, $9, $10, $11)
            """,
            f"Task {number * 7 % 10}",
            (*homes, None)[number % 3],
            people[number % 3][0],
            (ANN.user_id, BEN.user_id, None, 77)[number % 4],
            *(int(number % 3 == status) for status in range(3)),
            1 + number % 2,
            number % 6,
            f"https://Tracker.example.org/{number}",
            ("", "train")[number % 2],
        )
    return [item async for item in pages(admin.tasks.ListTasks, ListTasksRequest(), "tasks")]


def _sorted(tasks: list[task_pb2.Task], order: int, *, reverse: bool = False) -> list[task_pb2.Task]:
    return sorted(tasks, key=lambda task: _key(task, order), reverse=reverse)


def _key(task: task_pb2.Task, order: int) -> tuple[Any, ...]:
    """By what a task is sorted; who is not there comes last."""
    names: dict[int, str] = {
        task_service_pb2.TASK_ORDER_OWNER: task.owner.username,
        task_service_pb2.TASK_ORDER_ASSIGNEE: task.assignee.username,
        task_service_pb2.TASK_ORDER_PROJECT: task.project_name,
    }
    if order in names:
        return (not names[order], names[order].casefold(), task.id)
    keys: dict[int, tuple[Any, ...]] = {
        task_service_pb2.TASK_ORDER_UNSPECIFIED: (-task.id,),
        task_service_pb2.TASK_ORDER_OLDEST_FIRST: (task.id,),
        task_service_pb2.TASK_ORDER_NAME: (task.name.casefold(), task.id),
        task_service_pb2.TASK_ORDER_LAST_CHANGED_FIRST: (-task.update_time.ToMicroseconds(), -task.id),
        task_service_pb2.TASK_ORDER_STATUS: (task.status, task.id),
    }
    return keys[order]


async def test_every_order_holds_over_all_pages(admin: Client, many: list[task_pb2.Task]) -> None:
    for order in _TASK_ORDERS:
        for reverse in (False, True):
            wanted = _sorted(many, order, reverse=reverse)
            for size in (1, 5, 100):
                request = ListTasksRequest(order=order, reverse=reverse, page_size=size)
                found = [item.id async for item in pages(admin.tasks.ListTasks, request, "tasks")]
                assert found == [task.id for task in wanted], (order, reverse, size)
            for skip in (0, 1, 11, 30):
                request = ListTasksRequest(order=order, reverse=reverse, page_size=4, skip=skip)
                answer = await admin.tasks.ListTasks(request)
                assert list(answer.tasks) == wanted[skip : skip + 4]


async def test_a_part_is_ordered_likewise(ann: Client, many: list[task_pb2.Task]) -> None:
    mine = [task for task in many if ANN.user_id in (task.owner.id, task.assignee.id)]
    for order in _TASK_ORDERS:
        request = ListTasksRequest(order=order, page_size=3, with_total_size=True)
        found = [item.id async for item in pages(ann.tasks.ListTasks, request, "tasks")]
        assert found == [task.id for task in _sorted(mine, order)]
        assert (await ann.tasks.ListTasks(request)).total_size == len(mine)


async def test_every_filter_of_tasks(admin: Client, many: list[task_pb2.Task]) -> None:
    project_id = next(task.project_id for task in many if task.project_name == "ape")
    cases: list[tuple[dict[str, Any], Any]] = [
        ({"name_contains": "TASK 3"}, lambda task: task.name == "Task 3"),
        ({"project_id": project_id}, lambda task: task.project_name == "ape"),
        ({"project_contains": "AP"}, lambda task: task.project_name == "ape"),
        ({"owner_id": BEN.user_id}, lambda task: task.owner.id == BEN.user_id),
        ({"owner_contains": "bE"}, lambda task: task.owner.username == "Ben"),
        ({"assignee_id": ANN.user_id}, lambda task: task.assignee.id == ANN.user_id),
        ({"assignee_contains": "n"}, lambda task: task.assignee.username in ("ann", "Ben")),
        ({"status": 2}, lambda task: task.status == 2),
        ({"mode": 2}, lambda task: task.mode == 2),
        ({"sync_status": 5}, lambda task: task.sync_status == 5),
        ({"issue_tracker_contains": "tracker.EXAMPLE.org/2"}, lambda task: "/2" in task.issue_tracker),
        ({"subset": "train"}, lambda task: task.subset == "train"),
        ({"subset": "train", "mode": 1, "name_contains": "task"}, lambda task: False),
        ({"status": 3, "owner_contains": "C", "project_contains": "z"}, lambda task: False),
        ({"status": 1, "owner_contains": "A", "project_contains": "z"}, lambda task: task.status == 1),
    ]
    for fields, is_wanted in cases:
        request = ListTasksRequest(**fields, with_total_size=True, page_size=3)
        found = [item async for item in pages(admin.tasks.ListTasks, request, "tasks")]
        assert found == [task for task in many if is_wanted(task)], fields
        assert (await admin.tasks.ListTasks(request)).total_size == len(found)


async def test_pages_neither_skip_nor_repeat_while_rows_come_and_go(
    admin: Client, many: list[task_pb2.Task], running: Running
) -> None:
    for order in _TASK_ORDERS:
        stop = asyncio.Event()

        async def churn(stop: asyncio.Event = stop) -> None:
            while not stop.is_set():
                task = await admin.new_task("Task 5", assignee_id=BEN.user_id)
                await admin.delete_task(task.id)

        churning = asyncio.create_task(churn())
        request = ListTasksRequest(order=order, page_size=2)
        found = [item.id async for item in pages(admin.tasks.ListTasks, request, "tasks")]
        stop.set()
        await churning
        stayed = {task.id for task in many}
        assert [id_ for id_ in found if id_ in stayed] == [task.id for task in _sorted(many, order)]
        assert len(found) == len(set(found))


async def test_a_token_belongs_to_its_request(admin: Client, many: list[task_pb2.Task]) -> None:
    first = ListTasksRequest(order=task_service_pb2.TASK_ORDER_ASSIGNEE, page_size=2, skip=3)
    token = (await admin.tasks.ListTasks(first)).next_page_token
    order = first.order
    following = ListTasksRequest(order=order, page_size=9, page_token=token, with_total_size=True)
    assert (await admin.tasks.ListTasks(following)).total_size == len(many)
    for wrong in (
        ListTasksRequest(order=order, page_token=token, reverse=True),
        ListTasksRequest(order=order, page_token=token, subset="x"),
        ListTasksRequest(order=task_service_pb2.TASK_ORDER_OWNER, page_token=token),
    ):
        assert await wrong_fields(admin.tasks.ListTasks(wrong)) == ["page_token"]
    both = ListTasksRequest(order=order, page_token=token, skip=1)
    assert await wrong_fields(admin.tasks.ListTasks(both)) == ["skip"]


@pytest.mark.parametrize(
    "values", [[], [1], [-1, "a"], [True, "a"], ["1", "a"], [1, 2], [1, "a\0"], [1, "\ud800"]]
)
async def test_made_up_tokens_are_refused(
    admin: Client, many: list[task_pb2.Task], values: list[Any]
) -> None:
    request = ListTasksRequest(order=task_service_pb2.TASK_ORDER_NAME, page_size=1)
    token = (await admin.tasks.ListTasks(request)).next_page_token
    fingerprint = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))[0]
    made_up = base64.urlsafe_b64encode(json.dumps([fingerprint, *values]).encode()).decode().rstrip("=")
    request.page_token = made_up
    assert await wrong_fields(admin.tasks.ListTasks(request)) == ["page_token"]


async def test_all_faults_of_a_list_come_at_once(admin: Client) -> None:
    wrong: Any = 9
    tasks = ListTasksRequest(
        order=wrong,
        status=wrong,
        mode=wrong,
        sync_status=wrong,
        skip=-1,
        owner_contains="\0",
        subset="x" * 65,
        page_size=-1,
    )
    assert await wrong_fields(admin.tasks.ListTasks(tasks)) == [
        *("mode", "order", "owner_contains", "page_size", "skip", "status", "subset", "sync_status"),
    ]
    jobs = ListJobsRequest(
        order=wrong, stage=wrong, state=wrong, unassigned=True, assignee_id=1, task_contains="y" * 257
    )
    assert await wrong_fields(admin.jobs.ListJobs(jobs)) == [
        *("order", "stage", "state", "task_contains", "unassigned"),
    ]
    projects = ListProjectsRequest(order=wrong, status=wrong, skip=-1, assignee_contains="\0")
    assert await wrong_fields(admin.projects.ListProjects(projects)) == [
        *("assignee_contains", "order", "skip", "status"),
    ]


async def test_jobs_by_every_order_and_filter(ann: Client, cleo: Client, neighbours: Neighbours) -> None:
    task, jobs = await neighbours.ready_task(ann, 50, name="Long Road", segment_size=10, overlap=0)
    await ann.update_job(jobs[0].id, assignee=PersonRef(id=DORA.user_id), stage=job_pb2.JOB_STAGE_ACCEPTANCE)
    await ann.update_job(jobs[1].id, assignee=PersonRef(id=CLEO.user_id), state=job_pb2.JOB_STATE_REJECTED)
    await ann.update_job(jobs[3].id, reviewer=PersonRef(id=CLEO.user_id), stage=job_pb2.JOB_STAGE_VALIDATION)
    a, b, c, d, e = (job.id for job in jobs)
    orders = {
        job_service_pb2.JOB_ORDER_UNSPECIFIED: [a, b, c, d, e],
        job_service_pb2.JOB_ORDER_STATUS: [b, c, e, a, d],
        job_service_pb2.JOB_ORDER_ASSIGNEE: [b, a, c, d, e],
        job_service_pb2.JOB_ORDER_REVIEWER: [d, a, b, c, e],
    }
    for order, wanted in orders.items():
        for size in (1, 2, 9):
            for fields in ({"task_id": task.id}, {}):
                found = await ann.list_jobs(order=order, page_size=size, **fields)
                assert [job.id for job in found] == wanted
            turned = await ann.list_jobs(order=order, page_size=size, reverse=True)
            assert [job.id for job in turned] == wanted[::-1]
    changed = await ann.list_jobs(order=job_service_pb2.JOB_ORDER_LAST_CHANGED_FIRST)
    assert [job.id for job in changed][:3] == [d, b, a]
    filters: list[tuple[dict[str, Any], list[int]]] = [
        ({"stage": job_pb2.JOB_STAGE_ACCEPTANCE}, [a]),
        ({"state": job_pb2.JOB_STATE_REJECTED}, [b]),
        ({"unassigned": True}, [c, d, e]),
        ({"unreviewed": True}, [a, b, c, e]),
        ({"assignee_contains": "DO"}, [a]),
        ({"reviewer_contains": "leo"}, [d]),
        ({"task_contains": "road"}, [a, b, c, d, e]),
        ({"project_id": 77}, []),
        ({"status": job_pb2.JOB_STATUS_VALIDATION, "skip": 1}, [d]),
    ]
    for fields, wanted in filters:
        assert [job.id for job in await ann.list_jobs(**fields)] == wanted, fields
    assert {job.task_name for job in changed} == {"Long Road"}
    answer = await cleo.jobs.ListJobs(ListJobsRequest(page_size=1, with_total_size=True))
    assert ([job.id for job in answer.jobs], answer.total_size) == ([b], 2)
    assert [job.id for job in await cleo.list_jobs(assignee_id=CLEO.user_id)] == [b]
    assert await cleo.list_jobs(assignee_id=DORA.user_id) == []


async def test_projects_by_every_order_and_filter(ann: Client, ben: Client, connect: Connect) -> None:
    ids = [(await ann.new_project(name)).id for name in ("b", "A", "c")]
    ids.append((await ben.new_project("d", assignee_id=ANN.user_id)).id)
    orders = {
        project_service_pb2.PROJECT_ORDER_UNSPECIFIED: ["d", "c", "A", "b"],
        project_service_pb2.PROJECT_ORDER_OLDEST_FIRST: ["b", "A", "c", "d"],
        project_service_pb2.PROJECT_ORDER_NAME: ["A", "b", "c", "d"],
        project_service_pb2.PROJECT_ORDER_LAST_CHANGED_FIRST: ["b", "d", "c", "A"],
    }
    await ann.update_project(ids[0], issue_tracker="https://example.org")
    for order, wanted in orders.items():
        assert await ann.list_projects(order=order, page_size=1) == wanted
        assert await ann.list_projects(order=order, page_size=3, reverse=True) == wanted[::-1]
    assert await ann.list_projects(owner_contains="BE") == ["d"]
    assert await ann.list_projects(assignee_contains="ann") == ["d"]
    assert await ann.list_projects(status=job_pb2.JOB_STATUS_COMPLETED) == []
    request = ListProjectsRequest(page_size=1, skip=1, with_total_size=True)
    answer = await ann.projects.ListProjects(request)
    assert ([project.name for project in answer.projects], answer.total_size) == (["c"], 4)
    await ann.delete_project(ids[0])
    for client, wanted in ((ann, ["b"]), (ben, []), (connect(ADMIN), ["b"])):
        assert await client.list_projects(deleted=True) == wanted


async def test_deleted_tasks_are_listed_for_those_who_may_bring_them_back(
    ann: Client, ben: Client, admin: Client, export: Client
) -> None:
    kept, gone = await ann.new_task("kept"), await ann.new_task("gone", assignee_id=BEN.user_id)
    await ann.delete_task(gone.id)
    for order in _TASK_ORDERS:
        for client, wanted in ((ann, ["gone"]), (admin, ["gone"]), (ben, []), (export, [])):
            assert await client.list_tasks(deleted=True, order=order) == wanted
        assert await ann.list_tasks(order=order) == [kept.name]


async def test_names_follow_those_of_people(
    ann: Client, admin: Client, neighbours: Neighbours, running: Running
) -> None:
    first, second = await ann.new_task("by ann"), await admin.new_task("by admin")
    order = task_service_pb2.TASK_ORDER_OWNER
    assert await admin.list_tasks(order=order) == [second.name, first.name]
    renamed = auth.Principal(user_id=ANN.user_id, username="AAron", role="user")
    await neighbours.introduce(renamed)

    async def is_told() -> bool:
        name = "SELECT username FROM person WHERE id = $1"
        return bool(await running.runtime.db.fetchval(name, ANN.user_id) == renamed.username)

    await eventually(is_told)
    assert await admin.list_tasks(order=order) == [first.name, second.name]
    assert await admin.list_tasks(owner_contains="aar") == [first.name]
