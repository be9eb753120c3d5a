"""The end of tasks: hidden at once, gone after some days."""

from frameyard.media.v1 import media_pb2
from frameyard.task.v1 import task_service_pb2 as messages
from frameyard.task.v1.task_events_pb2 import TaskDeleted, TaskPurged
from yard.runtime import auth, clock, errors
from yard.runtime.db import Transaction
from yard.task.domain import rights
from yard.task.handlers import progress
from yard.task.handlers.access import readable_task
from yard.task.handlers.context import Tasks
from yard.task.store import projects as project_store
from yard.task.store import purge as store
from yard.task.store import tasks as task_store


async def delete_task(tasks: Tasks, request: messages.DeleteTaskRequest) -> messages.DeleteTaskResponse:
    """Hides a task and ends its work."""
    async with tasks.db.transaction() as tx:
        task = await readable_task(tx, request.id)
        if not rights.may_delete_task(auth.current(), task):
            raise errors.PermissionDenied(f"task {request.id} is deleted by its owner")
        await hide_task(tasks, tx, task.id, user_id=auth.current().user_id)
    return messages.DeleteTaskResponse()


async def hide_task(
    tasks: Tasks, tx: Transaction, task_id: int, *, user_id: int, with_project: bool = False
) -> None:
    """Hides a task, cancels what is under way for it, and tells it, once."""
    # The operation before the task: as everybody locks who ends one.
    media_id = await _cancel_media(tasks, tx, task_id)
    if await task_store.hide(tx, task_id, clock.now(), with_project=with_project):
        # What was attached in between.
        media_id = await _cancel_media(tasks, tx, task_id) or media_id
        deleted = TaskDeleted(task_id=task_id, media_id=media_id, user_id=user_id)
        await tx.emit(deleted, key=str(task_id))
        await progress.task_hidden(tx, task_id)


async def purge(tasks: Tasks) -> int:
    """Removes what was hidden long enough ago; returns the number of tasks."""
    before = clock.now() - tasks.purge_after
    count = 0
    while (task_id := await store.begin(tasks.db, before)) is not None:
        await store.delete_annotations(tasks.db, task_id)
        async with tasks.db.transaction() as tx:
            task = await task_store.task_of_any(tx, task_id, lock=True)
            if task is not None:
                await store.delete_task(tx, task_id)
                purged = TaskPurged(task_id=task_id, media_id=str(task.media_id or ""))
                await tx.emit(purged, key=str(task_id))
                count += 1
    await project_store.delete_hidden(tasks.db, before)
    return count


async def _cancel_media(tasks: Tasks, tx: Transaction, task_id: int) -> str:
    """Cancels the operation that attaches media, if one does; returns the id of the media."""
    task = await task_store.task_of_any(tx, task_id)
    if task is None or task.media_id is None:
        return ""
    if task.media_operation is not None and task.media_state == media_pb2.MEDIA_STATE_INDEXING:
        await tasks.operations.cancel(tx, task.media_operation)
    return str(task.media_id)
