"""Changes of where and how a task is pushed."""

from dataclasses import replace
from typing import Any

from frameyard.sync.v1 import repository_service_pb2 as messages
from frameyard.sync.v1.repository_pb2 import Repository as Message
from yard.repo_sync.domain import fields
from yard.repo_sync.domain.due import due_at
from yard.repo_sync.domain.fields import Place, place_of
from yard.repo_sync.domain.rows import Repository
from yard.repo_sync.handlers.access import changeable_task, connected, repository_of
from yard.repo_sync.handlers.branches import branch_violations
from yard.repo_sync.handlers.connecting import (
    NO_CREDENTIAL,
    NO_HOST_KEYS,
    NOTHING_PUSHED,
    adopt,
    note_caller,
)
from yard.repo_sync.handlers.context import DUE, Syncing, host_of
from yard.repo_sync.handlers.messages import shown
from yard.repo_sync.handlers.stopping import fold, stop_push
from yard.repo_sync.handlers.telling import CURRENT, change, healed
from yard.repo_sync.sources.exports import format_names
from yard.repo_sync.store import repositories
from yard.runtime import clock, errors
from yard.runtime.db import Transaction

# What makes the file another one, or puts it elsewhere.
_PLACE = ("url", "path", "format", "use_lfs", "branch")


async def update(
    syncing: Syncing, request: messages.UpdateRepositoryRequest, authorization: str
) -> messages.UpdateRepositoryResponse:
    """Changes the masked fields; a push to the place before is ended."""
    wanted, paths = request.repository, frozenset(request.update_mask.paths)
    owned = await changeable_task(syncing, authorization, wanted.task_id)
    await adopt(syncing, owned)
    present = await repository_of(syncing, owned)
    await _check(syncing, present, wanted, request.update_mask.paths)
    place = place_of(wanted.location, owned.task.name) if "location" in paths else None
    async with syncing.db.transaction() as tx:
        values = _values(wanted, paths, place)
        if _is_elsewhere(present, values):
            await stop_push(syncing, tx, wanted.task_id)
        before = connected(await repositories.locked(tx, wanted.task_id), wanted.task_id)
        if "automatic" in paths:
            values |= await _automatic(syncing, tx, wanted)
        values |= await _consequences(tx, before, values)
        after = replace(before, **values)
        if "automatic" in paths or after.version != before.version or healed(before):
            values["due_at"] = None if after.status in CURRENT else due_at(after, after.changed_at)
            tx.wake(DUE)
        after = await change(tx, before, **values)
        return messages.UpdateRepositoryResponse(repository=await shown(tx, after))


async def _check(syncing: Syncing, present: Repository, wanted: Message, paths: Any) -> None:
    """InvalidArgument with all that would be wrong with the repository after the change."""
    location = wanted.location if "location" in paths else present.location
    format_name = wanted.format if "format" in paths else present.format
    found = list(fields.mask_violations(paths))
    if {"location", "format"} & set(paths):
        found += fields.location_violations(location, format_name, "repository.")
    if "format" in paths and wanted.format:
        found += fields.format_violations(wanted.format, await format_names(syncing.channels), "repository.")
    if "branch" in paths:
        found += branch_violations(wanted.branch, "repository.branch")
    if "automatic" in paths:
        found += fields.automatic_violations(wanted.automatic, syncing.pauses, "repository.")
    errors.refuse(found)


def _values(wanted: Message, paths: frozenset[str], place: Place | None) -> dict[str, Any]:
    values = {path: getattr(wanted, path) for path in paths & {"format", "use_lfs", "branch"}}
    if place is not None:
        values |= {"location": wanted.location.strip(), "url": place.url, "path": place.path}
    return values


async def _automatic(syncing: Syncing, tx: Transaction, wanted: Message) -> dict[str, Any]:
    """Pushes are made in the name of who has asked for them last."""
    if not wanted.HasField("automatic"):
        return {"quiet_s": None, "period_s": None, "automatic_author_id": 0, "due_at": None}
    quiet_s, period_s = fields.automatic_pauses(wanted.automatic, syncing.pauses)
    author = await note_caller(tx)
    return {"quiet_s": quiet_s, "period_s": period_s, "automatic_author_id": author.id}


async def _consequences(tx: Transaction, before: Repository, values: dict[str, Any]) -> dict[str, Any]:
    """Another place has nothing yet; another repository is not given the credential of this one."""
    found: dict[str, Any] = {}
    if _is_elsewhere(before, values):
        found |= {"version": before.version + 1, "push_id": None, **NOTHING_PUSHED}
        found |= await fold(tx, before)
        if before.pushed_commit:  # what the other place has is not counted again
            found["connected_revision"] = before.known_revision
    url = values.get("url", before.url)
    if url.removesuffix(".git") != before.url.removesuffix(".git"):
        found |= NO_CREDENTIAL
    if host_of(url) != host_of(before.url):
        found |= NO_HOST_KEYS
    return {**healed(before), **found, "updated_at": clock.now()}


def _is_elsewhere(before: Repository, values: dict[str, Any]) -> bool:
    """Whether the values put another file, or put it elsewhere."""
    return any(values.get(name, getattr(before, name)) != getattr(before, name) for name in _PLACE)
