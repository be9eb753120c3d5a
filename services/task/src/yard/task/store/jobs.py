"""Table job."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Final

from yard.runtime import clock
from yard.runtime.db import Record, Transaction
from yard.task.domain import progress
from yard.task.domain.rows import Job
from yard.task.store import Reader

COLUMNS: Final = tuple(field.name for field in fields(Job))
_SELECT: Final = ", ".join(f"job.{column}" for column in COLUMNS)

_ONE = f"SELECT {_SELECT} FROM job WHERE id = $1"  # noqa: S608 - literals only
_OF_TASK = f"SELECT {_SELECT} FROM job WHERE task_id = $1 ORDER BY id"  # noqa: S608 - literals only


def job_from(row: Record) -> Job:
    """A job from a row with COLUMNS, and perhaps others."""
    return Job(**{column: row[column] for column in COLUMNS})


async def job_of(reader: Reader, job_id: int, *, lock: bool = False) -> Job | None:
    """The job, also one of a hidden task."""
    row = await reader.fetchrow(f"{_ONE} FOR UPDATE" if lock else _ONE, job_id)
    return None if row is None else job_from(row)


async def jobs_of_task(reader: Reader, task_id: int, *, lock: bool = False) -> list[Job]:
    """Its jobs in frame order, in which they were made and are locked."""
    rows = await reader.fetch(f"{_OF_TASK} FOR UPDATE" if lock else _OF_TASK, task_id)
    return [job_from(row) for row in rows]


async def record_save(tx: Transaction, job: Job) -> Job:
    """Notes that the annotations of a locked job were changed; the task counts as changed too.

    A task whose dataset repository had the present annotations (3, merged: 4) is not synchronized (1) from
    then on; while a push runs, or after one that failed, it stays what it is.
    """
    after = progress.saved(job, clock.now())
    await tx.execute(
        """
        WITH task AS (
            UPDATE task
            SET updated_at = $2,
                sync_status = CASE WHEN sync_status IN (3, 4) THEN 1 ELSE sync_status END
            WHERE id = $1
        )
        UPDATE job
        SET revision = $4, started_at = $5, work_s = $6, active_at = $7, updated_at = $2
        WHERE id = $3
        """,
        job.task_id,
        after.updated_at,
        job.id,
        after.revision,
        after.started_at,
        after.work_s,
        after.active_at,
    )
    return after


async def update_job(tx: Transaction, job: Job) -> None:
    """Writes what can change of a locked job."""
    await tx.execute(
        """
        UPDATE job
        SET assignee_id = $2,
            reviewer_id = $3,
            stage = $4,
            state = $5,
            started_at = $6,
            work_s = $7,
            active_at = $8,
            revision = $9,
            updated_at = $10
        WHERE id = $1
        """,
        job.id,
        job.assignee_id,
        job.reviewer_id,
        job.stage,
        job.state,
        job.started_at,
        job.work_s,
        job.active_at,
        job.revision,
        job.updated_at,
    )


async def insert_jobs(tx: Transaction, task_id: int, ranges: Iterable[tuple[int, int]]) -> None:
    """One new job a segment; ids rise in frame order."""
    records = ((task_id, number, first, last) for number, (first, last) in enumerate(ranges))
    await tx.copy_records("job", records, ("task_id", "segment", "first_frame", "last_frame"))


async def works_on_any(reader: Reader, task_id: int, user_id: int) -> bool:
    """Whether somebody is assignee or reviewer of a job of the task."""
    found: bool = await reader.fetchval(
        """
        SELECT EXISTS (
            SELECT
            FROM job
            WHERE task_id = $1 AND (assignee_id = $2 OR reviewer_id = $2)
        )
        """,
        task_id,
        user_id,
    )
    return found
