"""Media of this machine to a task, in one step."""

from collections.abc import Callable, Sequence

from frameyard.media.v1 import media_pb2
from frameyard.operation.v1.operation_pb2 import Operation
from frameyard.task.v1 import task_pb2, task_service_pb2
from yard.client.client import Client
from yard.client.uploads import LocalFile, OnBytes, upload


async def upload_and_attach(
    client: Client,
    task_id: int,
    files: Sequence[LocalFile],
    data: media_pb2.DataSpec | None = None,
    on_bytes: OnBytes = lambda _: None,
) -> Operation:
    """Uploads the files and gives them to the task; returns the operation that ends when people can work."""
    upload_id = await upload(client, files, on_bytes)
    spec = media_pb2.DataSpec()
    if data is not None:
        spec.CopyFrom(data)
    spec.sources.add(upload=media_pb2.UploadSource(upload_id=upload_id))
    request = task_service_pb2.AttachMediaRequest(task_id=task_id, data=spec)
    return (await client.call(client.tasks.AttachMedia, request)).operation


async def ready_task(
    client: Client, operation: Operation, on_change: Callable[[Operation], None] | None = None
) -> task_pb2.Task:
    """The task, once its media is addressed; ClientError says why it is not."""
    finished = await client.wait(operation.name, on_change)
    task_id = int(finished.target.rpartition("/")[2])
    return (await client.call(client.tasks.GetTask, task_service_pb2.GetTaskRequest(id=task_id))).task
