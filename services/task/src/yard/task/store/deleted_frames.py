"""Table deleted_frame: runs of frames that nobody is to annotate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yard.runtime.db import Transaction
    from yard.task.domain.frame_runs import Run
    from yard.task.store import Reader


async def hold(tx: Transaction, task_id: int) -> None:
    """Keeps others from changing the deleted frames of a task until the end of the transaction."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('deleted_frame/' || $1, 0))", str(task_id)
    )


async def runs_of(reader: Reader, task_id: int, first: int, last: int) -> list[Run]:
    """The runs that have a frame from `first` to `last`, whole, ascending."""
    rows = await reader.fetch(
        """
        SELECT first_frame, last_frame
        FROM deleted_frame
        WHERE task_id = $1 AND first_frame <= $3 AND last_frame >= $2
        ORDER BY first_frame
        """,
        task_id,
        first,
        last,
    )
    return [(row["first_frame"], row["last_frame"]) for row in rows]


async def count(reader: Reader, task_id: int) -> int:
    """Deleted frames of a task."""
    total: int = await reader.fetchval(
        "SELECT coalesce(sum(last_frame + 1 - first_frame), 0)::bigint FROM deleted_frame WHERE task_id = $1",
        task_id,
    )
    return total


async def replace(tx: Transaction, task_id: int, before: Sequence[Run], after: Sequence[Run]) -> None:
    """Puts runs in place of others, which are there."""
    gone = sorted({first for first, _ in before} - set(_firsts(before, after)))
    await tx.execute(
        "DELETE FROM deleted_frame WHERE task_id = $1 AND first_frame = ANY ($2::int[])", task_id, gone
    )
    new = [(task_id, *run) for run in after if run not in set(before)]
    await tx.copy_records("deleted_frame", new, ("task_id", "first_frame", "last_frame"))


def _firsts(before: Sequence[Run], after: Sequence[Run]) -> list[int]:
    """First frames of the runs that stay."""
    return [run[0] for run in set(before) & set(after)]
