"""Jobs as people see them: with names and the project."""

from dataclasses import dataclass
from typing import Final

from yard.runtime.db import Record
from yard.task.domain.rows import Job
from yard.task.store import Reader
from yard.task.store.jobs import COLUMNS, job_from

_VIEW: Final = f"""
SELECT {", ".join(f"job.{column}" for column in COLUMNS)},
    coalesce(task.project_id, 0) AS project_id,
    coalesce(assignee.username, '') AS assignee_name,
    coalesce(reviewer.username, '') AS reviewer_name
FROM job
JOIN task ON task.id = job.task_id
LEFT JOIN project ON project.id = task.project_id
LEFT JOIN person AS assignee ON assignee.id = job.assignee_id
LEFT JOIN person AS reviewer ON reviewer.id = job.reviewer_id
"""  # noqa: S608 - literals only

# Jobs of which somebody may know: $1 is the user.
OF_USER: Final = """
    SELECT id FROM job WHERE assignee_id = $1
    UNION SELECT id FROM job WHERE reviewer_id = $1
    UNION
    SELECT job.id
    FROM job
    JOIN task ON task.id = job.task_id
    WHERE task.owner_id = $1 OR task.assignee_id = $1
    UNION
    SELECT job.id
    FROM job
    JOIN task ON task.id = job.task_id
    JOIN project ON project.id = task.project_id
    WHERE project.owner_id = $1 OR project.assignee_id = $1
"""

# Few jobs are looked at one by one, many are found by what they belong to.
IS_OF_USER: Final = """
    $1 IN (
        job.assignee_id, job.reviewer_id,
        task.owner_id, task.assignee_id,
        project.owner_id, project.assignee_id
    )
"""

_PAGE = f"""
{_VIEW}
WHERE task.deleted_at IS NULL
    AND project.deleted_at IS NULL
    AND {{whose}}
    AND ($2::bigint = 0 OR job.task_id = $2)
    AND ($3::int = 0 OR job.status = $3)
    AND ($4::bigint = 0 OR job.assignee_id = $4)
    AND ($5::bigint = 0 OR job.reviewer_id = $5)
    AND job.id > $6
ORDER BY job.id
LIMIT $7
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job with what is stored elsewhere; project 0: none."""

    job: Job
    project_id: int
    assignee_name: str
    reviewer_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which jobs a list shows; 0 stands for any, `user_id` None for jobs of everybody."""

    user_id: int | None = None
    task_id: int = 0
    status: int = 0
    assignee_id: int = 0
    reviewer_id: int = 0
    after: int = 0
    limit: int


async def view_of(reader: Reader, job_id: int) -> JobView:
    """A job that exists."""
    row = await reader.fetchrow(f"{_VIEW} WHERE job.id = $1", job_id)
    assert row is not None
    return _view_from(row)


async def page(reader: Reader, search: Search) -> list[JobView]:
    """Jobs by id."""
    whose = "$1::bigint IS NULL"
    if search.user_id is not None:
        whose = IS_OF_USER if search.task_id else f"job.id IN ({OF_USER})"
    rows = await reader.fetch(
        _PAGE.format(whose=whose),
        search.user_id,
        search.task_id,
        search.status,
        search.assignee_id,
        search.reviewer_id,
        search.after,
        search.limit,
    )
    return [_view_from(row) for row in rows]


def _view_from(row: Record) -> JobView:
    return JobView(
        job=job_from(row),
        project_id=row["project_id"],
        assignee_name=row["assignee_name"],
        reviewer_name=row["reviewer_name"],
    )
