"""The removal of hidden tasks, with all that belongs to them."""

from datetime import datetime
from typing import Final

from yard.runtime.db import Database, Transaction

ROWS_AT_ONCE: Final = 20_000
_ANNOTATIONS: Final = ("keyframe", "track", "shape", "tag")


async def next_hidden(db: Database, before: datetime) -> int | None:
    """A task that was hidden before then."""
    found: int | None = await db.fetchval(
        """
        SELECT id
        FROM task
        WHERE deleted_at < $1
        ORDER BY deleted_at
        LIMIT 1
        """,
        before,
    )
    return found


async def delete_annotations(db: Database, task_id: int) -> None:
    """Removes all objects in short transactions, so that the last one has nothing left to cascade to."""
    for table in _ANNOTATIONS:
        while await _delete_some(db, table, task_id):
            pass


async def delete_task(tx: Transaction, task_id: int) -> None:
    """Removes the task with its labels and jobs."""
    await tx.execute("DELETE FROM task WHERE id = $1", task_id)


async def _delete_some(db: Database, table: str, task_id: int) -> bool:
    # A row's place names it within its part of the table, and a task is in one part.
    tag = await db.execute(
        f"""
        DELETE FROM {table}
        WHERE task_id = $1
            AND ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE task_id = $1 LIMIT $2))
        """,  # noqa: S608 - names of the table above
        task_id,
        ROWS_AT_ONCE,
    )
    return int(tag.rpartition(" ")[2]) == ROWS_AT_ONCE
