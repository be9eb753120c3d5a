"""What a move of a task changes besides its annotations."""

from collections.abc import Mapping

from yard.runtime.db import Transaction
from yard.task.store import Reader


async def lock_labels(tx: Transaction, task_id: int) -> None:
    """Waits for saves that use labels of the task itself, and keeps others out; to be called before jobs."""
    await tx.execute("SELECT FROM label WHERE task_id = $1 ORDER BY id FOR UPDATE", task_id)


async def delete_labels(tx: Transaction, task_id: int) -> None:
    """Removes the labels of the task itself, which no object has any more."""
    await tx.execute("DELETE FROM label WHERE task_id = $1", task_id)


async def has_past(reader: Reader, task_id: int) -> bool:
    """Whether there are objects that are no more, or were different, and could come back."""
    found: bool = await reader.fetchval(
        """
        SELECT EXISTS (
            SELECT
            FROM revision_part
            JOIN job ON job.id = revision_part.job_id
            WHERE job.task_id = $1
        )
        """,
        task_id,
    )
    return found


async def put_into(tx: Transaction, task_id: int, project_id: int | None) -> None:
    """The task belongs to another project from now on, or to none."""
    await tx.execute(
        "UPDATE task SET project_id = $2, updated_at = clock_timestamp() WHERE id = $1", task_id, project_id
    )


async def note_succession(
    tx: Transaction, task_id: int, labels: Mapping[int, int], attributes: Mapping[int, int]
) -> None:
    """Notes the new ids by the old ones for those who read the past; the jobs must be locked.

    Saves before have an earlier time then, and saves after it a later one.
    """
    await tx.execute(
        """
        INSERT INTO label_succession (task_id, is_attribute, old_id, new_id, moved_at)
        SELECT $1::bigint, step.is_attribute, step.old_id, step.new_id, now.at
        FROM (
            SELECT false AS is_attribute, * FROM unnest($2::bigint[], $3::bigint[]) AS label (old_id, new_id)
            UNION ALL
            SELECT true, * FROM unnest($4::bigint[], $5::bigint[]) AS attribute (old_id, new_id)
        ) AS step
        CROSS JOIN (SELECT clock_timestamp() AS at OFFSET 0) AS now
        """,
        task_id,
        list(labels),
        list(labels.values()),
        list(attributes),
        list(attributes.values()),
    )
