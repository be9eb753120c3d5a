"""Jobs as people see them: with names, the task and the project."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from frameyard.task.v1 import job_pb2, task_pb2
from yard.runtime.db import Record, Transaction
from yard.task.domain import filters
from yard.task.domain.requests import name_key
from yard.task.domain.rows import Job
from yard.task.store import Reader, lists
from yard.task.store.filters import Column, Filter, Name, PersonName
from yard.task.store.filters import add as add_filter
from yard.task.store.jobs import COLUMNS, job_from
from yard.task.store.lists import Order, Page, Position, Selection, Source

OrderName = Literal["id", "status", "assignee", "reviewer", "last_changed"]

_COLUMNS: Final = f"""
{", ".join(f"job.{column}" for column in COLUMNS)},
    task.name AS task_name,
    coalesce(task.project_id, 0) AS project_id,
    coalesce(assignee.username, '') AS assignee_name,
    coalesce(reviewer.username, '') AS reviewer_name,
    (SELECT count(*) FROM issue WHERE issue.job_id = job.id) AS issue_count
"""  # noqa: S608 - literals only
_JOINS: Final = """
JOIN task ON task.id = job.task_id
LEFT JOIN project ON project.id = task.project_id
LEFT JOIN person AS assignee ON assignee.id = job.assignee_id
LEFT JOIN person AS reviewer ON reviewer.id = job.reviewer_id
"""

# Jobs of which somebody may know: $1 is the user.
OF_USER: Final = """
    SELECT id FROM job WHERE assignee_id = $1
    UNION SELECT id FROM job WHERE reviewer_id = $1
    UNION
    SELECT job.id
    FROM job
    JOIN task ON task.id = job.task_id
    WHERE task.owner_id = $1 OR task.assignee_id = $1
    UNION
    SELECT job.id
    FROM job
    JOIN task ON task.id = job.task_id
    JOIN project ON project.id = task.project_id
    WHERE project.owner_id = $1 OR project.assignee_id = $1
"""

# Few jobs are looked at one by one, many are found by what they belong to.
IS_OF_USER: Final = """
    $1 IN (
        job.assignee_id, job.reviewer_id,
        task.owner_id, task.assignee_id,
        project.owner_id, project.assignee_id
    )
"""

_SOURCE: Final = Source(
    table="job",
    joins="JOIN task ON task.id = job.task_id LEFT JOIN project ON project.id = task.project_id",
    view=f"SELECT {_COLUMNS}, {{position}} AS position FROM {{chosen}} {_JOINS}",  # noqa: S608 - as above
)

_NAME_OF: Final = "LEFT JOIN person AS named ON named.id = job.{}"
ORDERS: Final[dict[OrderName, Order]] = {
    "id": Order(),
    "status": Order(key="job.status", key_type="smallint"),
    "assignee": Order(key="named.username_key", joins=_NAME_OF.format("assignee_id"), has_nulls=True),
    "reviewer": Order(key="named.username_key", joins=_NAME_OF.format("reviewer_id"), has_nulls=True),
    "last_changed": Order(key="job.updated_at", key_type="timestamptz", is_descending=True),
}


FIELDS: Final[dict[str, Column]] = {
    "id": Column(kind=filters.NUMBER, sql="job.id", sql_type="bigint", order=ORDERS["id"]),
    "assignee": PersonName(sql="job.assignee_id", alias="assigned_to", order=ORDERS["assignee"]),
    "task_id": Column(kind=filters.NUMBER, sql="job.task_id", sql_type="bigint"),
    "task_name": Name(kind=filters.TEXT, sql="task.name_key"),
    "project_id": Column(kind=filters.NUMBER, sql="task.project_id", sql_type="bigint"),
    "project_name": Name(kind=filters.TEXT, sql="project.name_key"),
    "mode": Column(kind=filters.choice(task_pb2.TaskMode), sql="task.mode", sql_type="smallint"),
    "stage": Column(kind=filters.choice(job_pb2.JobStage), sql="job.stage", sql_type="smallint"),
    "state": Column(kind=filters.choice(job_pb2.JobState), sql="job.state", sql_type="smallint"),
    "status": Column(
        kind=filters.choice(job_pb2.JobStatus), sql="job.status", sql_type="smallint", order=ORDERS["status"]
    ),
    "create_time": Column(kind=filters.TIME, sql="job.created_at", sql_type="timestamptz"),
    "update_time": Column(
        kind=filters.TIME,
        sql="job.updated_at",
        sql_type="timestamptz",
        order=ORDERS["last_changed"].reversed(),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job with what is stored elsewhere; project 0: none."""

    job: Job
    task_name: str
    project_id: int
    assignee_name: str
    reviewer_name: str
    issue_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which jobs a list shows; 0 and "" stand for any, `user_id` None for jobs of everybody."""

    user_id: int | None = None
    task_id: int = 0
    project_id: int = 0
    status: int = 0
    stage: int = 0
    state: int = 0
    assignee_id: int = 0
    reviewer_id: int = 0
    unassigned: bool = False
    unreviewed: bool = False
    assignee_contains: str = ""
    reviewer_contains: str = ""
    task_contains: str = ""
    filter: Filter | None = None


async def view_of(reader: Reader, job_id: int) -> JobView:
    """A job that exists."""
    row = await reader.fetchrow(
        f"SELECT {_COLUMNS} FROM job {_JOINS} WHERE job.id = $1",  # noqa: S608 - literals only
        job_id,
    )
    assert row is not None
    return _view_from(row)


async def first_of_task(tx: Transaction, task_id: int, limit: int) -> list[JobView]:
    """The first jobs of a task, hidden or not, in frame order."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM job {_JOINS} WHERE job.task_id = $1 ORDER BY job.id LIMIT $2",  # noqa: S608
        task_id,
        limit,
    )
    return [_view_from(row) for row in rows]


async def page(tx: Transaction, search: Search, page: Page) -> list[tuple[JobView, Position]]:
    """Jobs in the order that is asked for, each with its place in it."""
    rows = await lists.fetch(tx, _SOURCE, _selection(search), page)
    return [(_view_from(row), Position(id=row["id"], key=row["position"])) for row in rows]


async def count(tx: Transaction, search: Search) -> int:
    """All jobs that are found."""
    return await lists.count(tx, _SOURCE, _selection(search))


def _selection(search: Search) -> Selection:
    selection = Selection()
    selection.where("task.deleted_at IS NULL AND project.deleted_at IS NULL")
    _add_whose(selection, search)
    wanted: dict[str, Any] = {
        "job.task_id": search.task_id,
        "task.project_id": search.project_id,
        "job.status": search.status,
        "job.stage": search.stage,
        "job.state": search.state,
        "job.assignee_id": search.assignee_id,
        "job.reviewer_id": search.reviewer_id,
    }
    for column, value in wanted.items():
        if value:
            selection.where(f"{column} = {{0}}", value)
    for column, is_wanted in {"assignee_id": search.unassigned, "reviewer_id": search.unreviewed}.items():
        if is_wanted:
            selection.where(f"job.{column} IS NULL")
    if search.task_contains:
        selection.where("strpos(task.name_key, {0}) > 0", name_key(search.task_contains))
    lists.add_people(
        selection,
        {"job.assignee_id": search.assignee_contains, "job.reviewer_id": search.reviewer_contains},
    )
    add_filter(selection, search.filter, FIELDS)
    return selection


def _add_whose(selection: Selection, search: Search) -> None:
    """Jobs of which the user may know; nothing is to be looked up for the user's own ones."""
    if search.user_id is None or search.user_id in (search.assignee_id, search.reviewer_id):
        return
    # The user is the first argument, as both conditions have it.
    assert selection.hold(search.user_id) == "$1"
    selection.where(IS_OF_USER if search.task_id else f"(job.id IN ({OF_USER})) IS TRUE")


def _view_from(row: Record) -> JobView:
    return JobView(
        job=job_from(row),
        task_name=row["task_name"],
        project_id=row["project_id"],
        assignee_name=row["assignee_name"],
        reviewer_name=row["reviewer_name"],
        issue_count=row["issue_count"],
    )
