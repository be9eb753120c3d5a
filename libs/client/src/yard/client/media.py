"""Media of this machine to a task, in one step."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing

from frameyard.media.v1 import media_pb2, media_service_pb2
from frameyard.operation.v1.operation_pb2 import Operation
from frameyard.task.v1 import task_pb2, task_service_pb2
from yard.client.client import Client
from yard.client.files import Sink
from yard.client.pixels import Pixels
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


async def file_results(
    client: Client,
    task_id: int,
    outcome: media_pb2.FileOutcome.ValueType = media_pb2.FILE_OUTCOME_UNSPECIFIED,
) -> AsyncIterator[Sequence[media_pb2.FileResult]]:
    """What became of each file of a task, page by page; of media that failed too."""
    pixels, token = Pixels(client, task_id=task_id), ""
    while True:
        grant = await pixels.grant()
        request = media_service_pb2.ListFileResultsRequest(
            media_id=grant.media_id, grant=grant.grant, outcome=outcome, page_token=token
        )
        page = await client.call(client.media.ListFileResults, request)
        yield page.results
        token = page.next_page_token
        if not token:
            return


async def export_manifest(client: Client, task_id: int, into: Sink) -> None:
    """Writes the manifest.jsonl of a task as it comes."""
    grant = await Pixels(client, task_id=task_id).grant()
    request = media_service_pb2.ExportManifestRequest(media_id=grant.media_id, grant=grant.grant)
    async with aclosing(client.stream(client.media.ExportManifest, request)) as pieces:
        async for piece in pieces:
            into.write(piece.content)
