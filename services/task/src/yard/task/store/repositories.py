"""The columns of table task about its dataset repository."""

from dataclasses import dataclass

from yard.runtime.db import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A repository as its service knows it; `version` numbers the news of a task, no `location`: none."""

    task_id: int
    version: int
    status: int
    revision: int
    message: str
    location: str
    use_lfs: bool
    format: str


async def note(tx: Transaction, news: News) -> None:
    """Takes news over, unless newer ones were heard before; hidden tasks hear them too.

    What is synchronized up to a revision before the present one is not synchronized. All saves lock the row
    of their task, so the revisions are summed up only once it is ours: a statement that had waited for it
    would see them as they were before.
    """
    await tx.execute("SELECT FROM task WHERE id = $1 FOR UPDATE", news.task_id)
    await tx.execute(_NOTE, *(getattr(news, name) for name in News.__slots__))


# Synchronized and merged are 3 and 4, not synchronized is 1.
_NOTE = """
UPDATE task
SET sync_version = $2,
    sync_status = CASE
        WHEN $3::smallint IN (3, 4)
            AND (SELECT coalesce(sum(revision), 0) FROM job WHERE job.task_id = task.id) > $4
        THEN 1
        ELSE $3
    END,
    sync_message = $5,
    repository_location = $6,
    repository_use_lfs = $7,
    repository_format = $8
WHERE id = $1 AND sync_version < $2
"""
