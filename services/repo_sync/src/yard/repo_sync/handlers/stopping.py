"""Ending a push before its time."""

from typing import Any

from yard.repo_sync.domain.rows import Counts, Repository
from yard.repo_sync.handlers.context import Syncing
from yard.repo_sync.store import repositories
from yard.runtime.db import Transaction


async def stop_push(syncing: Syncing, tx: Transaction, task_id: int) -> None:
    """Asks for the end of the push that waits or runs; call it before the repository is locked.

    Work is locked first, then its operation, then the repository, as the work loop does: so the two cannot
    block each other. A push that begins in between is told apart by its version.
    """
    repository = await repositories.of_task(tx, task_id)
    if repository is not None and repository.push_id is not None:
        await syncing.operations.cancel(tx, repository.push_id)


async def fold(tx: Transaction, repository: Repository, done: int = 0) -> dict[str, Any]:
    """What waits now that no push is on its way, as columns; revisions up to `done` do not wait any more."""
    counts = Counts() if done else repository.waiting
    await repositories.drop_waiting(tx, repository.task_id, done)
    counts += await repositories.waiting(tx, repository.task_id)
    await repositories.drop_waiting(tx, repository.task_id)
    return {"created": counts.created, "updated": counts.updated, "deleted": counts.deleted}
