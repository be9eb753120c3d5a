"""The task service, reached once a process."""

from typing import Self

from frameyard.task.v1 import job_service_pb2_grpc, project_service_pb2_grpc, task_service_pb2_grpc
from yard.runtime import rpc
from yard.webhook.settings import Settings


class Channels:
    """Stubs that carry the token of our service account; `projects_for_caller` carries none of ours."""

    def __init__(self, task_address: str, token: rpc.ServiceTokens) -> None:
        self._own = rpc.channel(task_address, token=token)
        self._plain = rpc.channel(task_address)
        self.tasks = task_service_pb2_grpc.TaskServiceStub(self._own)
        self.jobs = job_service_pb2_grpc.JobServiceStub(self._own)
        self.projects = project_service_pb2_grpc.ProjectServiceStub(self._own)
        self.projects_for_caller = project_service_pb2_grpc.ProjectServiceStub(self._plain)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Channels with the service account of `webhook`."""
        token = rpc.ServiceTokens(settings.identity_address, "webhook", settings.service_secret)
        return cls(settings.task_address, token)

    async def close(self) -> None:
        """Ends all connections."""
        await self._own.close()
        await self._plain.close()
