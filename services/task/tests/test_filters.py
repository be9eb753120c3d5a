"""Lists by any condition and order: random ones against Python, every field of every list, pages, rights."""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import Any

import pytest
from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.common.v1.filter_pb2 import Filter
from frameyard.task.v1 import (
    issue_service_pb2,
    job_service_pb2,
    label_pb2,
    label_service_pb2,
    project_service_pb2,
    task_pb2,
)
from frameyard.task.v1.task_service_pb2 import TASK_ORDER_NAME, ListTasksRequest
from hypothesis import given, settings
from yard.task.domain.filters import NUMBER, TEXT, TIME, TRUTH
from yard.task.store import issue_views, job_views, label_views, project_views, task_views
from yard.testkit.refusals import wrong_fields

from services.task.tests.filtering import (
    CONTAINS,
    EQUAL,
    IN,
    IS_SET,
    RANGES,
    by,
    conditions,
    every,
    holds,
    no,
    where,
)
from services.task.tests.neighbours import ANN, BEN, CLEO, Client, Neighbours, Running, pages

_MODES = {1: "annotation", 2: "interpolation"}
_STATUSES = {1: "annotation", 2: "validation", 3: "completed"}
_VALUES = {
    "id": ["0", "3", "7", "9223372036854775807", "-5"],
    "name": ["task 3", "TASK 1", "", "sk", "'; DROP TABLE task; --", "%", "\N{KELVIN SIGN}"],
    "owner": ["ann", "BEN", "nobody", ""],
    "assignee": ["ann", "Ben", "e", "zoe"],
    "project_id": ["1", "2", "77"],
    "project_name": ["APE", "zebra", "e"],
    "subset": ["", "train", "TR"],
    "issue_tracker": ["https://tracker.example.org/3", "/1"],
    "size": ["0", "10", "25"],
    "create_time": ["2026-01-05T00:00:00Z", "2026-01-09T02:00:00+02:00"],
    "mode": [*_MODES.values()],
    "status": [*_STATUSES.values()],
}
_NUMBERS: list[int] = [EQUAL, IN, IS_SET, *RANGES]
_TEXTS: list[int] = [EQUAL, IN, IS_SET, CONTAINS]
_OPERATORS: dict[str, list[int]] = {
    **dict.fromkeys(_VALUES, _TEXTS),
    **dict.fromkeys(("id", "project_id", "size", "create_time"), _NUMBERS),
    **{name: [EQUAL, IN, IS_SET] for name in ("mode", "status")},
}


@pytest.fixture
async def many(running: Running, admin: Client) -> list[task_pb2.Task]:
    """Tasks of two projects and of none, of two owners, of nobody or somebody, in all statuses."""
    homes = [(await admin.new_project(name)).id for name in ("Zebra", "ape")]
    await admin.new_task("Task 0")
    await running.runtime.db.execute("DELETE FROM task")
    for number in range(20):
        status = number % 3
        await running.runtime.db.execute(
            """
            INSERT INTO task (
                name, name_key, project_id, owner_id, assignee_id, jobs_total, jobs_annotation,
                jobs_validation, jobs_completed, mode, issue_tracker, subset, size, created_at
            )
            VALUES ($1, lower($1), $2, $3, $4, 1, $5, $6, $7, $8, $9, $10, $11,
                timestamptz '2026-01-01Z' + $12 * interval '1 day')
            """,
            f"Task {number * 7 % 5}",
            (*homes, None)[number % 3],
            (ANN.user_id, BEN.user_id)[number % 2],
            (ANN.user_id, BEN.user_id, None)[number % 3],
            *(int(status == each) for each in range(3)),
            1 + number % 2,
            f"https://Tracker.example.org/{number % 4}" if number % 5 else "",
            ("", "Train")[number % 2],
            number % 4 * 10,
            number % 12,
        )
    return [item async for item in pages(admin.tasks.ListTasks, ListTasksRequest(), "tasks")]


def row_of(task: task_pb2.Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "name": task.name,
        "owner": task.owner.username or None,
        "assignee": task.assignee.username or None,
        "project_id": task.project_id or None,
        "project_name": task.project_name or None,
        "mode": _MODES[task.mode],
        "status": _STATUSES[task.status],
        "subset": task.subset,
        "issue_tracker": task.issue_tracker,
        "size": task.size,
        "create_time": task.create_time.ToDatetime(tzinfo=UTC),
        "update_time": task.update_time.ToDatetime(tzinfo=UTC),
    }


async def found(client: Client, condition: Filter | None = None, **fields: Any) -> list[int]:
    """Ids of all tasks that are found, page by page."""
    request = ListTasksRequest(filter=condition, **{"page_size": 1000, **fields})
    return [item.id async for item in pages(client.tasks.ListTasks, request, "tasks")]


async def test_random_conditions_select_what_python_selects(
    admin: Client, ann: Client, many: list[task_pb2.Task]
) -> None:
    loop = asyncio.get_running_loop()
    rows = {task.id: row_of(task) for task in many}
    hers = {task.id for task in many if ANN.user_id in (task.owner.id, task.assignee.id)}

    @settings(max_examples=150, deadline=None)
    @given(conditions(_VALUES, _OPERATORS))
    def agree(condition: Filter) -> None:
        wanted = [id_ for id_, row in rows.items() if holds(condition, row)]
        for client, visible in ((admin, set(rows)), (ann, hers)):
            answer = asyncio.run_coroutine_threadsafe(found(client, condition), loop).result(60)
            assert answer == [id_ for id_ in wanted if id_ in visible]

    await asyncio.to_thread(agree)


async def test_pages_and_totals_are_those_of_the_condition(
    admin: Client, ann: Client, many: list[task_pb2.Task]
) -> None:
    condition = no(where("owner", EQUAL, "BEN"))
    wanted = [task.id for task in many if task.owner.username == "ann"]
    assert await found(admin, condition, page_size=3) == wanted
    request = ListTasksRequest(filter=condition, skip=4, page_size=3, with_total_size=True, name_contains="2")
    answer = await admin.tasks.ListTasks(request)
    both = [task.id for task in many if task.owner.username == "ann" and "2" in task.name]
    assert ([task.id for task in answer.tasks], answer.total_size) == (both[4:7], len(both))


async def test_tasks_are_sorted_by_every_field(admin: Client, many: list[task_pb2.Task]) -> None:
    rows = {task.id: row_of(task) for task in many}
    numbers = {"mode": dict(zip(_MODES.values(), _MODES, strict=True))}
    numbers["status"] = dict(zip(_STATUSES.values(), _STATUSES, strict=True))

    def key(id_: int, name: str) -> tuple[bool, Any]:
        held = rows[id_][name]
        held = numbers[name][held] if name in numbers else held
        return (held is None, held.lower() if isinstance(held, str) else held or 0)

    for names in (
        *((name,) for name in rows[many[0].id]),
        ("subset", "owner"),
        ("project_name", "-size", "mode"),
    ):
        for sign in ("", "-"):
            keys = by(*names[:-1], f"{sign}{names[-1]}")
            wanted = sorted(rows, reverse=sign == "-")
            for sort_key in reversed(keys):
                wanted.sort(key=lambda id_: key(id_, sort_key.field), reverse=sort_key.descending)
            for size in (3, 1000):
                assert await found(admin, sort=keys, page_size=size) == wanted, (names, sign)
            answer = await admin.tasks.ListTasks(ListTasksRequest(sort=keys, skip=5, page_size=4))
            assert [task.id for task in answer.tasks] == wanted[5:9]


async def test_a_token_belongs_to_condition_and_order(admin: Client, many: list[task_pb2.Task]) -> None:
    first = ListTasksRequest(filter=where("size", EQUAL, "10"), sort=by("subset", "-size"), page_size=2)
    token = (await admin.tasks.ListTasks(first)).next_page_token
    changed: list[dict[str, Any]] = [
        {"sort": by("subset", "size")},
        {"sort": by("-subset", "-size")},
        {"sort": []},
        {"filter": where("size", EQUAL, "20")},
        {"filter": None},
    ]
    for changes in changed:
        other: dict[str, Any] = {"filter": first.filter, "sort": first.sort, **changes}
        request = ListTasksRequest(page_size=2, page_token=token, **other)
        assert await wrong_fields(admin.tasks.ListTasks(request)) == ["page_token"]
    first.page_token = token
    assert len((await admin.tasks.ListTasks(first)).tasks) == 2


async def test_faults_of_conditions_and_orders_are_named_with_the_others(ann: Client) -> None:
    wrong = every(where("size", EQUAL, "1"), where("password", EQUAL, "x"))
    request = ListTasksRequest(filter=wrong, sort=by("-id", "secret"), order=TASK_ORDER_NAME, skip=-1)
    assert await wrong_fields(ann.tasks.ListTasks(request)) == [
        "filter.all.filters[1].comparison.field",
        "order",
        "skip",
        "sort[1].field",
    ]
    request = ListTasksRequest(sort=by("id"), reverse=True)
    assert await wrong_fields(ann.tasks.ListTasks(request)) == ["reverse"]


_SAMPLES = {NUMBER: "1", TEXT: "a", TIME: "2026-01-01T00:00:00Z", TRUTH: "true"}
_NAMES = {
    "mode": "annotation",
    "status": "completed",
    "stage": "acceptance",
    "state": "new",
    "kind": "any",
    "sync_status": "failed",
}


async def test_every_field_of_every_list_compares_and_sorts(ann: Client, neighbours: Neighbours) -> None:
    _, [job, *_] = await neighbours.ready_task(ann, size=20, segment_size=10, overlap=0)
    lists: list[tuple[Any, Any, Any]] = [
        (ann.tasks.ListTasks, ListTasksRequest, task_views.FIELDS),
        (ann.projects.ListProjects, project_service_pb2.ListProjectsRequest, project_views.FIELDS),
        (ann.jobs.ListJobs, job_service_pb2.ListJobsRequest, job_views.FIELDS),
        (ann.issues.ListIssues, issue_service_pb2.ListIssuesRequest, issue_views.FIELDS),
        (ann.issues.ListComments, issue_service_pb2.ListCommentsRequest, issue_views.COMMENT_FIELDS),
        (ann.labels.ListLabels, label_service_pb2.ListLabelsRequest, label_views.FIELDS),
    ]
    assert job.id
    for call, request, columns in lists:
        for name, column in columns.items():
            value = _NAMES.get(name) or _SAMPLES[column.kind]
            for operator in sorted(column.kind.operators):
                given = () if operator == IS_SET else (value,)
                for condition in (where(name, operator, *given), no(where(name, operator, *given))):
                    await call(request(filter=condition, sort=by(f"-{name}"), with_total_size=True))
            await call(request(sort=by(name, "-id"), page_size=1))


async def test_jobs_issues_labels_and_projects_are_found_by_conditions(
    ann: Client, cleo: Client, neighbours: Neighbours
) -> None:
    project = await ann.new_project("Streets", labels=[label_pb2.Label(name=name) for name in ("Car", "bus")])
    _, jobs = await neighbours.ready_task(
        ann, project_id=project.id, name="Long Road", size=30, segment_size=10, overlap=0
    )
    await ann.update_job(jobs[1].id, assignee=PersonRef(id=CLEO.user_id))
    for frame in (3, 14):
        await ann.issues.CreateIssue(
            issue_service_pb2.CreateIssueRequest(
                job_id=jobs[frame // 10].id, frame=frame, position=[1, 1], message="look"
            )
        )
    of_cleo = where("assignee", EQUAL, "CLEO")
    assert [each.id for each in await ann.list_jobs(filter=of_cleo)] == [jobs[1].id]
    assert [each.id for each in await ann.list_jobs(filter=no(of_cleo))] == [jobs[0].id, jobs[2].id]
    turned = await cleo.list_jobs(
        filter=where("project_name", CONTAINS, "STREET"), sort=by("task_name", "-id")
    )
    assert [each.id for each in turned] == [jobs[1].id]
    request = issue_service_pb2.ListIssuesRequest(filter=where("frame", EQUAL, "14"), sort=by("frame"))
    assert [each.frame for each in (await ann.issues.ListIssues(request)).issues] == [14]
    request = issue_service_pb2.ListIssuesRequest(
        filter=no(where("resolved", EQUAL, "true")), sort=by("frame")
    )
    assert [each.frame for each in (await ann.issues.ListIssues(request)).issues] == [3, 14]
    wanted = label_service_pb2.ListLabelsRequest(project_id=project.id, sort=by("name"))
    assert [each.label.name for each in (await ann.labels.ListLabels(wanted)).labels] == ["bus", "Car"]
    wanted.filter.CopyFrom(where("name", EQUAL, "BUS"))
    assert [each.label.name for each in (await ann.labels.ListLabels(wanted)).labels] == ["bus"]
    assert await ann.list_projects(filter=where("name", IN, "streets", "x")) == ["Streets"]
    assert await cleo.list_projects(filter=where("owner", EQUAL, "ben")) == []


async def test_comments_are_found_by_conditions_newest_first(ann: Client, neighbours: Neighbours) -> None:
    _, jobs = await neighbours.ready_task(ann, size=20, segment_size=10, overlap=0)
    for frame in (3, 4, 14):
        await ann.issues.CreateIssue(
            issue_service_pb2.CreateIssueRequest(
                job_id=jobs[frame // 10].id, frame=frame, position=[1, 1], message=f"look at {frame}"
            )
        )
    request = issue_service_pb2.ListCommentsRequest(
        filter=where("job_id", EQUAL, str(jobs[0].id)), sort=by("-id"), with_total_size=True
    )
    answer = await ann.issues.ListComments(request)
    assert [each.message for each in answer.comments] == ["look at 4", "look at 3"]
    assert answer.total_size == 2
    assert [(await ann.job(each.id)).issue_count for each in jobs] == [2, 1]
    assert [each.issue_count for each in await ann.list_jobs()] == [2, 1]
