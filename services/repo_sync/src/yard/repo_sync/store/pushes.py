"""Table push."""

from dataclasses import fields
from datetime import datetime
from typing import Final
from uuid import UUID

from yard.repo_sync.domain.rows import Push
from yard.repo_sync.store import Reader
from yard.runtime.db import Database, Transaction

_COLUMNS: Final = tuple(field.name for field in fields(Push))
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM push"  # noqa: S608 - names of our own columns
_INSERT: Final = f"""
INSERT INTO push ({", ".join(_COLUMNS)})
VALUES ({", ".join(f"${number}" for number in range(1, len(_COLUMNS) + 1))})
"""  # noqa: S608 - as above


async def insert(tx: Transaction, push: Push) -> None:
    """Keeps a new one."""
    await tx.execute(_INSERT, *(getattr(push, name) for name in _COLUMNS))


async def push_of(reader: Reader, push_id: UUID) -> Push | None:
    """A push by the id of its operation."""
    row = await reader.fetchrow(f"{_SELECT} WHERE id = $1", push_id)
    return None if row is None else Push(**dict(row))


async def page(reader: Reader, task_id: int, before: UUID | None, limit: int) -> list[Push]:
    """Newest first."""
    rows = await reader.fetch(
        f"{_SELECT} WHERE task_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        task_id,
        before,
        limit,
    )
    return [Push(**dict(row)) for row in rows]


async def finish(tx: Transaction, push: Push) -> None:
    """Writes how it ended, once."""
    await tx.execute(
        """
        UPDATE push
        SET revision = $2, commit = $3, branch = $4, was_unchanged = $5, created = $6, updated = $7,
            deleted = $8, error = $9, finished_at = $10
        WHERE id = $1 AND finished_at IS NULL
        """,
        push.id,
        push.revision,
        push.commit,
        push.branch,
        push.was_unchanged,
        push.created,
        push.updated,
        push.deleted,
        push.error,
        push.finished_at,
    )


async def forget(tx: Transaction, task_id: int) -> None:
    """Of a task that is gone for good."""
    await tx.execute("DELETE FROM push WHERE task_id = $1", task_id)


async def purge(db: Database, before: datetime, limit: int) -> int:
    """Removes some of those that ended before; returns how many."""
    tag = await db.execute(
        "DELETE FROM push WHERE id = ANY (ARRAY(SELECT id FROM push WHERE finished_at < $1 LIMIT $2))",
        before,
        limit,
    )
    return int(tag.split()[-1])


async def note_start(tx: Transaction, push_id: UUID, change_number: int) -> None:
    """What had changed when it first ran: a try after that makes the same file."""
    await tx.execute(
        "UPDATE push SET change_number = coalesce(change_number, $2) WHERE id = $1", push_id, change_number
    )


async def follow(tx: Transaction, push_id: UUID, owner: str, operation_id: UUID) -> None:
    """The operation of somebody else ends as the push does; one that was cancelled is replaced."""
    await tx.execute(
        """
        INSERT INTO push_follower (push_id, owner, operation_id)
        VALUES ($1, $2, $3)
        ON CONFLICT (push_id, owner) DO UPDATE SET operation_id = excluded.operation_id
        """,
        push_id,
        owner,
        operation_id,
    )


async def follower_of(tx: Transaction, push_id: UUID, owner: str) -> UUID | None:
    """The operation by which somebody waits for a push that another has asked for."""
    found: UUID | None = await tx.fetchval(
        "SELECT operation_id FROM push_follower WHERE push_id = $1 AND owner = $2", push_id, owner
    )
    return found


async def followers(reader: Reader, push_id: UUID) -> list[UUID]:
    """All such operations."""
    rows = await reader.fetch("SELECT operation_id FROM push_follower WHERE push_id = $1", push_id)
    return [row["operation_id"] for row in rows]
