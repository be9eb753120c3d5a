"""How pushes end, and what the repository is after that."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from frameyard.sync.v1 import repository_service_pb2 as messages
from frameyard.sync.v1.sync_events_pb2 import RevisionPushed
from frameyard.task.v1 import task_pb2
from yard.repo_sync.domain.due import due_at
from yard.repo_sync.domain.rows import Push, Repository
from yard.repo_sync.handlers.context import DUE, Syncing, operation_name
from yard.repo_sync.handlers.messages import changes_to_proto
from yard.repo_sync.handlers.stopping import fold
from yard.repo_sync.handlers.telling import change
from yard.repo_sync.publishing.publication import Published
from yard.repo_sync.store import pushes, repositories
from yard.runtime import clock, errors
from yard.runtime.db import Transaction
from yard.runtime.operations import Operation
from yard.runtime.work import Work

NOT_THEIRS: Final = "AUTHOR_MAY_NOT_PUSH"
"""Reason of automatic pushes whose author may not push any more."""

Request = messages.PushRepositoryRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A file of a revision in a repository, by the ids that git may have given to it."""

    published: Published
    revision: int
    blobs: tuple[str, ...]

    @property
    def result(self) -> messages.PushResult:
        """What the operation ends with."""
        return messages.PushResult(
            commit=self.published.commit,
            branch=self.published.branch,
            revision=self.revision,
            was_unchanged=self.published.was_unchanged,
        )


async def note_pushed(syncing: Syncing, tx: Transaction, push_id: Any, pushed: Pushed) -> None:
    """The annotations are there; whether they are the present ones is decided here, under the lock."""
    push = await pushes.push_of(tx, push_id)
    if push is None:
        return
    before = await repositories.locked(tx, push.task_id)
    is_ours = before is not None and _is_ours(before, push)
    push = await _finished(tx, push, before if is_ours else None, pushed)
    for follower in await pushes.followers(tx, push.id):
        await syncing.operations.complete(tx, follower, pushed.result)
    if before is None or not is_ours:
        return
    await tx.emit(_event(before, push), key=str(push.task_id))
    after = replace(
        before,
        **await fold(tx, before, pushed.revision),
        **_pushed_values(push, pushed),
        known_revision=max(before.known_revision, pushed.revision),
        pushed_change_number=push.change_number or 0,
    )
    status = _status(after, is_merged=pushed.published.is_merged)
    is_current = status != task_pb2.SYNC_STATUS_NOT_SYNCHRONIZED
    values = {name: getattr(after, name) for name in Repository.__slots__}
    values |= {"status": status, "due_at": None if is_current else due_at(after, after.changed_at)}
    await change(tx, before, operation=push.id, **values)
    tx.wake(DUE)


async def note_failure(
    syncing: Syncing, tx: Transaction, work: Work[Request], fault: errors.YardError
) -> None:
    """Keeps and tells why there will be no push."""
    push = None if work.operation_id is None else await pushes.push_of(tx, work.operation_id)
    if push is None:
        return
    status: bytes = errors.to_status(fault).SerializeToString()
    now = clock.now()
    await pushes.finish(tx, replace(push, error=status, finished_at=now))
    for follower in await pushes.followers(tx, push.id):
        await syncing.operations.fail(tx, follower, fault)
    before = await repositories.locked(tx, push.task_id)
    if before is None or not _is_ours(before, push):
        return
    values = await _ended(tx, before) | {"status": task_pb2.SYNC_STATUS_FAILED, "error": status}
    if push.is_automatic and fault.reason == NOT_THEIRS:
        values |= {"quiet_s": None, "period_s": None, "automatic_author_id": 0}
    elif push.is_automatic and fault.metadata.get("may_pass") and before.period_s is not None:
        values["due_at"] = now + timedelta(seconds=before.period_s)
    await change(tx, before, operation=push.id, **values)


async def note_cancel(syncing: Syncing, tx: Transaction, operation: Operation) -> None:
    """Nothing was pushed, as far as anybody knows; the next push finds out."""
    push = await pushes.push_of(tx, operation.id)
    if push is None:
        return
    fault = errors.Cancelled("the push was cancelled")
    status: bytes = errors.to_status(fault).SerializeToString()
    await pushes.finish(tx, replace(push, error=status, finished_at=clock.now()))
    for follower in await pushes.followers(tx, push.id):
        await syncing.operations.cancel(tx, follower)
    before = await repositories.locked(tx, push.task_id)
    if before is None or not _is_ours(before, push):
        return
    values = await _ended(tx, before)
    values |= {"status": task_pb2.SYNC_STATUS_NOT_SYNCHRONIZED, "error": None}
    values["due_at"] = due_at(replace(before, **values), before.changed_at)
    await change(tx, before, operation=push.id, **values)
    tx.wake(DUE)


def _is_ours(repository: Repository, push: Push) -> bool:
    """Whether the repository is still what the push was asked for."""
    return repository.is_connected and repository.push_id == push.id and repository.version == push.version


def _status(repository: Repository, *, is_merged: bool) -> task_pb2.SyncStatus.ValueType:
    """Of a repository in which a revision was found or put a moment ago."""
    is_latest = repository.known_revision <= repository.pushed_revision
    if not is_latest or repository.change_number != repository.pushed_change_number:
        return task_pb2.SYNC_STATUS_NOT_SYNCHRONIZED
    return task_pb2.SYNC_STATUS_MERGED if is_merged else task_pb2.SYNC_STATUS_SYNCHRONIZED


async def _finished(tx: Transaction, push: Push, repository: Repository | None, pushed: Pushed) -> Push:
    counts = push.counts
    if repository is not None:
        counts = repository.waiting + await repositories.waiting(tx, push.task_id, pushed.revision)
    ended = replace(
        push,
        revision=pushed.revision,
        commit=pushed.published.commit,
        branch=pushed.published.branch,
        was_unchanged=pushed.published.was_unchanged,
        created=counts.created,
        updated=counts.updated,
        deleted=counts.deleted,
        finished_at=clock.now(),
    )
    await pushes.finish(tx, ended)
    return ended


def _pushed_values(push: Push, pushed: Pushed) -> dict[str, Any]:
    return {
        "error": None,
        "push_id": None,
        "pushed_revision": pushed.revision,
        "pushed_commit": pushed.published.commit,
        "pushed_branch": pushed.published.branch,
        "pushed_at": push.finished_at,
        "attempted_at": push.finished_at,
        "blobs": pushed.blobs,
    }


async def _ended(tx: Transaction, repository: Repository) -> dict[str, Any]:
    """Without a push on its way, and what waited during it with the rest."""
    return {"push_id": None, "attempted_at": clock.now(), **await fold(tx, repository)}


def _event(repository: Repository, push: Push) -> RevisionPushed:
    return RevisionPushed(
        task_id=push.task_id,
        revision=push.revision,
        commit=push.commit,
        branch=push.branch,
        url=repository.url,
        path=repository.path,
        was_unchanged=push.was_unchanged,
        changes=changes_to_proto(push.counts),
        user_id=push.author_id,
        operation=operation_name(push.id),
    )
