"""What happens to tasks: it may be missing in their repositories from then on."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from frameyard.annotation.v1.annotation_events_pb2 import AnnotationsChanged, DeletedFramesChanged
from frameyard.identity.v1.identity_events_pb2 import UserCreated, UserDeactivated, UserUpdated
from frameyard.task.v1.task_events_pb2 import (
    ProjectUpdated,
    TaskDeleted,
    TaskMoved,
    TaskPurged,
    TaskReady,
    TaskUndeleted,
    TaskUpdated,
)
from frameyard.task.v1.task_pb2 import SYNC_STATUS_NOT_SYNCHRONIZED
from yard.repo_sync.domain.due import due_at
from yard.repo_sync.domain.rows import Counts, Person, Repository
from yard.repo_sync.handlers.context import DUE, HEARD, Syncing
from yard.repo_sync.handlers.stopping import stop_push
from yard.repo_sync.handlers.telling import CURRENT, change
from yard.repo_sync.store import people, pushes, repositories
from yard.runtime import clock
from yard.runtime.bus import Event
from yard.runtime.db import Transaction

# Fields of a task that say what its annotations mean. What else CVAT's formats tell of it (people, issue
# tracker, time of the last change) makes nothing out of date.
_IN_FILES = frozenset({"labels", "name", "subset"})


async def annotations_changed(tx: Transaction, event: Event[AnnotationsChanged]) -> None:
    """Counts what waits; what comes while a push is on its way is kept apart by its revision."""
    changed = event.message
    before = await _connected(tx, changed.task_id)
    if before is None or changed.task_revision <= max(before.pushed_revision, before.connected_revision):
        return
    counts = Counts(created=changed.created, updated=changed.updated, deleted=changed.deleted)
    values: dict[str, Any] = {"known_revision": max(before.known_revision, changed.task_revision)}
    if before.push_id is not None:
        await repositories.add_waiting(tx, changed.task_id, changed.task_revision, counts)
    else:
        total = before.waiting + counts
        values |= {"created": total.created, "updated": total.updated, "deleted": total.deleted}
    await _note_change(tx, before, values)
    tx.wake(HEARD)


async def frames_changed(tx: Transaction, event: Event[DeletedFramesChanged]) -> None:
    """Frames that are deleted are not in the file."""
    await _file_changed(tx, [event.message.task_id])


async def task_ready(tx: Transaction, event: Event[TaskReady]) -> None:
    """Before that there are no frames, and no file."""
    await _file_changed(tx, [event.message.task_id])


async def task_updated(tx: Transaction, event: Event[TaskUpdated]) -> None:
    """Labels, name and subset are in the file."""
    if _IN_FILES & set(event.message.changed_fields):
        await _file_changed(tx, [event.message.task_id])


async def project_updated(tx: Transaction, event: Event[ProjectUpdated]) -> None:
    """Labels of a project are those of its tasks."""
    if "labels" in event.message.changed_fields:
        await _file_changed(tx, await repositories.in_project(tx, event.message.project_id))


async def task_moved(tx: Transaction, event: Event[TaskMoved]) -> None:
    """Keeps where a task is."""
    before = await repositories.locked(tx, event.message.task_id)
    if before is not None:
        await change(tx, before, project_id=event.message.to_project_id)


async def task_deleted(syncing: Syncing, tx: Transaction, event: Event[TaskDeleted]) -> None:
    """A hidden task is not pushed."""
    await stop_push(syncing, tx, event.message.task_id)
    before = await repositories.locked(tx, event.message.task_id)
    if before is not None:
        await change(tx, before, is_task_deleted=True)


async def task_undeleted(tx: Transaction, event: Event[TaskUndeleted]) -> None:
    """It goes on as before."""
    before = await repositories.locked(tx, event.message.task_id)
    if before is not None:
        await change(tx, before, is_task_deleted=False)
        tx.wake(DUE)


async def task_purged(syncing: Syncing, tx: Transaction, event: Event[TaskPurged]) -> None:
    """Forgets all, the credential before anything else."""
    await stop_push(syncing, tx, event.message.task_id)
    await repositories.forget(tx, event.message.task_id)
    await pushes.forget(tx, event.message.task_id)


async def learn_person(tx: Transaction, event: Event[UserCreated] | Event[UserUpdated]) -> None:
    """Keeps name, role and activity of an account."""
    user = event.message.user
    person = Person(
        id=user.id,
        username=user.username,
        name=f"{user.first_name} {user.last_name}".strip(),
        role=user.role,
        is_active=user.is_active,
    )
    await people.put(tx, person)


async def forget_person(tx: Transaction, event: Event[UserDeactivated]) -> None:
    """Keeps that an account is not active any more."""
    await people.deactivate(tx, event.message.user_id)


async def _file_changed(tx: Transaction, task_ids: Iterable[int]) -> None:
    for task_id in task_ids:
        before = await _connected(tx, task_id)
        if before is not None:
            await _note_change(tx, before, {"change_number": before.change_number + 1})


async def _note_change(tx: Transaction, before: Repository, values: dict[str, Any]) -> None:
    values |= {"changed_at": clock.now()}
    if before.status in CURRENT:
        values |= {"status": SYNC_STATUS_NOT_SYNCHRONIZED}
    if before.push_id is None:
        values |= {"due_at": due_at(replace(before, **values), values["changed_at"])}
        tx.wake(DUE)
    await change(tx, before, **values)


async def _connected(tx: Transaction, task_id: int) -> Repository | None:
    found = await repositories.locked(tx, task_id)
    return found if found is not None and found.is_connected else None
