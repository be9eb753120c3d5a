# ruff: noqa: N802 - methods are named as in the proto
"""TaskService."""

from typing import Any

from frameyard.task.v1 import task_service_pb2 as messages
from frameyard.task.v1 import task_service_pb2_grpc
from yard.task.handlers import grants, labels, media, moves, reading, removal, tasks, undelete, use_cache
from yard.task.handlers.context import Tasks

TASK_SERVICE = messages.DESCRIPTOR.services_by_name["TaskService"].full_name


class TaskServicer(task_service_pb2_grpc.TaskServiceServicer):
    """Tasks over gRPC."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    async def CreateTask(
        self, request: messages.CreateTaskRequest, context: Any
    ) -> messages.CreateTaskResponse:
        """Makes a task."""
        return await tasks.create_task(self._tasks, request)

    async def AttachMedia(
        self, request: messages.AttachMediaRequest, context: Any
    ) -> messages.AttachMediaResponse:
        """Gives a task its media."""
        return await media.attach_media(self._tasks, request)

    async def PlanSegments(
        self, request: messages.PlanSegmentsRequest, context: Any
    ) -> messages.PlanSegmentsResponse:
        """Tells segments in advance."""
        return tasks.plan_segments(request)

    async def GetTask(self, request: messages.GetTaskRequest, context: Any) -> messages.GetTaskResponse:
        """Reads a task."""
        return await reading.get_task(self._tasks, request)

    async def ListTasks(self, request: messages.ListTasksRequest, context: Any) -> messages.ListTasksResponse:
        """Lists tasks."""
        return await reading.list_tasks(self._tasks, request)

    async def UpdateTask(
        self, request: messages.UpdateTaskRequest, context: Any
    ) -> messages.UpdateTaskResponse:
        """Changes a task."""
        return await tasks.update_task(self._tasks, request)

    async def SetUseCache(
        self, request: messages.SetUseCacheRequest, context: Any
    ) -> messages.SetUseCacheResponse:
        """Keeps chunks or makes them on demand."""
        return await use_cache.set_use_cache(self._tasks, request)

    async def UpdateTaskLabels(
        self, request: messages.UpdateTaskLabelsRequest, context: Any
    ) -> messages.UpdateTaskLabelsResponse:
        """Changes its labels."""
        return await labels.update_task_labels(self._tasks, request)

    async def MoveTask(self, request: messages.MoveTaskRequest, context: Any) -> messages.MoveTaskResponse:
        """Moves a task between projects."""
        return await moves.move_task(self._tasks, request)

    async def DeleteTask(
        self, request: messages.DeleteTaskRequest, context: Any
    ) -> messages.DeleteTaskResponse:
        """Hides a task."""
        return await removal.delete_task(self._tasks, request)

    async def UndeleteTask(
        self, request: messages.UndeleteTaskRequest, context: Any
    ) -> messages.UndeleteTaskResponse:
        """Brings a task back."""
        return await undelete.undelete_task(self._tasks, request)

    async def GetMediaGrant(
        self, request: messages.GetMediaGrantRequest, context: Any
    ) -> messages.GetMediaGrantResponse:
        """Gives a right to pixels."""
        return await grants.get_media_grant(self._tasks, request)
