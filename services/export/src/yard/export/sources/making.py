"""What restores make in the name of who asked for them."""

from collections.abc import AsyncIterator
from typing import Any

from frameyard.annotation.v1 import annotation_service_pb2 as annotation
from frameyard.task.v1 import project_service_pb2, task_service_pb2
from google.protobuf.message import Message
from yard.export.sources.channels import Channels
from yard.export.sources.saving import save
from yard.runtime import rpc
from yard.runtime.rpc import translated


class Maker:
    """Calls of our service account that count as those of one person."""

    def __init__(self, channels: Channels, user_id: int, username: str) -> None:
        self.channels = channels
        self.user_id = user_id
        self.metadata = rpc.acts_for(user_id, username)

    async def call(self, method: Any, request: Message | AsyncIterator[Message]) -> Any:
        """The answer; an error of our tree."""
        with translated():
            return await method(request, metadata=self.metadata)

    async def project(self, request: project_service_pb2.CreateProjectRequest) -> str:
        """Makes a project, once for each request id; its id."""
        return str((await self.call(self.channels.projects.CreateProject, request)).project.id)

    async def task(self, request: task_service_pb2.CreateTaskRequest) -> str:
        """Makes a task, once for each request id; its id."""
        return str((await self.call(self.channels.tasks.CreateTask, request)).task.id)

    async def objects(self, job_id: int, request_id: str, batches: AsyncIterator[bytes]) -> None:
        """Brings the objects of a job, once for each request id."""
        header = annotation.ImportHeader(
            target=annotation.AnnotationTarget(job_id=job_id),
            mode=annotation.IMPORT_MODE_APPEND,
            request_id=request_id,
            user_id=self.user_id,
            as_stored=True,
        )
        await save(self.channels, header, batches)
