"""Changes of a repository, and the news of them."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from frameyard.sync.v1.sync_events_pb2 import SyncStatusChanged
from frameyard.task.v1 import task_pb2
from google.rpc import status_pb2
from yard.repo_sync.domain.rows import Repository
from yard.repo_sync.handlers.context import operation_name
from yard.repo_sync.store import repositories
from yard.runtime.db import Transaction

CURRENT = frozenset({task_pb2.SYNC_STATUS_SYNCHRONIZED, task_pb2.SYNC_STATUS_MERGED})
_TOLD = ("is_connected", "location", "format", "use_lfs", "status", "error")


def healed(repository: Repository) -> dict[str, Any]:
    """A failure counts until something is changed by which the next push may succeed."""
    if repository.status != task_pb2.SYNC_STATUS_FAILED:
        return {}
    return {"status": task_pb2.SYNC_STATUS_NOT_SYNCHRONIZED, "error": None}


async def change(
    tx: Transaction, before: Repository, *, operation: UUID | None = None, **values: Any
) -> Repository:
    """Writes new values of a locked repository, and tells what others have to know."""
    after = replace(before, **values)
    if after == before:
        return after
    await repositories.save(tx, after)
    if any(getattr(before, name) != getattr(after, name) for name in _TOLD):
        await tell(tx, after, operation=operation)
    return after


async def tell(tx: Transaction, repository: Repository, *, operation: UUID | None = None) -> None:
    """What the repository of a task is now, and whether it has the present annotations."""
    event = SyncStatusChanged(task_id=repository.task_id, operation=operation_name(operation))
    if repository.is_connected:
        event.status = repository.status
        is_current = repository.status in CURRENT
        event.revision = repository.pushed_revision if is_current else repository.known_revision
        event.repository.location = repository.location
        event.repository.use_lfs = repository.use_lfs
        event.repository.format = repository.format
    if repository.status == task_pb2.SYNC_STATUS_FAILED and repository.error is not None:
        event.error.CopyFrom(status_pb2.Status.FromString(repository.error))
    await tx.emit(event, key=str(repository.task_id))
