"""Tables repository and waiting_change."""

from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from yard.repo_sync.domain.rows import Counts, Repository
from yard.repo_sync.store import Reader
from yard.runtime.db import Record, Transaction

_COLUMNS: Final = tuple(field.name for field in fields(Repository))
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM repository"  # noqa: S608 - names of our own columns
_INSERT: Final = f"""
INSERT INTO repository ({", ".join(_COLUMNS)})
VALUES ({", ".join(f"${number}" for number in range(1, len(_COLUMNS) + 1))})
ON CONFLICT (task_id) DO NOTHING
RETURNING true
"""  # noqa: S608 - as above
_UPDATE: Final = f"""
UPDATE repository
SET {", ".join(f"{name} = ${number}" for number, name in enumerate(_COLUMNS, 1))}
WHERE task_id = $1
"""  # noqa: S608 - as above


async def insert(tx: Transaction, repository: Repository) -> bool:
    """Keeps a new one; False if the task has, or had, one."""
    return bool(await tx.fetchval(_INSERT, *_values(repository)))


async def of_task(reader: Reader, task_id: int) -> Repository | None:
    """The repository of a task, connected or remembered."""
    row = await reader.fetchrow(f"{_SELECT} WHERE task_id = $1", task_id)
    return None if row is None else _repository(row)


async def locked(tx: Transaction, task_id: int) -> Repository | None:
    """The same, with others that change it waiting; whoever holds work too has locked that before."""
    row = await tx.fetchrow(f"{_SELECT} WHERE task_id = $1 FOR UPDATE", task_id)
    return None if row is None else _repository(row)


async def save(tx: Transaction, repository: Repository) -> None:
    """Writes a locked one as it is now."""
    await tx.execute(_UPDATE, *_values(repository))


async def in_project(tx: Transaction, project_id: int) -> list[int]:
    """Tasks of a project that are connected, in the order in which they are locked."""
    rows = await tx.fetch(
        """
        SELECT task_id
        FROM repository
        WHERE project_id = $1 AND project_id <> 0 AND is_connected
        ORDER BY task_id
        """,
        project_id,
    )
    return [row["task_id"] for row in rows]


async def take_due(tx: Transaction, now: datetime, limit: int) -> list[Repository]:
    """Those whose push is due, locked; what another replica has in hand is left to it."""
    rows = await tx.fetch(
        f"""
        {_SELECT}
        WHERE due_at <= $1 AND push_id IS NULL AND is_connected AND NOT is_task_deleted
        ORDER BY due_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
        """,
        now,
        limit,
    )
    return [_repository(row) for row in rows]


async def forget(tx: Transaction, task_id: int) -> None:
    """Of a task that is gone for good."""
    await tx.execute("DELETE FROM repository WHERE task_id = $1", task_id)


async def add_waiting(tx: Transaction, task_id: int, revision: int, counts: Counts) -> None:
    """Keeps apart what changes while a push is on its way: it may or may not be in it."""
    await tx.execute(
        """
        INSERT INTO waiting_change AS waiting (task_id, revision, created, updated, deleted)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (task_id, revision) DO UPDATE
        SET created = waiting.created + excluded.created,
            updated = waiting.updated + excluded.updated,
            deleted = waiting.deleted + excluded.deleted
        """,
        task_id,
        revision,
        counts.created,
        counts.updated,
        counts.deleted,
    )


async def waiting(reader: Reader, task_id: int, up_to: int = 2**62) -> Counts:
    """What was kept apart, of revisions up to that one."""
    row = await reader.fetchrow(
        """
        SELECT coalesce(sum(created), 0)::bigint AS created,
            coalesce(sum(updated), 0)::bigint AS updated,
            coalesce(sum(deleted), 0)::bigint AS deleted
        FROM waiting_change
        WHERE task_id = $1 AND revision <= $2
        """,
        task_id,
        up_to,
    )
    assert row is not None
    return Counts(**dict(row))


async def drop_waiting(tx: Transaction, task_id: int, up_to: int = 2**62) -> None:
    """Forgets what was kept apart, of revisions up to that one."""
    await tx.execute("DELETE FROM waiting_change WHERE task_id = $1 AND revision <= $2", task_id, up_to)


def _values(repository: Repository) -> list[Any]:
    values = (getattr(repository, name) for name in _COLUMNS)
    return [list(value) if isinstance(value, tuple) else value for value in values]


def _repository(row: Record) -> Repository:
    values: dict[str, Any] = dict(row)
    for name, value in values.items():
        if isinstance(value, list):
            values[name] = tuple(value)
    return Repository(**values)
