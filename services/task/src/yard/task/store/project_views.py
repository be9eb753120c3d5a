"""Lists of projects."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from frameyard.task.v1 import job_pb2
from yard.runtime.db import Transaction
from yard.task.domain import filters
from yard.task.domain.requests import name_key
from yard.task.store import lists
from yard.task.store.filters import Column, Filter, Name, PersonName, Text
from yard.task.store.filters import add as add_filter
from yard.task.store.lists import Order, Page, Position, Selection, Source
from yard.task.store.projects import OF_USER, VIEW_COLUMNS, VIEW_JOINS, ProjectView, view_from

OrderName = Literal["id", "name", "last_changed"]

_SOURCE: Final = Source(
    table="project",
    view=f"SELECT {VIEW_COLUMNS}, {{position}} AS position FROM {{chosen}} {VIEW_JOINS}",  # noqa: S608
)

ORDERS: Final[dict[OrderName, Order]] = {
    "id": Order(),
    "name": Order(key="project.name_key"),
    "last_changed": Order(key="project.updated_at", key_type="timestamptz", is_descending=True),
}


FIELDS: Final[dict[str, Column]] = {
    "id": Column(kind=filters.NUMBER, sql="project.id", sql_type="bigint", order=ORDERS["id"]),
    "name": Name(kind=filters.TEXT, sql="project.name_key", order=ORDERS["name"]),
    "owner": PersonName(sql="project.owner_id", alias="owned_by"),
    "assignee": PersonName(sql="project.assignee_id", alias="assigned_to"),
    "status": Column(kind=filters.choice(job_pb2.JobStatus), sql="project.status", sql_type="smallint"),
    "issue_tracker": Text(kind=filters.TEXT, sql="project.issue_tracker"),
    "create_time": Column(kind=filters.TIME, sql="project.created_at", sql_type="timestamptz"),
    "update_time": Column(
        kind=filters.TIME,
        sql="project.updated_at",
        sql_type="timestamptz",
        order=ORDERS["last_changed"].reversed(),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which projects a list shows; 0 and "" stand for any, `user_id` None for projects of everybody.

    Instead of all projects of a user the list of `deleted` ones shows those that the user may bring back.
    """

    user_id: int | None
    deleted: bool = False
    name_contains: str = ""
    owner_id: int = 0
    assignee_id: int = 0
    status: int = 0
    owner_contains: str = ""
    assignee_contains: str = ""
    filter: Filter | None = None


async def page(tx: Transaction, search: Search, page: Page) -> list[tuple[ProjectView, Position]]:
    """Projects without labels, in the order that is asked for, each with its place in it."""
    rows = await lists.fetch(tx, _SOURCE, _selection(search), page)
    return [(view_from(row, []), Position(id=row["id"], key=row["position"])) for row in rows]


async def count(tx: Transaction, search: Search) -> int:
    """All projects that are found."""
    return await lists.count(tx, _SOURCE, _selection(search))


def _selection(search: Search) -> Selection:
    selection = Selection()
    selection.where(f"project.deleted_at IS {'NOT NULL' if search.deleted else 'NULL'}")
    if search.user_id is not None:
        selection.where("project.owner_id = {0}" if search.deleted else OF_USER, search.user_id)
    wanted: dict[str, Any] = {
        "owner_id": search.owner_id,
        "assignee_id": search.assignee_id,
        "status": search.status,
    }
    for column, value in wanted.items():
        if value:
            selection.where(f"project.{column} = {{0}}", value)
    if search.name_contains:
        selection.where("strpos(project.name_key, {0}) > 0", name_key(search.name_contains))
    lists.add_people(
        selection,
        {"project.owner_id": search.owner_contains, "project.assignee_id": search.assignee_contains},
    )
    add_filter(selection, search.filter, FIELDS)
    return selection
