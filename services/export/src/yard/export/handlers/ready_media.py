"""Media of a task that is being made: what comes after needs its frames."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from frameyard.media.v1 import media_pb2
from frameyard.task.v1.task_pb2 import Task
from yard.export.sources.backed_up import task_of
from yard.export.sources.channels import Channels
from yard.runtime import errors

_LOOK_AGAIN_S: Final = 0.5


async def ready(channels: Channels, name: str, task_id: int, tell: Callable[[], Awaitable[None]]) -> Task:
    """The task once people could work on it; `tell` is called again and again until then."""
    while True:
        task = await task_of(channels, task_id)
        if task.media_state == media_pb2.MEDIA_STATE_FAILED:
            raise _failed(name, errors.from_status(task.media_error))
        if task.media_state == media_pb2.MEDIA_STATE_READY and task.size:
            return task
        await tell()
        await asyncio.sleep(_LOOK_AGAIN_S)


def _failed(name: str, fault: errors.YardError) -> errors.YardError:
    """What is final, for the media is not tried again by itself."""
    if errors.is_permanent(fault):
        return fault
    message = f"the media of {name} cannot be made: {fault.message}"
    return errors.FailedPrecondition(message, reason="MEDIA_FAILED", metadata=fault.metadata)
