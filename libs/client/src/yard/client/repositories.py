"""Pushes to dataset repositories and looks at them, up to their end."""

from collections.abc import Callable

from frameyard.operation.v1 import operation_pb2
from frameyard.sync.v1 import repository_service_pb2 as service
from yard.client.client import Client, request_id, unpacked

OnChange = Callable[[operation_pb2.Operation], None]


async def begin_push(client: Client, task_id: int) -> operation_pb2.Operation:
    """Asks for a push; answers with the one that waits already, if one does."""
    request = service.PushRepositoryRequest(task_id=task_id, request_id=request_id())
    return (await client.call(client.repositories.PushRepository, request)).operation


async def push(client: Client, task_id: int, on_change: OnChange | None = None) -> service.PushResult:
    """Pushes the annotations of a task; ClientError says why it failed."""
    return await pushed(client, await begin_push(client, task_id), on_change)


async def pushed(
    client: Client, begun: operation_pb2.Operation, on_change: OnChange | None = None
) -> service.PushResult:
    """The result of a push that was begun, once it has ended; ClientError says why it failed."""
    return unpacked(await client.wait(begun.name, on_change), service.PushResult)


async def check(client: Client, task_id: int, on_change: OnChange | None = None) -> service.CheckResult:
    """Tries the connection and finds out the status anew; ClientError says what is in the way."""
    request = service.CheckRepositoryRequest(task_id=task_id, request_id=request_id())
    begun = (await client.call(client.repositories.CheckRepository, request)).operation
    return unpacked(await client.wait(begun.name, on_change), service.CheckResult)
