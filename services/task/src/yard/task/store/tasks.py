"""Table task."""

from dataclasses import fields
from typing import Final

from yard.runtime.db import Record
from yard.task.domain.rows import Task
from yard.task.store import Reader

COLUMNS: Final = tuple(field.name for field in fields(Task))
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


def task_from(row: Record) -> Task:
    """A task from a row with COLUMNS, and perhaps others."""
    return Task(**{column: row[column] for column in COLUMNS})


async def task_of(reader: Reader, task_id: int, *, lock: bool = False) -> Task | None:
    """The task; None if it is hidden, or its project is."""
    row = await reader.fetchrow(f"{_ONE} FOR UPDATE OF task" if lock else _ONE, task_id)
    return None if row is None else task_from(row)
