"""Lists of issues, and of what is said about them."""

from dataclasses import dataclass
from typing import Final

from yard.runtime.db import Transaction
from yard.task.domain import filters
from yard.task.store import lists
from yard.task.store.filters import Column, Filter, PersonName
from yard.task.store.filters import add as add_filter
from yard.task.store.issues import (
    COMMENT_COLUMNS,
    COMMENT_JOINS,
    HOME,
    VIEW_COLUMNS,
    VIEW_JOINS,
    VISIBLE,
    CommentView,
    IssueView,
    comment_from,
    view_from,
)
from yard.task.store.job_views import IS_OF_USER, OF_USER
from yard.task.store.lists import Order, Page, Position, Selection, Source

NEWEST_FIRST: Final = Order(is_descending=True)
BY_AGE: Final = Order()

FIELDS: Final[dict[str, Column]] = {
    "id": Column(kind=filters.NUMBER, sql="issue.id", sql_type="bigint", order=BY_AGE),
    "job_id": Column(kind=filters.NUMBER, sql="issue.job_id", sql_type="bigint"),
    "task_id": Column(kind=filters.NUMBER, sql="issue.task_id", sql_type="bigint"),
    "frame": Column(kind=filters.NUMBER, sql="issue.frame", sql_type="bigint"),
    "owner": PersonName(sql="issue.owner_id", alias="opened_by"),
    "assignee": PersonName(sql="issue.assignee_id", alias="assigned_to"),
    "resolved": Column(kind=filters.TRUTH, sql="issue.resolved", sql_type="boolean"),
    "create_time": Column(kind=filters.TIME, sql="issue.created_at", sql_type="timestamptz"),
    "update_time": Column(kind=filters.TIME, sql="issue.updated_at", sql_type="timestamptz"),
}

COMMENT_FIELDS: Final[dict[str, Column]] = {
    "id": Column(kind=filters.NUMBER, sql="comment.id", sql_type="bigint", order=BY_AGE),
    "issue_id": Column(kind=filters.NUMBER, sql="comment.issue_id", sql_type="bigint"),
    "job_id": FIELDS["job_id"],
    "task_id": FIELDS["task_id"],
    "frame": FIELDS["frame"],
    "owner": PersonName(sql="comment.owner_id", alias="written_by"),
    "create_time": Column(kind=filters.TIME, sql="comment.created_at", sql_type="timestamptz"),
    "update_time": Column(kind=filters.TIME, sql="comment.updated_at", sql_type="timestamptz"),
}

# Issues have a position of their own.
_SOURCE: Final = Source(
    table="issue",
    joins=HOME,
    view=f"SELECT {VIEW_COLUMNS}, {{position}} AS place FROM {{chosen}} {VIEW_JOINS}",  # noqa: S608
)
_COMMENTS: Final = Source(
    table="comment",
    joins=f"JOIN issue ON issue.id = comment.issue_id {HOME}",
    view=f"SELECT {COMMENT_COLUMNS}, {{position}} AS position FROM {{chosen}} {COMMENT_JOINS}",  # noqa: S608
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which issues a list shows; 0 stands for any, `user_id` None for those of everybody."""

    user_id: int | None
    job_id: int = 0
    task_id: int = 0
    resolved: bool | None = None
    assignee_id: int = 0
    filter: Filter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentSearch:
    """The same for comments."""

    user_id: int | None
    issue_id: int = 0
    job_id: int = 0
    filter: Filter | None = None


async def page(tx: Transaction, search: Search, page: Page) -> list[tuple[IssueView, Position]]:
    """Issues in the order that is asked for, each with its place in it."""
    rows = await lists.fetch(tx, _SOURCE, _selection(search), page)
    return [(view_from(row), Position(id=row["id"], key=row["place"])) for row in rows]


async def count(tx: Transaction, search: Search) -> int:
    """All issues that are found."""
    return await lists.count(tx, _SOURCE, _selection(search))


async def comment_page(
    tx: Transaction, search: CommentSearch, page: Page
) -> list[tuple[CommentView, Position]]:
    """Comments in the order that is asked for, each with its place."""
    rows = await lists.fetch(tx, _COMMENTS, _comment_selection(search), page)
    return [(comment_from(row), Position(id=row["id"], key=row["position"])) for row in rows]


async def count_comments(tx: Transaction, search: CommentSearch) -> int:
    """All comments that are found."""
    return await lists.count(tx, _COMMENTS, _comment_selection(search))


def _selection(search: Search) -> Selection:
    selection = _visible(search.user_id, is_narrow=bool(search.job_id or search.task_id))
    _add_equal(
        selection,
        {
            "issue.job_id": search.job_id,
            "issue.task_id": search.task_id,
            "issue.assignee_id": search.assignee_id,
        },
    )
    if search.resolved is not None:
        selection.where("issue.resolved = {0}", search.resolved)
    add_filter(selection, search.filter, FIELDS)
    return selection


def _comment_selection(search: CommentSearch) -> Selection:
    selection = _visible(search.user_id, is_narrow=bool(search.issue_id or search.job_id))
    _add_equal(selection, {"comment.issue_id": search.issue_id, "issue.job_id": search.job_id})
    add_filter(selection, search.filter, COMMENT_FIELDS)
    return selection


def _add_equal(selection: Selection, wanted: dict[str, int]) -> None:
    for column, value in wanted.items():
        if value:
            selection.where(f"{column} = {{0}}", value)


def _visible(user_id: int | None, *, is_narrow: bool) -> Selection:
    """Those on jobs of which the user may know; few are looked at one by one."""
    selection = Selection()
    selection.where(VISIBLE)
    if user_id is not None:
        # The user is the first argument, as both conditions have it.
        assert selection.hold(user_id) == "$1"
        selection.where(IS_OF_USER if is_narrow else f"(issue.job_id IN ({OF_USER})) IS TRUE")
    return selection
