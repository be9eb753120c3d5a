"""Table project."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from yard.annotations.labels import Label
from yard.runtime.db import Record, Transaction
from yard.task.domain.progress import Counts
from yard.task.domain.requests import name_key
from yard.task.domain.rows import Project
from yard.task.store import Reader
from yard.task.store.labels import OF_PROJECT, labels_from
from yard.task.store.tasks import COUNTED, counts_from

COLUMNS: Final = tuple(field.name for field in fields(Project))
_SELECT: Final = ", ".join(f"project.{column}" for column in COLUMNS)

MOST_SUBSETS: Final = 100

_ONE = f"SELECT {_SELECT} FROM project WHERE id = $1 AND deleted_at IS NULL"  # noqa: S608 - literals only

# A project with its people and with what its tasks sum up to.
VIEW_COLUMNS: Final = f"""
{_SELECT}, {COUNTED},
    coalesce(owner.username, '') AS owner_name,
    coalesce(assignee.username, '') AS assignee_name,
    project.task_count,
    project.deleted_at,
    ARRAY(
        SELECT DISTINCT subset
        FROM task
        WHERE task.project_id = project.id AND task.deleted_at IS NULL AND subset <> ''
        ORDER BY subset
        LIMIT {MOST_SUBSETS}
    ) AS subsets,
    coalesce(
        (
            SELECT id
            FROM task
            WHERE task.project_id = project.id AND task.deleted_at IS NULL AND size > 0
            ORDER BY id
            LIMIT 1
        ),
        0
    ) AS preview_task_id
"""  # noqa: S608 - literals only
VIEW_JOINS: Final = """
LEFT JOIN person AS owner ON owner.id = project.owner_id
LEFT JOIN person AS assignee ON assignee.id = project.assignee_id
"""

_LABELS_OF_ONE = f"SELECT ({OF_PROJECT}) FROM project WHERE id = $1"  # noqa: S608 - literals only

# Projects of which somebody may know: {0} is the user. The projects of those who work on a part are found by
# it, once.
OF_USER: Final = """
    (
        project.owner_id = {0}
        OR project.assignee_id = {0}
        OR (
            project.id IN (
                SELECT project_id
                FROM task
                WHERE deleted_at IS NULL
                    AND (
                        owner_id = {0}
                        OR assignee_id = {0}
                        OR (
                            id IN (
                                SELECT task_id FROM job WHERE assignee_id = {0}
                                UNION ALL SELECT task_id FROM job WHERE reviewer_id = {0}
                            )
                        ) IS TRUE
                    )
            )
        ) IS TRUE
    )
"""
_IS_OF_USER: Final = f"SELECT EXISTS (SELECT FROM project WHERE id = $2 AND {OF_USER.format('$1')})"  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectView:
    """A project as people see it; `labels` only where they are asked for."""

    project: Project
    owner_name: str
    assignee_name: str
    task_count: int
    jobs: Counts
    subsets: list[str]
    preview_task_id: int
    deleted_at: datetime | None
    labels: list[Label]


async def project_of(reader: Reader, project_id: int, *, lock: str = "") -> Project | None:
    """The project unless it is hidden; `lock` is "", "NO KEY UPDATE" or "UPDATE"."""
    row = await reader.fetchrow(f"{_ONE} FOR {lock}" if lock else _ONE, project_id)
    return None if row is None else _project_from(row)


async def is_of_user(reader: Reader, project_id: int, user_id: int) -> bool:
    """Whether somebody may know of a project."""
    found: bool = await reader.fetchval(_IS_OF_USER, user_id, project_id)
    return found


async def view_of(reader: Reader, project_id: int) -> ProjectView:
    """A project that exists, with its labels."""
    row = await reader.fetchrow(
        f"SELECT {VIEW_COLUMNS} FROM project {VIEW_JOINS} WHERE project.id = $1",  # noqa: S608 - literals only
        project_id,
    )
    assert row is not None
    return view_from(row, labels_from(await reader.fetchval(_LABELS_OF_ONE, project_id)))


async def insert(
    tx: Transaction, *, name: str, owner_id: int, assignee_id: int | None, issue_tracker: str
) -> int:
    """A new project; returns its id."""
    project_id: int = await tx.fetchval(
        """
        INSERT INTO project (name, name_key, owner_id, assignee_id, issue_tracker)
        VALUES ($1, $2, $3, $4, $5)
        RETURNING id
        """,
        name,
        name_key(name),
        owner_id,
        assignee_id,
        issue_tracker,
    )
    return project_id


async def update(tx: Transaction, project: Project) -> None:
    """Writes what can change."""
    await tx.execute(
        """
        UPDATE project
        SET name = $2, name_key = $3, assignee_id = $4, issue_tracker = $5, updated_at = $6, owner_id = $7
        WHERE id = $1
        """,
        project.id,
        project.name,
        name_key(project.name),
        project.assignee_id,
        project.issue_tracker,
        project.updated_at,
        project.owner_id,
    )


async def touch(tx: Transaction, project_id: int) -> None:
    """Something that belongs to it was changed."""
    await tx.execute("UPDATE project SET updated_at = clock_timestamp() WHERE id = $1", project_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What the tasks of a project sum up to."""

    jobs: Counts
    tasks: int
    is_hidden: bool


async def count(tx: Transaction, project_id: int, change: Counts, *, tasks: int) -> Numbers:
    """Adds to the numbers of tasks, and of jobs by status; returns them."""
    row = await tx.fetchrow(
        f"""
        UPDATE project
        SET jobs_total = jobs_total + $2,
            jobs_annotation = jobs_annotation + $3,
            jobs_validation = jobs_validation + $4,
            jobs_completed = jobs_completed + $5,
            task_count = task_count + $6
        WHERE id = $1
        RETURNING {COUNTED}, task_count, deleted_at IS NOT NULL AS is_hidden
        """,  # noqa: S608 - literals only
        project_id,
        change.total,
        change.annotation,
        change.validation,
        change.completed,
        tasks,
    )
    assert row is not None
    return Numbers(jobs=counts_from(row), tasks=row["task_count"], is_hidden=row["is_hidden"])


async def hide(tx: Transaction, project_id: int, now: datetime) -> None:
    """It and its tasks are not visible from now on."""
    await tx.execute("UPDATE project SET deleted_at = $2 WHERE id = $1", project_id, now)


async def delete_hidden(reader: Reader, before: datetime) -> int:
    """Removes projects that were hidden before then and whose tasks are gone; returns how many."""
    tag = await reader.execute(
        """
        DELETE FROM project
        WHERE deleted_at < $1 AND NOT EXISTS (SELECT FROM task WHERE task.project_id = project.id)
        """,
        before,
    )
    return int(tag.rpartition(" ")[2])


def _project_from(row: Record) -> Project:
    return Project(**{column: row[column] for column in COLUMNS})


def view_from(row: Record, labels: list[Label]) -> ProjectView:
    """A project from a row with VIEW_COLUMNS."""
    return ProjectView(
        project=_project_from(row),
        owner_name=row["owner_name"],
        assignee_name=row["assignee_name"],
        task_count=row["task_count"],
        jobs=counts_from(row),
        subsets=row["subsets"],
        preview_task_id=row["preview_task_id"],
        deleted_at=row["deleted_at"],
        labels=labels,
    )
