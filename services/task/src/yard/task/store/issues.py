"""Tables issue and comment; their lists are in `issue_views`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from yard.task.domain.issues import Comment, Issue

if TYPE_CHECKING:
    from yard.runtime.db import Record, Transaction
    from yard.task.store import Reader

_COLUMNS: Final = tuple(field.name for field in fields(Issue))
_COMMENT_COLUMNS: Final = tuple(field.name for field in fields(Comment))

VIEW_COLUMNS: Final = f"""
{", ".join(f"issue.{column}" for column in _COLUMNS)},
    coalesce(opener.username, '') AS owner_name,
    coalesce(helper.username, '') AS assignee_name
"""
VIEW_JOINS: Final = """
LEFT JOIN person AS opener ON opener.id = issue.owner_id
LEFT JOIN person AS helper ON helper.id = issue.assignee_id
"""
HOME: Final = """
JOIN job ON job.id = issue.job_id
JOIN task ON task.id = issue.task_id
LEFT JOIN project ON project.id = task.project_id
"""
VISIBLE: Final = "task.deleted_at IS NULL AND project.deleted_at IS NULL"

_ONE: Final = f"""
SELECT {VIEW_COLUMNS}
FROM issue {HOME} {VIEW_JOINS}
WHERE {VISIBLE} AND issue.id = $1
"""  # noqa: S608 - literals only

COMMENT_COLUMNS: Final = f"""
{", ".join(f"comment.{column}" for column in _COMMENT_COLUMNS)},
    coalesce(person.username, '') AS owner_name
"""
COMMENT_JOINS: Final = "LEFT JOIN person ON person.id = comment.owner_id"

_COMMENTS: Final = f"SELECT {COMMENT_COLUMNS} FROM comment {COMMENT_JOINS}"  # noqa: S608 - literals only


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueView:
    """An issue with the names of people."""

    issue: Issue
    owner_name: str
    assignee_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentView:
    """A comment with the name of its owner."""

    comment: Comment
    owner_name: str


async def view_of(reader: Reader, issue_id: int) -> IssueView | None:
    """An issue; None if it is not there, or its task is hidden."""
    row = await reader.fetchrow(_ONE, issue_id)
    return None if row is None else view_from(row)


async def lock(tx: Transaction, issue_id: int) -> None:
    """Keeps others from changing an issue and its comments until the end of the transaction."""
    await tx.execute("SELECT FROM issue WHERE id = $1 FOR NO KEY UPDATE", issue_id)


async def insert(
    tx: Transaction,
    *,
    task_id: int,
    job_id: int,
    frame: int,
    position: Sequence[float],
    owner_id: int,
    assignee_id: int | None,
) -> int:
    """A new issue without comments; returns its id."""
    issue_id: int = await tx.fetchval(
        """
        INSERT INTO issue (task_id, job_id, frame, position, owner_id, assignee_id)
        VALUES ($1, $2, $3, $4, $5, $6)
        RETURNING id
        """,
        task_id,
        job_id,
        frame,
        list(position),
        owner_id,
        assignee_id,
    )
    return issue_id


async def update(tx: Transaction, issue: Issue) -> None:
    """Writes what people can change."""
    await tx.execute(
        """
        UPDATE issue
        SET position = $2, assignee_id = $3, resolved = $4, updated_at = clock_timestamp()
        WHERE id = $1
        """,
        issue.id,
        list(issue.position),
        issue.assignee_id,
        issue.resolved,
    )


async def delete(tx: Transaction, issue_id: int) -> None:
    """Removes an issue with its comments."""
    await tx.execute("DELETE FROM issue WHERE id = $1", issue_id)


async def comments_of(reader: Reader, issue_id: int, after: int, limit: int) -> list[CommentView]:
    """Comments by age, those behind the one with the id `after`."""
    rows = await reader.fetch(
        f"{_COMMENTS} WHERE comment.issue_id = $1 AND comment.id > $2 ORDER BY comment.id LIMIT $3",
        issue_id,
        after,
        limit,
    )
    return [comment_from(row) for row in rows]


async def first_comments(reader: Reader, issue_ids: Sequence[int]) -> dict[int, CommentView]:
    """The oldest comment of each issue."""
    rows = await reader.fetch(
        f"""
        {_COMMENTS}
        WHERE comment.id IN (
            SELECT min(id) FROM comment WHERE issue_id = ANY ($1::bigint[]) GROUP BY issue_id
        )
        """,  # noqa: S608 - literals only
        list(issue_ids),
    )
    return {row["issue_id"]: comment_from(row) for row in rows}


async def comment_of(reader: Reader, comment_id: int) -> CommentView | None:
    """A comment, whoever may see it."""
    row = await reader.fetchrow(f"{_COMMENTS} WHERE comment.id = $1", comment_id)
    return None if row is None else comment_from(row)


async def insert_comment(tx: Transaction, issue_id: int, owner_id: int, message: str) -> int:
    """A new comment, which its issue counts; returns its id."""
    comment_id: int = await tx.fetchval(
        "INSERT INTO comment (issue_id, owner_id, message) VALUES ($1, $2, $3) RETURNING id",
        issue_id,
        owner_id,
        message,
    )
    await _count(tx, issue_id, 1)
    return comment_id


async def update_comment(tx: Transaction, comment: Comment, message: str) -> None:
    """Writes a new text."""
    await tx.execute(
        "UPDATE comment SET message = $2, updated_at = clock_timestamp() WHERE id = $1", comment.id, message
    )
    await _count(tx, comment.issue_id, 0)


async def delete_comment(tx: Transaction, comment: Comment) -> None:
    """Removes a comment."""
    await tx.execute("DELETE FROM comment WHERE id = $1", comment.id)
    await _count(tx, comment.issue_id, -1)


async def _count(tx: Transaction, issue_id: int, change: int) -> None:
    await tx.execute(
        """
        UPDATE issue
        SET comment_count = comment_count + $2, updated_at = clock_timestamp()
        WHERE id = $1
        """,
        issue_id,
        change,
    )


def view_from(row: Record) -> IssueView:
    """An issue from a row with VIEW_COLUMNS."""
    return IssueView(
        issue=Issue(**{column: row[column] for column in _COLUMNS}),
        owner_name=row["owner_name"],
        assignee_name=row["assignee_name"],
    )


def comment_from(row: Record) -> CommentView:
    """A comment from a row with COMMENT_COLUMNS."""
    comment = Comment(**{column: row[column] for column in _COMMENT_COLUMNS})
    return CommentView(comment=comment, owner_name=row["owner_name"])
