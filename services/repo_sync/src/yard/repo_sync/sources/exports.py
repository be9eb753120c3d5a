"""Annotation files, made by the export service."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid5

from frameyard.export.v1.export_service_pb2 import CreateExportRequest, ExportResult, ListFormatsRequest
from frameyard.operation.v1 import operation_pb2
from frameyard.operation.v1.operation_service_pb2 import WatchOperationRequest
from yard.repo_sync.sources.channels import Channels
from yard.runtime import errors
from yard.runtime.rpc import translated

Progress = Callable[[float, str], Awaitable[None]]


async def format_names(channels: Channels) -> tuple[str, ...]:
    """Formats that tasks can be exported to."""
    with translated():
        answer = await channels.exports.ListFormats(ListFormatsRequest())
    return tuple(known.name for known in answer.formats if known.can_export)


async def export(
    channels: Channels, push_id: UUID, task_id: int, format_name: str, progress: Progress
) -> ExportResult:
    """The annotations of a task as an archive in the bucket; a push that asks again gets the same one."""
    request = CreateExportRequest(
        task_id=task_id, format=format_name, request_id=str(uuid5(push_id, "export"))
    )
    with translated():
        operation = (await channels.exports.CreateExport(request)).operation
        async for state in channels.operations.WatchOperation(WatchOperationRequest(name=operation.name)):
            operation = state.operation
            await progress(operation.progress, "writing the annotations")
    return _result(operation)


def _result(operation: operation_pb2.Operation) -> ExportResult:
    if operation.state == operation_pb2.OPERATION_STATE_SUCCEEDED:
        result = ExportResult()
        if not operation.result.Unpack(result):
            raise errors.Internal(f"{operation.name} ended with another result than an export has")
        return result
    if operation.state == operation_pb2.OPERATION_STATE_FAILED:
        raise errors.from_status(operation.error)
    if operation.state == operation_pb2.OPERATION_STATE_CANCELLED:
        raise errors.FailedPrecondition("the export was cancelled", reason="EXPORT_CANCELLED")
    raise errors.Unavailable("the export service has stopped to tell how far it is")
