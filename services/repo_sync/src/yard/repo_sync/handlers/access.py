"""Who may read, push and change the repository of which task; absent and forbidden answer alike."""

from yard.repo_sync.domain.rows import Repository
from yard.repo_sync.handlers.context import Syncing
from yard.repo_sync.sources.tasks import Owned, task_for_caller
from yard.repo_sync.store import repositories
from yard.runtime import auth, errors


async def readable_task(syncing: Syncing, authorization: str, task_id: int) -> Owned:
    """The task, if the caller sees the whole of it; NotFound otherwise."""
    owned = await _seen(syncing, authorization, task_id)
    caller = auth.current()
    if not (caller.is_admin or caller.is_service or caller.user_id in owned.staff):
        raise errors.NotFound("task", task_id)
    return owned


async def pushable_task(syncing: Syncing, authorization: str, task_id: int) -> Owned:
    """The task, if the caller may push it: who answers for it or its project, and administrators."""
    owned = await _seen(syncing, authorization, task_id)
    caller = auth.current()
    if caller.is_service or not (caller.is_admin or caller.user_id in owned.staff):
        raise errors.NotFound("task", task_id)
    return owned


async def changeable_task(syncing: Syncing, authorization: str, task_id: int) -> Owned:
    """The task, if the caller may change its repository: its owner, its project's, administrators."""
    owned = await _seen(syncing, authorization, task_id)
    caller = auth.current()
    if caller.is_service or not (caller.is_admin or caller.user_id in owned.owners):
        raise errors.NotFound("task", task_id)
    return owned


async def _seen(syncing: Syncing, authorization: str, task_id: int) -> Owned:
    if task_id <= 0:
        raise errors.invalid("task_id", "must name a task")
    return await task_for_caller(syncing.channels, authorization, task_id)


def connected(repository: Repository | None, task_id: int) -> Repository:
    """The repository, if the task is tied to it now; NotFound otherwise."""
    if repository is None or not repository.is_connected:
        raise errors.NotFound("repository", task_id, message=f"task {task_id} has no dataset repository")
    return repository


async def repository_of(syncing: Syncing, owned: Owned) -> Repository:
    """The repository of a task that the caller may see; NotFound if it has none."""
    return connected(await repositories.of_task(syncing.db, owned.task.id), owned.task.id)
