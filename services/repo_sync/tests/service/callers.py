"""Somebody's view of the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc.aio
from frameyard.operation.v1 import operation_pb2, operation_service_pb2, operation_service_pb2_grpc
from frameyard.sync.v1 import repository_pb2, repository_service_pb2_grpc
from frameyard.sync.v1 import repository_service_pb2 as messages
from frameyard.task.v1 import task_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from yard.runtime import auth
from yard.testkit.eventually import eventually

from services.repo_sync.tests.service.neighbours import TASK

NOT, SYNCING = task_pb2.SYNC_STATUS_NOT_SYNCHRONIZED, task_pb2.SYNC_STATUS_SYNCING
SYNCHRONIZED, MERGED = task_pb2.SYNC_STATUS_SYNCHRONIZED, task_pb2.SYNC_STATUS_MERGED
FAILED = task_pb2.SYNC_STATUS_FAILED
FINAL = {
    operation_pb2.OPERATION_STATE_SUCCEEDED,
    operation_pb2.OPERATION_STATE_FAILED,
    operation_pb2.OPERATION_STATE_CANCELLED,
}


class Client:
    """Calls about the repository of TASK, unless another is named."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.stub = repository_service_pb2_grpc.RepositoryServiceStub(channel)
        self.operations = operation_service_pb2_grpc.OperationServiceStub(channel)

    async def connect(self, location: str, task_id: int = TASK, **values: Any) -> repository_pb2.Repository:
        own = {name: values.pop(name) for name in ("format", "use_lfs") if name in values}
        repository = task_pb2.DatasetRepository(location=location, **own)
        request = messages.ConnectRepositoryRequest(task_id=task_id, repository=repository, **values)
        return (await self.stub.ConnectRepository(request)).repository

    async def get(self, task_id: int = TASK) -> repository_pb2.Repository:
        return (await self.stub.GetRepository(messages.GetRepositoryRequest(task_id=task_id))).repository

    async def update(self, task_id: int = TASK, **values: Any) -> repository_pb2.Repository:
        paths = list(values)
        wanted = repository_pb2.Repository(
            task_id=task_id, **{name: value for name, value in values.items() if value is not None}
        )
        request = messages.UpdateRepositoryRequest(repository=wanted, update_mask=FieldMask(paths=paths))
        return (await self.stub.UpdateRepository(request)).repository

    async def disconnect(self, task_id: int = TASK) -> None:
        await self.stub.DisconnectRepository(messages.DisconnectRepositoryRequest(task_id=task_id))

    async def set_credential(self, task_id: int = TASK, **values: Any) -> repository_pb2.Repository:
        request = messages.SetCredentialRequest(task_id=task_id, **values)
        return (await self.stub.SetCredential(request)).repository

    async def set_token(
        self, token: str, username: str = "", task_id: int = TASK
    ) -> repository_pb2.Repository:
        return await self.set_credential(task_id, token=messages.Token(username=username, token=token))

    async def set_host_keys(self, *lines: str, task_id: int = TASK) -> repository_pb2.Repository:
        request = messages.SetHostKeysRequest(task_id=task_id, host_keys=lines)
        return (await self.stub.SetHostKeys(request)).repository

    async def push(self, task_id: int = TASK, **values: Any) -> operation_pb2.Operation:
        request = messages.PushRepositoryRequest(task_id=task_id, **values)
        return (await self.stub.PushRepository(request)).operation

    async def check(self, task_id: int = TASK) -> operation_pb2.Operation:
        return (await self.stub.CheckRepository(messages.CheckRepositoryRequest(task_id=task_id))).operation

    async def pushes(self, task_id: int = TASK, **values: Any) -> messages.ListPushesResponse:
        return await self.stub.ListPushes(messages.ListPushesRequest(task_id=task_id, **values))

    async def state(self, name: str) -> operation_pb2.Operation:
        request = operation_service_pb2.GetOperationRequest(name=name)
        return (await self.operations.GetOperation(request)).operation

    async def cancel(self, name: str) -> None:
        await self.operations.CancelOperation(operation_service_pb2.CancelOperationRequest(name=name))

    async def ended(self, operation: operation_pb2.Operation) -> operation_pb2.Operation:
        async def final() -> operation_pb2.Operation:
            found = await self.state(operation.name)
            assert found.state in FINAL
            return found

        return await eventually(final, timeout_s=30)

    async def pushed(self, task_id: int = TASK) -> messages.PushResult:
        """Pushes, and waits for the end of it."""
        return result_of(await self.ended(await self.push(task_id)))

    async def becomes_connected(self) -> repository_pb2.Repository:
        """Waits until the task has one."""

        async def there() -> repository_pb2.Repository | None:
            try:
                return await self.get()
            except grpc.aio.AioRpcError:
                return None

        found = await eventually(there)
        assert found is not None
        return found

    async def becomes(self, status: int, task_id: int = TASK) -> repository_pb2.Repository:
        """Waits until the repository has that status."""

        async def there() -> repository_pb2.Repository:
            found = await self.get(task_id)
            assert found.status == status, found
            return found

        return await eventually(there, timeout_s=30)


def result_of(operation: operation_pb2.Operation) -> messages.PushResult:
    result = messages.PushResult()
    assert operation.result.Unpack(result), operation
    return result


Connect = Callable[[auth.Principal], Client]
