"""Whether the chunks of a task are kept or made on demand."""

from dataclasses import replace

from frameyard.media.v1 import media_pb2
from frameyard.task.v1 import task_service_pb2 as messages
from frameyard.task.v1.task_events_pb2 import UseCacheChanged
from yard.runtime import errors
from yard.task.handlers.access import changeable_task
from yard.task.handlers.context import Tasks
from yard.task.handlers.reading import shown_task
from yard.task.store import tasks as store


async def set_use_cache(tasks: Tasks, request: messages.SetUseCacheRequest) -> messages.SetUseCacheResponse:
    """Changes the data parameters and tells who keeps chunks; what is so already changes nothing."""
    async with tasks.db.transaction() as tx:
        task = await changeable_task(tx, request.id, lock=True)
        if task.media_state != media_pb2.MEDIA_STATE_READY or task.data is None:
            raise errors.FailedPrecondition(
                f"task {task.id} has no media that is ready", reason="MEDIA_NOT_READY"
            )
        data = media_pb2.DataParameters.FromString(task.data)
        if data.use_cache != request.use_cache:
            data.use_cache = request.use_cache
            await store.update_media(tx, replace(task, data=data.SerializeToString()))
            event = UseCacheChanged(task_id=task.id, media_id=str(task.media_id), use_cache=request.use_cache)
            await tx.emit(event, key=str(task.id))
        return messages.SetUseCacheResponse(task=await shown_task(tasks, tx, task.id))
