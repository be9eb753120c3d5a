"""The other services, reached once a process."""

from typing import Self

from frameyard.export.v1 import export_service_pb2_grpc
from frameyard.operation.v1 import operation_service_pb2_grpc
from frameyard.task.v1 import project_service_pb2_grpc, task_service_pb2_grpc
from yard.repo_sync.settings import Settings
from yard.runtime import rpc


class Channels:
    """Stubs that carry the token of our service account; `tasks_for_caller` carries none of ours."""

    def __init__(self, settings: Settings, token: rpc.ServiceTokens) -> None:
        self._task = rpc.channel(settings.task_address, token=token)
        self._export = rpc.channel(settings.export_address, token=token)
        self._plain = rpc.channel(settings.task_address)
        self.tasks = task_service_pb2_grpc.TaskServiceStub(self._task)
        self.projects = project_service_pb2_grpc.ProjectServiceStub(self._task)
        self.tasks_for_caller = task_service_pb2_grpc.TaskServiceStub(self._plain)
        self.exports = export_service_pb2_grpc.ExportServiceStub(self._export)
        self.operations = operation_service_pb2_grpc.OperationServiceStub(self._export)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Channels with the service account of `repo_sync`."""
        token = rpc.ServiceTokens(settings.identity_address, "repo_sync", settings.service_secret)
        return cls(settings, token)

    async def close(self) -> None:
        """Ends all connections."""
        for channel in (self._task, self._export, self._plain):
            await channel.close()
