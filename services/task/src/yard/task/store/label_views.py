"""Labels with where they belong: one, and lists of them."""

from dataclasses import dataclass
from typing import Final

from frameyard.task.v1 import label_pb2
from yard.annotations.labels import Label
from yard.runtime.db import Record, Transaction
from yard.task.domain import filters
from yard.task.store import Reader, lists, projects, task_views
from yard.task.store.filters import Column, Filter, Text
from yard.task.store.filters import add as add_filter
from yard.task.store.labels import COLUMNS, label_from
from yard.task.store.lists import Order, Page, Position, Selection, Source

BY_ID: Final = Order()

FIELDS: Final[dict[str, Column]] = {
    "id": Column(kind=filters.NUMBER, sql="label.id", sql_type="bigint", order=BY_ID),
    "name": Text(kind=filters.TEXT, sql="label.name"),
    "kind": Column(kind=filters.choice(label_pb2.LabelKind), sql="label.kind", sql_type="smallint"),
    "color": Text(kind=filters.TEXT, sql="label.color"),
}

_VIEW: Final = f"{COLUMNS}, label.task_id, label.project_id"
_SOURCE: Final = Source(
    table="label",
    view=f"SELECT {_VIEW}, {{position}} AS position FROM {{chosen}}",  # noqa: S608 - literals only
)
_ONE: Final = f"SELECT {_VIEW} FROM label WHERE label.id = $1"  # noqa: S608 - literals only

# A label belongs to a task or to a project, of which those that can be seen are found once.
_VISIBLE: Final = """
    (
        (label.task_id IN (SELECT task.id FROM task WHERE {tasks})) IS TRUE
        OR (label.project_id IN (SELECT project.id FROM project WHERE {projects})) IS TRUE
    )
"""
_LIVE: Final = {"tasks": task_views.LIVE, "projects": "project.deleted_at IS NULL"}
_OF_USER: Final = {
    "tasks": f"{task_views.LIVE} AND {task_views.OF_USER}",
    "projects": f"project.deleted_at IS NULL AND {projects.OF_USER}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelView:
    """A label and whose own it is: a task's or a project's."""

    label: Label
    task_id: int | None
    project_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which labels a list shows: those of one owner, or all that a user sees; None for those of everybody."""

    user_id: int | None = None
    task_id: int | None = None
    project_id: int | None = None
    name_contains: str = ""
    filter: Filter | None = None


async def view_of(reader: Reader, label_id: int) -> LabelView | None:
    """A label, whoever may see it."""
    row = await reader.fetchrow(_ONE, label_id)
    return None if row is None else _view_from(row)


async def page(tx: Transaction, search: Search, page: Page) -> list[tuple[LabelView, Position]]:
    """Labels in the order that is asked for, each with its place in it."""
    rows = await lists.fetch(tx, _SOURCE, _selection(search), page)
    return [(_view_from(row), Position(id=row["id"], key=row["position"])) for row in rows]


async def count(tx: Transaction, search: Search) -> int:
    """All labels that are found."""
    return await lists.count(tx, _SOURCE, _selection(search))


def _selection(search: Search) -> Selection:
    selection = Selection()
    if search.task_id is not None:
        selection.where("label.task_id = {0}", search.task_id)
    elif search.project_id is not None:
        selection.where("label.project_id = {0}", search.project_id)
    elif search.user_id is not None:
        selection.where(_VISIBLE.format(**_OF_USER), search.user_id)
    else:
        selection.where(_VISIBLE.format(**_LIVE))
    if search.name_contains:
        selection.where("strpos(lower(label.name), lower({0})) > 0", search.name_contains)
    add_filter(selection, search.filter, FIELDS)
    return selection


def _view_from(row: Record) -> LabelView:
    return LabelView(label=label_from(row), task_id=row["task_id"], project_id=row["project_id"])
