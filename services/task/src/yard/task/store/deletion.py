"""What is hidden, and the way back from it."""

from datetime import datetime

from yard.runtime.db import Transaction
from yard.task.domain.rows import Project
from yard.task.store import Reader
from yard.task.store import projects as project_store


async def hold_project(tx: Transaction, project_id: int) -> None:
    """Keeps others from hiding or showing a project and its tasks until the end; to be taken before locks."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('deletion/' || $1, 0))", str(project_id))


async def project_of_any(reader: Reader, project_id: int) -> Project | None:
    """The project, hidden or not; None if it is gone."""
    columns = ", ".join(project_store.COLUMNS)
    row = await reader.fetchrow(f"SELECT {columns} FROM project WHERE id = $1", project_id)  # noqa: S608
    return None if row is None else Project(**dict(row))


async def is_project_hidden(reader: Reader, project_id: int) -> bool:
    """Whether it was deleted."""
    return bool(await reader.fetchval("SELECT deleted_at IS NOT NULL FROM project WHERE id = $1", project_id))


async def is_task_hidden(reader: Reader, task_id: int) -> bool:
    """Whether it was deleted itself, or is gone."""
    found = await reader.fetchval("SELECT deleted_at IS NULL FROM task WHERE id = $1", task_id)
    return not found


async def tasks_to_hide(reader: Reader, project_id: int, limit: int | None = None) -> list[int]:
    """Tasks of a project that are not hidden themselves, some of them if there is a limit."""
    rows = await reader.fetch(
        """
        SELECT id
        FROM task
        WHERE project_id = $1 AND deleted_at IS NULL
        ORDER BY id
        LIMIT $2
        """,
        project_id,
        limit,
    )
    return [row["id"] for row in rows]


async def tasks_deleted_with(reader: Reader, project_id: int) -> list[int]:
    """Tasks that went with their project."""
    rows = await reader.fetch(
        """
        SELECT id
        FROM task
        WHERE project_id = $1 AND deleted_with_project AND deleted_at IS NOT NULL
        ORDER BY id
        """,
        project_id,
    )
    return [row["id"] for row in rows]


async def forget_deleted_with(tx: Transaction, project_id: int) -> None:
    """Tasks that went with their project an earlier time do not go with it now."""
    await tx.execute(
        "UPDATE task SET deleted_with_project = false WHERE project_id = $1 AND deleted_with_project",
        project_id,
    )


async def show_task(tx: Transaction, task_id: int, oldest: datetime) -> bool:
    """It is visible again; False if it was not hidden, or longer ago, or if its removal has begun."""
    found = await tx.fetchval(
        """
        UPDATE task
        SET deleted_at = NULL, deleted_with_project = false
        WHERE id = $1 AND deleted_at >= $2 AND NOT is_purging
        RETURNING true
        """,
        task_id,
        oldest,
    )
    return bool(found)


async def show_project(tx: Transaction, project_id: int, oldest: datetime) -> bool:
    """It is visible again; False if it was not hidden, or longer ago."""
    found = await tx.fetchval(
        "UPDATE project SET deleted_at = NULL WHERE id = $1 AND deleted_at >= $2 RETURNING true",
        project_id,
        oldest,
    )
    return bool(found)
