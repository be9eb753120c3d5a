"""Table task."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from yard.runtime.db import Record, Transaction
from yard.task.domain.progress import Counts
from yard.task.domain.requests import name_key
from yard.task.domain.rows import Task
from yard.task.store import Reader

COLUMNS: Final = tuple(field.name for field in fields(Task))
COUNTS: Final = tuple(field.name for field in fields(Counts))
_OF_PROJECT: Final = {
    "project_owner_id": "project.owner_id AS project_owner_id",
    "project_assignee_id": "project.assignee_id AS project_assignee_id",
}
SELECT: Final = ", ".join(_OF_PROJECT.get(column, f"task.{column}") for column in COLUMNS)
# Tasks that are not hidden, neither themselves nor by their project.
VISIBLE: Final = "task.deleted_at IS NULL AND project.deleted_at IS NULL"

_ONE = f"""
SELECT {SELECT}
FROM task
LEFT JOIN project ON project.id = task.project_id
WHERE task.id = $1 AND {VISIBLE}
"""  # noqa: S608 - literals only

_ANY = f"""
SELECT {SELECT}
FROM task
LEFT JOIN project ON project.id = task.project_id
WHERE task.id = $1
"""  # noqa: S608 - literals only

# The numbers of a task or a project as `counts_from` reads them.
COUNTED: Final = ", ".join(f"jobs_{name} AS {name}" for name in COUNTS)
_NUMBERS: Final = f"{COUNTED}, project_id, deleted_at IS NOT NULL AS is_hidden"


def task_from(row: Record) -> Task:
    """A task from a row with COLUMNS, and perhaps others."""
    return Task(**{column: row[column] for column in COLUMNS})


def counts_from(row: Record) -> Counts:
    """Jobs by status from a row with COUNTED, and perhaps others."""
    return Counts(**{name: row[name] for name in COUNTS})


async def task_of(reader: Reader, task_id: int, *, lock: bool = False) -> Task | None:
    """The task; None if it is hidden, or its project is."""
    row = await reader.fetchrow(f"{_ONE} FOR UPDATE OF task" if lock else _ONE, task_id)
    return None if row is None else task_from(row)


async def task_of_any(reader: Reader, task_id: int, *, lock: bool = False) -> Task | None:
    """The task, hidden or not; None if it is gone."""
    row = await reader.fetchrow(f"{_ANY} FOR UPDATE OF task" if lock else _ANY, task_id)
    return None if row is None else task_from(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task as it begins."""

    name: str
    project_id: int | None
    owner_id: int
    assignee_id: int | None
    issue_tracker: str
    subset: str
    segment_size: int | None
    overlap: int | None
    repository_location: str
    repository_use_lfs: bool
    repository_format: str
    sync_status: int


async def insert(tx: Transaction, new: NewTask) -> int:
    """A new task; returns its id."""
    task_id: int = await tx.fetchval(
        """
        INSERT INTO task (
            name, name_key, project_id, owner_id, assignee_id, issue_tracker, subset, wanted_segment_size,
            wanted_overlap, repository_location, repository_use_lfs, repository_format, sync_status
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        RETURNING id
        """,
        new.name,
        name_key(new.name),
        new.project_id,
        new.owner_id,
        new.assignee_id,
        new.issue_tracker,
        new.subset,
        new.segment_size,
        new.overlap,
        new.repository_location,
        new.repository_use_lfs,
        new.repository_format,
        new.sync_status,
    )
    return task_id


async def update(tx: Transaction, task: Task) -> None:
    """Writes what people can change."""
    await tx.execute(
        """
        UPDATE task
        SET name = $2, name_key = $3, assignee_id = $4, issue_tracker = $5, subset = $6, updated_at = $7,
            owner_id = $8
        WHERE id = $1
        """,
        task.id,
        task.name,
        name_key(task.name),
        task.assignee_id,
        task.issue_tracker,
        task.subset,
        task.updated_at,
        task.owner_id,
    )


async def update_media(tx: Transaction, task: Task) -> None:
    """Writes where its media stands, and what follows from it."""
    await tx.execute(
        """
        UPDATE task
        SET segment_size = $2,
            overlap = $3,
            mode = $4,
            media_state = $5,
            media_id = $6,
            media_operation = $7,
            size = $8,
            width = $9,
            height = $10,
            data = $11,
            plan = $12,
            media_error = $13,
            media_warnings = $14,
            updated_at = clock_timestamp()
        WHERE id = $1
        """,
        task.id,
        task.segment_size,
        task.overlap,
        task.mode,
        task.media_state,
        task.media_id,
        task.media_operation,
        task.size,
        task.width,
        task.height,
        task.data,
        task.plan,
        task.media_error,
        task.media_warnings,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The jobs of a task by status, and the project that it is in; `is_hidden` tells of the task alone."""

    jobs: Counts
    project_id: int | None
    is_hidden: bool


async def count_jobs(tx: Transaction, task_id: int, change: Counts) -> Numbers:
    """Adds to the numbers of jobs by status; returns them."""
    row = await tx.fetchrow(
        f"""
        UPDATE task
        SET jobs_total = jobs_total + $2,
            jobs_annotation = jobs_annotation + $3,
            jobs_validation = jobs_validation + $4,
            jobs_completed = jobs_completed + $5,
            updated_at = clock_timestamp()
        WHERE id = $1
        RETURNING {_NUMBERS}
        """,  # noqa: S608 - literals only
        task_id,
        change.total,
        change.annotation,
        change.validation,
        change.completed,
    )
    assert row is not None
    return _numbers_from(row)


async def numbers_of(tx: Transaction, task_id: int) -> Numbers:
    """The numbers of a task that is there, hidden or not; nobody changes them until the end."""
    row = await tx.fetchrow(
        f"SELECT {_NUMBERS} FROM task WHERE id = $1 FOR NO KEY UPDATE",  # noqa: S608 - literals only
        task_id,
    )
    assert row is not None
    return _numbers_from(row)


async def touch(tx: Transaction, task_id: int) -> None:
    """Something that belongs to it was changed."""
    await tx.execute("UPDATE task SET updated_at = clock_timestamp() WHERE id = $1", task_id)


async def hide(tx: Transaction, task_id: int, now: datetime, *, with_project: bool = False) -> bool:
    """It is not visible from now on; False if it was hidden already."""
    found = await tx.fetchval(
        """
        UPDATE task
        SET deleted_at = $2, deleted_with_project = $3
        WHERE id = $1 AND deleted_at IS NULL
        RETURNING true
        """,
        task_id,
        now,
        with_project,
    )
    return bool(found)


def _numbers_from(row: Record) -> Numbers:
    return Numbers(jobs=counts_from(row), project_id=row["project_id"], is_hidden=row["is_hidden"])
