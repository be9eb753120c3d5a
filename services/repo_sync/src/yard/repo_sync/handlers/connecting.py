"""Tying tasks to repositories, and untying them."""

from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from frameyard.sync.v1 import repository_service_pb2 as messages
from frameyard.sync.v1.repository_pb2 import CREDENTIAL_KIND_UNSPECIFIED
from frameyard.task.v1.task_events_pb2 import TaskCreated
from frameyard.task.v1.task_pb2 import SYNC_STATUS_NOT_SYNCHRONIZED, SYNC_STATUS_UNSPECIFIED, Task
from yard.repo_sync.domain import fields
from yard.repo_sync.domain.due import due_at
from yard.repo_sync.domain.fields import Place, place_of
from yard.repo_sync.domain.rows import Person, Repository
from yard.repo_sync.handlers.access import changeable_task, connected
from yard.repo_sync.handlers.branches import branch_violations
from yard.repo_sync.handlers.context import DUE, Syncing
from yard.repo_sync.handlers.messages import shown
from yard.repo_sync.handlers.stopping import stop_push
from yard.repo_sync.handlers.telling import change, tell
from yard.repo_sync.sources.exports import format_names
from yard.repo_sync.sources.tasks import Owned
from yard.repo_sync.store import people, repositories
from yard.runtime import auth, clock, errors, idempotency
from yard.runtime.bus import Event
from yard.runtime.db import Transaction

NO_CREDENTIAL: Final[dict[str, Any]] = {
    "credential_kind": CREDENTIAL_KIND_UNSPECIFIED,
    "credential": None,
    "credential_username": "",
    "public_key": "",
    "credential_set_at": None,
}
NO_HOST_KEYS: Final[dict[str, Any]] = {"host_keys": (), "are_host_keys_given": False}
NOTHING_PUSHED: Final[dict[str, Any]] = {
    "pushed_revision": 0,
    "pushed_commit": "",
    "pushed_branch": "",
    "pushed_at": None,
    "blobs": (),
    "error": None,
    "status": SYNC_STATUS_NOT_SYNCHRONIZED,
}


async def connect(
    syncing: Syncing, request: messages.ConnectRepositoryRequest, authorization: str
) -> messages.ConnectRepositoryResponse:
    """Ties a task to a repository, once for each request id."""
    owned = await changeable_task(syncing, authorization, request.task_id)
    await _check(syncing, request)
    async with syncing.db.transaction() as tx:
        return await idempotency.once(
            tx,
            request.request_id,
            request,
            messages.ConnectRepositoryResponse,
            lambda: _connect(syncing, tx, request, owned),
        )


async def disconnect(
    syncing: Syncing, request: messages.DisconnectRepositoryRequest, authorization: str
) -> messages.DisconnectRepositoryResponse:
    """Unties a task; that it had a repository is remembered, so that it is not taken over again."""
    owned = await changeable_task(syncing, authorization, request.task_id)
    await adopt(syncing, owned)
    async with syncing.db.transaction() as tx:
        await stop_push(syncing, tx, request.task_id)
        before = connected(await repositories.locked(tx, request.task_id), request.task_id)
        await repositories.drop_waiting(tx, before.task_id)
        await change(
            tx,
            before,
            version=before.version + 1,
            is_connected=False,
            push_id=None,
            location="",
            url="",
            path="",
            quiet_s=None,
            period_s=None,
            automatic_author_id=0,
            due_at=None,
            created=0,
            updated=0,
            deleted=0,
            updated_at=clock.now(),
            **NO_CREDENTIAL,
            **NO_HOST_KEYS,
            **{**NOTHING_PUSHED, "status": SYNC_STATUS_UNSPECIFIED},
        )
    return messages.DisconnectRepositoryResponse()


async def take_over(tx: Transaction, event: Event[TaskCreated]) -> None:
    """A task that was made with a repository is tied by that; the first push tells what is wrong with it."""
    created = event.message
    if not created.HasField("repository"):
        return
    task = Task(
        id=created.task_id,
        name=created.name,
        project_id=created.project_id,
        repository=created.repository,
    )
    await _adopt(tx, task)


async def adopt(syncing: Syncing, owned: Owned) -> None:
    """Ties a task that was made with a repository before its event came here, or before we were."""
    task = owned.task
    if not task.HasField("repository") or await repositories.of_task(syncing.db, task.id) is not None:
        return
    async with syncing.db.transaction() as tx:
        await _adopt(tx, task)


async def _adopt(tx: Transaction, task: Task) -> None:
    place, now = Place(), clock.now()
    with suppress(ValueError):
        place = place_of(task.repository.location, task.name)
    repository = Repository(
        task_id=task.id,
        project_id=task.project_id,
        location=task.repository.location.strip(),
        url=place.url,
        path=place.path,
        format=task.repository.format,
        use_lfs=task.repository.use_lfs,
        known_revision=task.revision,
        connected_revision=task.revision,
        changed_at=now,
        updated_at=now,
    )
    if await repositories.insert(tx, repository):
        await tell(tx, repository)


async def _check(syncing: Syncing, request: messages.ConnectRepositoryRequest) -> None:
    wanted = request.repository
    found = [
        *fields.location_violations(wanted.location, wanted.format, "repository."),
        *branch_violations(request.branch),
        *fields.automatic_violations(request.automatic, syncing.pauses, ""),
    ]
    if wanted.format:
        found += fields.format_violations(wanted.format, await format_names(syncing.channels), "repository.")
    errors.refuse(found)


async def _connect(
    syncing: Syncing, tx: Transaction, request: messages.ConnectRepositoryRequest, owned: Owned
) -> messages.ConnectRepositoryResponse:
    if owned.task.HasField("repository"):
        await _adopt(tx, owned.task)
    before = await repositories.locked(tx, request.task_id)
    if before is not None and before.is_connected:
        raise errors.FailedPrecondition(
            f"task {request.task_id} has a dataset repository: change that, or disconnect it",
            reason="REPOSITORY_CONNECTED",
        )
    repository = await _new(syncing, tx, request, owned)
    if before is not None:
        kept = {"change_number": before.change_number, "attempted_at": before.attempted_at}
        repository = replace(repository, version=before.version + 1, **kept)  # type: ignore[arg-type]
        await repositories.save(tx, repository)
    elif not await repositories.insert(tx, repository):
        raise errors.Conflict(f"task {request.task_id} was connected at the same time")
    await tell(tx, repository)
    tx.wake(DUE)
    return messages.ConnectRepositoryResponse(repository=await shown(tx, repository))


async def _new(
    syncing: Syncing, tx: Transaction, request: messages.ConnectRepositoryRequest, owned: Owned
) -> Repository:
    wanted, task, now = request.repository, owned.task, clock.now()
    place = place_of(wanted.location, task.name)
    repository = Repository(
        task_id=task.id,
        project_id=task.project_id,
        location=wanted.location.strip(),
        url=place.url,
        path=place.path,
        format=wanted.format,
        use_lfs=wanted.use_lfs,
        branch=request.branch,
        known_revision=task.revision,
        connected_revision=task.revision,
        changed_at=now,
        updated_at=now,
    )
    if not request.HasField("automatic"):
        return repository
    quiet_s, period_s = fields.automatic_pauses(request.automatic, syncing.pauses)
    author = await note_caller(tx)
    repository = replace(repository, quiet_s=quiet_s, period_s=period_s, automatic_author_id=author.id)
    return replace(repository, due_at=due_at(repository, now))


async def note_caller(tx: Transaction) -> Person:
    """The caller, whose name is kept if identity has not told it yet."""
    caller = auth.current()
    person = Person(id=caller.user_id, username=caller.username)
    await people.note(tx, person)
    return person
