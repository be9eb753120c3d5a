"""One push: export, file, commit, and the news of it. Every step bears to be done again."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from frameyard.export.v1.export_service_pb2 import ExportResult
from frameyard.identity.v1.user_pb2 import ROLE_ADMIN, ROLE_WORKER
from frameyard.task.v1.task_pb2 import TASK_MODE_INTERPOLATION, Task
from yard.repo_sync.domain import commits
from yard.repo_sync.domain.commits import Described
from yard.repo_sync.domain.git_ids import blob_ids
from yard.repo_sync.domain.rows import Counts, Person, Push, Repository
from yard.repo_sync.git.way import Way
from yard.repo_sync.handlers import ending, files
from yard.repo_sync.handlers.context import HEARD, Syncing
from yard.repo_sync.handlers.credentials import access_of
from yard.repo_sync.handlers.ending import Pushed, Request
from yard.repo_sync.handlers.telling import change
from yard.repo_sync.lfs.pointer import pointer
from yard.repo_sync.publishing import publish
from yard.repo_sync.publishing.publication import Author, Publication
from yard.repo_sync.sources.exports import export
from yard.repo_sync.sources.tasks import Owned, task_of
from yard.repo_sync.store import people, pushes, repositories
from yard.runtime import clock, errors
from yard.runtime.blobs import BlobRef
from yard.runtime.pauses import until_any
from yard.runtime.work import Work

MAX_ATTEMPTS: Final = 4
LISTEN_S, TOGETHER_S = 5.0, 0.2
"""How long a push waits for the news of what it brings, which only count it; and for all of one save."""

# Of the whole: the export, and the file's way onto the disk.
_EXPORTED, _FETCHED = 0.4, 0.5


async def run_push(syncing: Syncing, work: Work[Request]) -> None:
    """Pushes the present annotations; what is down for too long is a failure that people are told of."""
    push, repository, author = await _start(syncing, work)
    try:
        await _push(syncing, work, push, repository, author)
    except (errors.Unavailable, errors.Conflict) as fault:
        if isinstance(fault, errors.LeaseLost):
            raise
        age_s = (clock.now() - push.created_at).total_seconds()
        if age_s < syncing.runtime.settings.push_give_up_s:
            await work.progress(0.0, f"{fault.message}; it is tried again")
            raise errors.Unavailable(fault.message, reason=fault.reason) from fault
        raise errors.FailedPrecondition(
            f"{fault.message}; it was tried for {age_s / 60:.0f} minutes",
            reason=fault.reason,
            metadata={**fault.metadata, "may_pass": "true"},
        ) from fault


async def _start(syncing: Syncing, work: Work[Request]) -> tuple[Push, Repository, Person]:
    """What is pushed, where, and in whose name; Cancelled if the repository is another one by now."""
    assert work.operation_id is not None
    async with work.transaction() as tx:
        push = await pushes.push_of(tx, work.operation_id)
        repository = await repositories.locked(tx, work.message.task_id)
        if push is None or repository is None or repository.push_id != push.id:
            raise errors.Cancelled("the repository was changed meanwhile")
        await pushes.note_start(tx, push.id, repository.change_number)
        author = await people.person_of(tx, push.author_id)
        return push, repository, replace(author, username=author.username or push.author_name)


async def _push(
    syncing: Syncing, work: Work[Request], push: Push, repository: Repository, author: Person
) -> None:
    if not repository.url:
        raise errors.FailedPrecondition(
            "the location that the task was made with names no repository: change it",
            reason="LOCATION_INVALID",
        )
    owned = await task_of(syncing.channels, push.task_id)
    if push.is_automatic:
        _check_author(owned, author)
    access = access_of(syncing, repository)
    exported = await _export(syncing, work, push, repository, owned.task)
    with syncing.scratch.fresh() as folder:
        archive = BlobRef.from_proto(exported.archive)
        file = await files.fetch(syncing.runtime.blobs, archive, folder, repository.path)
        await work.progress(_FETCHED, "publishing")
        await _hear(syncing, push.task_id, exported.revision)
        publication = Publication(
            url=repository.url,
            access=access,
            branch=repository.branch,
            path=repository.path,
            file=file,
            use_lfs=repository.use_lfs,
            author=_author(syncing, author, push),
            message=await _message(syncing, repository, owned.task, exported.revision),
        )

        async def tell(share: float, message: str) -> None:
            await work.progress(_FETCHED + (1 - _FETCHED) * share, message)

        published = await publish(way_of(syncing, folder, repository), publication, tell)
        blobs = await _ids(file, use_lfs=repository.use_lfs)
    pushed = Pushed(published=published, revision=exported.revision, blobs=blobs)
    async with work.finish(pushed.result) as tx:
        await ending.note_pushed(syncing, tx, push.id, pushed)


async def _hear(syncing: Syncing, task_id: int, revision: int) -> None:
    """Returns when the changes up to that revision have been counted, which come after what they tell of."""
    pause_s = 0.0
    with suppress(TimeoutError):
        async with asyncio.timeout(LISTEN_S), syncing.db.signals.listening(HEARD) as woken:
            while True:
                woken.clear()
                known = await repositories.of_task(syncing.db, task_id)
                if known is None or known.known_revision >= revision:
                    # A save of several jobs is told job by job.
                    await asyncio.sleep(pause_s)
                    return
                pause_s = TOGETHER_S
                await until_any(woken, timeout_s=1.0)


def way_of(syncing: Syncing, folder: Path, repository: Repository) -> Way:
    """How git gets out, with a folder for what it needs meanwhile."""
    settings = syncing.runtime.settings

    async def note_keys(keys: tuple[str, ...]) -> None:
        async with syncing.db.transaction() as tx:
            before = await repositories.locked(tx, repository.task_id)
            if before is not None and before.version == repository.version and not before.host_keys:
                await change(tx, before, host_keys=keys)

    return Way(
        folder=folder,
        networks=syncing.networks,
        ca_file=settings.egress_ca_file,
        fetch_limit_bytes=settings.fetch_limit_bytes,
        timeout_s=settings.push_timeout_s,
        note_keys=note_keys,
    )


def format_of(repository: Repository, task: Task) -> str:
    """The chosen format, or the one that fits the task."""
    if repository.format:
        return repository.format
    is_video = task.mode == TASK_MODE_INTERPOLATION
    return "CVAT for video 1.1" if is_video else "CVAT for images 1.1"


async def _export(
    syncing: Syncing, work: Work[Request], push: Push, repository: Repository, task: Task
) -> ExportResult:
    async def tell(share: float, message: str) -> None:
        await work.progress(_EXPORTED * share, message)

    return await export(syncing.channels, push.id, task.id, format_of(repository, task), tell)


def _check_author(owned: Owned, author: Person) -> None:
    """Who has switched pushes on may lose the right to push."""
    may_push = author.id in owned.staff and author.role != ROLE_WORKER
    if not author.is_active or not (may_push or author.role == ROLE_ADMIN):
        raise errors.PermissionDenied(
            f"{author.username} may not push the task any more, so it is not pushed by itself from now on: "
            "whoever may change the repository can switch it on again",
            reason=ending.NOT_THEIRS,
        )


def _author(syncing: Syncing, author: Person, push: Push) -> Author:
    domain = syncing.runtime.settings.author_email_domain
    return Author(
        name=commits.author_name(author.username, author.name),
        email=commits.email(author.username, domain),
        when=push.created_at,
    )


async def _message(syncing: Syncing, repository: Repository, task: Task, revision: int) -> str:
    counts: Counts | None = None
    # The first push also brings what was there before the task was tied, which nobody has counted.
    if repository.pushed_commit or not repository.connected_revision:
        counts = repository.waiting + await repositories.waiting(syncing.db, task.id, revision)
    base = syncing.runtime.settings.public_url.rstrip("/")
    described = Described(
        name=task.name,
        link=f"{base}/tasks/{task.id}" if base else "",
        issue_tracker=task.issue_tracker,
        format=format_of(repository, task),
        revision=revision,
        counts=counts,
    )
    return commits.message(described)


async def _ids(file: Path, *, use_lfs: bool) -> tuple[str, ...]:
    """What git may call what lies at the path now: the file, or the pointer to it."""
    if not use_lfs:
        return await files.ids_of(file)
    digest, size = await files.digest_of(file)
    content = pointer(digest, size)
    return blob_ids(len(content), [content])
