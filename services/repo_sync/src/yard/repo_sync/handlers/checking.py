"""A look at a repository: whether it can be opened, and what it has."""

from typing import Any, Final

from frameyard.sync.v1 import repository_service_pb2 as messages
from frameyard.task.v1 import task_pb2
from yard.repo_sync.domain.rows import Repository
from yard.repo_sync.handlers.access import connected
from yard.repo_sync.handlers.context import Syncing
from yard.repo_sync.handlers.credentials import access_of
from yard.repo_sync.handlers.pushing import way_of
from yard.repo_sync.handlers.telling import change
from yard.repo_sync.publishing import look
from yard.repo_sync.publishing.publication import Look
from yard.repo_sync.store import repositories
from yard.runtime import errors
from yard.runtime.db import Transaction
from yard.runtime.work import Work

MAX_ATTEMPTS: Final = 2
Request = messages.CheckRepositoryRequest


async def run_check(syncing: Syncing, work: Work[Request]) -> None:
    """Looks, and notes what follows; somebody waits, so what is down is told at once."""
    task_id = work.message.task_id
    present = connected(await repositories.of_task(syncing.db, task_id), task_id)
    try:
        seen = await _look(syncing, present)
    except errors.Unavailable as fault:
        raise errors.FailedPrecondition(
            fault.message, reason=fault.reason, metadata=fault.metadata
        ) from fault
    result = messages.CheckResult(default_branch=seen.default_branch, has_branch=seen.has_branch)
    async with work.finish(result) as tx:
        result.status = await _note(tx, present, seen)


async def _look(syncing: Syncing, present: Repository) -> Look:
    if not present.url:
        raise errors.FailedPrecondition(
            "the location that the task was made with names no repository: change it",
            reason="LOCATION_INVALID",
        )
    access = access_of(syncing, present)
    with syncing.scratch.fresh() as folder:
        way = way_of(syncing, folder, present)
        return await look(way, present.url, access, present.branch, present.path)


async def _note(tx: Transaction, present: Repository, seen: Look) -> task_pb2.SyncStatus.ValueType:
    """Status after the check; what was changed during it, and a push on its way, know better."""
    before = await repositories.locked(tx, present.task_id)
    if before is None or before.version != present.version or not before.is_connected:
        return task_pb2.SYNC_STATUS_UNSPECIFIED if before is None else before.status
    values: dict[str, Any] = {}
    if before.push_id is None and before.pushed_at == present.pushed_at:
        found = _status(before, seen)
        if found != before.status and not (_is_failed(before) and found == _NOT):
            values |= {"status": found, "error": None}
    return (await change(tx, before, **values)).status


_NOT: Final = task_pb2.SYNC_STATUS_NOT_SYNCHRONIZED


def _is_failed(repository: Repository) -> bool:
    return repository.status == task_pb2.SYNC_STATUS_FAILED


def _status(repository: Repository, seen: Look) -> task_pb2.SyncStatus.ValueType:
    """By what lies at the path, if that is what was pushed last and nothing has changed since."""
    is_latest = (
        repository.known_revision <= repository.pushed_revision
        and repository.change_number == repository.pushed_change_number
    )
    is_there = seen.has_branch and seen.blob in repository.blobs
    is_merged = repository.pushed_branch != seen.default_branch and seen.default_blob in repository.blobs
    if not is_latest or not (is_there or is_merged):
        return _NOT
    return task_pb2.SYNC_STATUS_MERGED if is_merged else task_pb2.SYNC_STATUS_SYNCHRONIZED
