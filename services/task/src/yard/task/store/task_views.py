"""Tasks as people see them: with names, revision and labels, in one statement."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from frameyard.task.v1 import job_pb2, task_pb2
from yard.annotations.labels import Label
from yard.runtime.db import Record, Transaction
from yard.task.domain import filters
from yard.task.domain.requests import name_key
from yard.task.domain.rows import Task
from yard.task.store import Reader, lists
from yard.task.store.filters import Column, Filter, Name, NameOf, PersonName, Text
from yard.task.store.filters import add as add_filter
from yard.task.store.labels import OF_TASK, labels_from
from yard.task.store.lists import Groups, Order, Page, Position, Selection, Source
from yard.task.store.tasks import SELECT, VISIBLE, task_from

OrderName = Literal["id", "name", "last_changed", "owner", "assignee", "status", "project"]

_COLUMNS: Final = f"""
{SELECT},
    task.deleted_at,
    coalesce(project.name, '') AS project_name,
    coalesce(owner.username, '') AS owner_name,
    coalesce(assignee.username, '') AS assignee_name,
    (SELECT coalesce(sum(revision), 0)::bigint FROM job WHERE job.task_id = task.id) AS revision
"""  # noqa: S608 - literals only
_JOINS: Final = """
LEFT JOIN project ON project.id = task.project_id
LEFT JOIN person AS owner ON owner.id = task.owner_id
LEFT JOIN person AS assignee ON assignee.id = task.assignee_id
"""

_ONE = f"""
SELECT {_COLUMNS},
    ({OF_TASK}) AS labels,
    EXISTS (
        SELECT FROM job WHERE job.task_id = task.id AND (job.assignee_id = $2 OR job.reviewer_id = $2)
    ) AS is_worked_on
FROM task {_JOINS}
WHERE task.id = $1 AND {VISIBLE}
"""  # noqa: S608 - literals only

SOURCE: Final = Source(
    table="task",
    view=f"SELECT {_COLUMNS}, {{position}} AS position FROM {{chosen}} {_JOINS}",  # noqa: S608 - as above
)

# Sets that are looked up row by row, whatever else is selected: each is found once, and an order's index is
# read beside it. They stay sets by `IS TRUE`; as joins they would be taken for much smaller than they are.
_PROJECTS: Final = "(task.project_id IN (SELECT id FROM project WHERE {0})) IS TRUE"
LIVE: Final = """
    task.deleted_at IS NULL
    AND (task.project_id IN (SELECT id FROM project WHERE deleted_at IS NOT NULL)) IS NOT TRUE
"""
OF_USER: Final = """
    (
        task.owner_id = {0}
        OR task.assignee_id = {0}
        OR (
            task.project_id IN (SELECT id FROM project WHERE owner_id = {0} OR assignee_id = {0})
        ) IS TRUE
        OR (
            task.id IN (
                SELECT task_id FROM job WHERE assignee_id = {0}
                UNION ALL SELECT task_id FROM job WHERE reviewer_id = {0}
            )
        ) IS TRUE
    )
"""
_DELETED: Final = "task.deleted_at IS NOT NULL AND NOT task.is_purging"


def _by_name(column: str, table: str, key: str) -> Order:
    """By the name of what a column names, those that have none last."""
    return Order(
        key=f"named.{key}",
        joins=f"LEFT JOIN {table} AS named ON named.id = task.{column}",
        groups=Groups(column=f"task.{column}", table=table, key=key),
        has_nulls=True,
    )


ORDERS: Final[dict[OrderName, Order]] = {
    "id": Order(),
    "name": Order(key="task.name_key"),
    "last_changed": Order(key="task.updated_at", key_type="timestamptz", is_descending=True),
    "owner": _by_name("owner_id", "person", "username_key"),
    "assignee": _by_name("assignee_id", "person", "username_key"),
    "status": Order(key="task.status", key_type="smallint"),
    "project": _by_name("project_id", "project", "name_key"),
}


FIELDS: Final[dict[str, Column]] = {
    "id": Column(kind=filters.NUMBER, sql="task.id", sql_type="bigint", order=ORDERS["id"]),
    "name": Name(kind=filters.TEXT, sql="task.name_key", order=ORDERS["name"]),
    "owner": PersonName(sql="task.owner_id", alias="owned_by", order=ORDERS["owner"]),
    "assignee": PersonName(sql="task.assignee_id", alias="assigned_to", order=ORDERS["assignee"]),
    "project_id": Column(kind=filters.NUMBER, sql="task.project_id", sql_type="bigint"),
    "project_name": NameOf(
        sql="task.project_id", table="project", key="name_key", alias="home", order=ORDERS["project"]
    ),
    "mode": Column(kind=filters.choice(task_pb2.TaskMode), sql="task.mode", sql_type="smallint"),
    "status": Column(
        kind=filters.choice(job_pb2.JobStatus), sql="task.status", sql_type="smallint", order=ORDERS["status"]
    ),
    "sync_status": Column(
        kind=filters.choice(task_pb2.SyncStatus), sql="task.sync_status", sql_type="smallint"
    ),
    "subset": Text(kind=filters.TEXT, sql="task.subset"),
    "issue_tracker": Text(kind=filters.TEXT, sql="task.issue_tracker"),
    "size": Column(kind=filters.NUMBER, sql="task.size", sql_type="bigint"),
    "create_time": Column(kind=filters.TIME, sql="task.created_at", sql_type="timestamptz"),
    "update_time": Column(
        kind=filters.TIME,
        sql="task.updated_at",
        sql_type="timestamptz",
        order=ORDERS["last_changed"].reversed(),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task with what is stored elsewhere; `labels` only where they are asked for."""

    task: Task
    project_name: str
    owner_name: str
    assignee_name: str
    revision: int
    deleted_at: datetime | None
    labels: list[Label]
    is_worked_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which tasks a list shows; 0 and "" stand for any, `user_id` None for tasks of everybody.

    Instead of all tasks of a user the list of `deleted` ones shows those that the user may bring back.
    """

    user_id: int | None
    deleted: bool = False
    name_contains: str = ""
    project_id: int = 0
    owner_id: int = 0
    assignee_id: int = 0
    status: int = 0
    mode: int = 0
    sync_status: int = 0
    issue_tracker_contains: str = ""
    subset: str = ""
    owner_contains: str = ""
    assignee_contains: str = ""
    project_contains: str = ""
    filter: Filter | None = None


async def view_of(reader: Reader, task_id: int, user_id: int) -> TaskView | None:
    """The task with its labels, and whether the user works on a job of it; None if it is hidden."""
    row = await reader.fetchrow(_ONE, task_id, user_id)
    if row is None:
        return None
    return _view_from(row, labels_from(row["labels"]), is_worked_on=row["is_worked_on"])


async def page(tx: Transaction, search: Search, page: Page) -> list[tuple[TaskView, Position]]:
    """Tasks without labels, in the order that is asked for, each with its place in it."""
    if search.deleted:
        page = replace(page, order=replace(page.order, groups=None))
    rows = await lists.fetch(tx, SOURCE, selection_of(search), page)
    return [
        (_view_from(row, [], is_worked_on=False), Position(id=row["id"], key=row["position"])) for row in rows
    ]


async def count(tx: Transaction, search: Search) -> int:
    """All tasks that are found."""
    return await lists.count(tx, SOURCE, selection_of(search))


def selection_of(search: Search) -> Selection:
    """The conditions of a list."""
    selection = Selection()
    if search.deleted:
        selection.where(_DELETED)
        if search.user_id is not None:
            selection.where("task.owner_id = {0}", search.user_id)
    else:
        selection.where(LIVE)
        if search.user_id is not None:
            selection.where(OF_USER, search.user_id)
    _add_equal(selection, search)
    _add_contained(selection, search)
    add_filter(selection, search.filter, FIELDS)
    return selection


def _add_equal(selection: Selection, search: Search) -> None:
    wanted: dict[str, Any] = {
        "project_id": search.project_id,
        "owner_id": search.owner_id,
        "assignee_id": search.assignee_id,
        "status": search.status,
        "mode": search.mode,
        "sync_status": search.sync_status,
        "subset": search.subset,
    }
    for column, value in wanted.items():
        if value:
            selection.where(f"task.{column} = {{0}}", value)


def _add_contained(selection: Selection, search: Search) -> None:
    if search.name_contains:
        selection.where("strpos(task.name_key, {0}) > 0", name_key(search.name_contains))
    if search.issue_tracker_contains:
        selection.where("strpos(lower(task.issue_tracker), lower({0})) > 0", search.issue_tracker_contains)
    if search.project_contains:
        selection.where(_PROJECTS.format("strpos(name_key, {0}) > 0"), name_key(search.project_contains))
    lists.add_people(
        selection,
        {"task.owner_id": search.owner_contains, "task.assignee_id": search.assignee_contains},
    )


def _view_from(row: Record, labels: list[Label], *, is_worked_on: bool) -> TaskView:
    return TaskView(
        task=task_from(row),
        project_name=row["project_name"],
        owner_name=row["owner_name"],
        assignee_name=row["assignee_name"],
        revision=row["revision"],
        deleted_at=row["deleted_at"],
        labels=labels,
        is_worked_on=is_worked_on,
    )
