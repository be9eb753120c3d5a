"""The removal of hidden tasks, with all that belongs to them."""

from datetime import datetime
from typing import Final

from yard.runtime.db import Database, Transaction

ROWS_AT_ONCE: Final = 20_000
# Rows at once by table; with a revision go its parts.
_ANNOTATIONS: Final = {
    "keyframe": ROWS_AT_ONCE,
    "track": ROWS_AT_ONCE,
    "shape": ROWS_AT_ONCE,
    "tag": ROWS_AT_ONCE,
    "revision": 200,
}


async def begin(db: Database, before: datetime) -> int | None:
    """A task that was hidden before then; from now on it cannot be brought back."""
    found: int | None = await db.fetchval(
        """
        UPDATE task
        SET is_purging = true
        WHERE deleted_at < $1
            AND id = (SELECT id FROM task WHERE deleted_at < $1 ORDER BY deleted_at LIMIT 1)
        RETURNING id
        """,
        before,
    )
    return found


async def delete_annotations(db: Database, task_id: int) -> None:
    """Removes objects and saves in short transactions, so that the last has nothing left to cascade to."""
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
        _ANNOTATIONS[table],
    )
    return int(tag.rpartition(" ")[2]) == _ANNOTATIONS[table]
