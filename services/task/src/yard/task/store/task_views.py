"""Tasks as people see them: with names, revision and labels, in one statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from yard.annotations.labels import Label
from yard.runtime.db import Record
from yard.task.domain.requests import name_key
from yard.task.domain.rows import Task
from yard.task.store import Reader
from yard.task.store.labels import OF_TASK, labels_from
from yard.task.store.tasks import SELECT, VISIBLE, task_from

Order = Literal["newest", "oldest", "name", "last_changed"]

_COLUMNS: Final = f"""
{SELECT},
    coalesce(owner.username, '') AS owner_name,
    coalesce(assignee.username, '') AS assignee_name,
    (SELECT coalesce(sum(revision), 0)::bigint FROM job WHERE job.task_id = task.id) AS revision
"""  # noqa: S608 - literals only
_FROM: Final = """
FROM task
LEFT JOIN project ON project.id = task.project_id
LEFT JOIN person AS owner ON owner.id = task.owner_id
LEFT JOIN person AS assignee ON assignee.id = task.assignee_id
"""

_ONE = f"""
SELECT {_COLUMNS},
    ({OF_TASK}) AS labels,
    EXISTS (
        SELECT FROM job WHERE job.task_id = task.id AND (job.assignee_id = $2 OR job.reviewer_id = $2)
    ) AS is_worked_on
{_FROM}
WHERE task.id = $1 AND {VISIBLE}
"""  # noqa: S608 - literals only

# Tasks of which somebody may know: $1 is the user.
_OF_USER: Final = """
    SELECT id FROM task WHERE owner_id = $1
    UNION SELECT id FROM task WHERE assignee_id = $1
    UNION SELECT task_id FROM job WHERE assignee_id = $1
    UNION SELECT task_id FROM job WHERE reviewer_id = $1
    UNION
    SELECT task.id
    FROM task
    JOIN project ON project.id = task.project_id
    WHERE project.owner_id = $1 OR project.assignee_id = $1
"""

# The parameter of everybody's list has a type but no use.
_WHOSE: Final = {True: f"task.id IN ({_OF_USER})", False: "$1::bigint IS NULL"}

_FILTERED = f"""
SELECT {_COLUMNS}
{_FROM}
WHERE {VISIBLE}
    AND ($2 = '' OR strpos(task.name_key, $2) > 0)
    AND ($3::bigint = 0 OR task.project_id = $3)
    AND ($4::bigint = 0 OR task.owner_id = $4)
    AND ($5::bigint = 0 OR task.assignee_id = $5)
    AND ($6::int = 0 OR task.status = $6)
    AND ($7::int = 0 OR task.mode = $7)
"""

_ORDERED: Final[dict[Order, str]] = {
    "newest": "($9::bigint IS NULL OR task.id < $9) ORDER BY task.id DESC LIMIT $8",
    "oldest": "($9::bigint IS NULL OR task.id > $9) ORDER BY task.id LIMIT $8",
    "name": """($9::bigint IS NULL OR (task.name_key, task.id) > ($10::text, $9))
        ORDER BY task.name_key, task.id LIMIT $8""",
    "last_changed": """($9::bigint IS NULL OR (task.updated_at, task.id) < ($10::timestamptz, $9))
        ORDER BY task.updated_at DESC, task.id DESC LIMIT $8""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task with what is stored elsewhere; `labels` only where they are asked for."""

    task: Task
    owner_name: str
    assignee_name: str
    revision: int
    labels: list[Label]
    is_worked_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which tasks a list shows; 0 and "" stand for any, `user_id` None for tasks of everybody.

    `after_id` and `after_key` are of the last task that was sent; the key only where it is ordered by one.
    """

    user_id: int | None
    order: Order
    name_contains: str
    project_id: int
    owner_id: int
    assignee_id: int
    status: int
    mode: int
    limit: int
    after_id: int | None
    after_key: str | datetime | None


async def view_of(reader: Reader, task_id: int, user_id: int) -> TaskView | None:
    """The task with its labels, and whether the user works on a job of it; None if it is hidden."""
    row = await reader.fetchrow(_ONE, task_id, user_id)
    if row is None:
        return None
    return _view_from(row, labels_from(row["labels"]), is_worked_on=row["is_worked_on"])


async def page(reader: Reader, search: Search) -> list[TaskView]:
    """Tasks without labels, in the order that is asked for."""
    arguments: list[Any] = [
        search.user_id,
        name_key(search.name_contains),
        search.project_id,
        search.owner_id,
        search.assignee_id,
        search.status,
        search.mode,
        search.limit,
        search.after_id,
    ]
    if search.order in ("name", "last_changed"):
        arguments.append(search.after_key)
    whose = _WHOSE[search.user_id is not None]
    rows = await reader.fetch(f"{_FILTERED} AND {whose} AND {_ORDERED[search.order]}", *arguments)
    return [_view_from(row, [], is_worked_on=False) for row in rows]


def _view_from(row: Record, labels: list[Label], *, is_worked_on: bool) -> TaskView:
    return TaskView(
        task=task_from(row),
        owner_name=row["owner_name"],
        assignee_name=row["assignee_name"],
        revision=row["revision"],
        labels=labels,
        is_worked_on=is_worked_on,
    )
