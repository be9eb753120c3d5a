"""Long work in JSON: the request objects that clients poll."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from frameyard.export.v1 import backup_service_pb2, export_service_pb2
from frameyard.operation.v1 import operation_pb2
from pydantic import BaseModel
from yard.gateway.cvat.moments import moment
from yard.gateway.cvat.people import BasicUser
from yard.runtime import errors

MOST_FAULTS: Final = 20

Status = Literal["queued", "started", "finished", "failed"]

# Clients know four states only, and a request that was cancelled has not done what it was to do.
STATUSES: Final[Mapping[int, Status]] = {
    operation_pb2.OPERATION_STATE_QUEUED: "queued",
    operation_pb2.OPERATION_STATE_RUNNING: "started",
    operation_pb2.OPERATION_STATE_SUCCEEDED: "finished",
    operation_pb2.OPERATION_STATE_FAILED: "failed",
    operation_pb2.OPERATION_STATE_CANCELLED: "failed",
}
ACTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "attach_media": ("create", ""),
    "import": ("import", "annotations"),
    "import_dataset": ("import", "dataset"),
    "export": ("export", "dataset"),  # or annotations: its parameters tell
    "backup": ("export", "backup"),
    "restore": ("import", "backup"),
}
"""Kinds of our operations as action and subresource."""

_NARROWED: Final = {"target", "format", "project_id", "task_id", "job_id"}
_TARGETS: Final = {"tasks": "task", "jobs": "job", "projects": "project"}


class RequestOperation(BaseModel):
    """What is done, and to what."""

    type: str
    target: str
    project_id: int | None = None
    task_id: int | None = None
    job_id: int | None = None
    org_id: int | None = None
    format: str | None = None
    function_id: str | None = None
    lightweight: bool | None = None


class RequestRead(BaseModel):
    """Long work; `result_url` is where a finished export is, `result_id` what a finished restore has made."""

    id: str
    status: Status
    message: str
    operation: RequestOperation
    created_date: datetime
    started_date: datetime | None = None
    finished_date: datetime | None = None
    expiry_date: datetime | None = None
    progress: float | None = None
    owner: BasicUser | None = None
    result_url: str | None = None
    result_id: int | None = None


def request_read(operation: operation_pb2.Operation, base_url: str) -> RequestRead:
    """The operation as clients see it, without its owner."""
    found = RequestRead(
        id=operation.name,
        status=STATUSES.get(operation.state, "queued"),
        message=_message(operation),
        operation=_operation(operation),
        created_date=moment(operation.create_time),
        progress=min(max(operation.progress, 0.0), 1.0),
    )
    if operation.state != operation_pb2.OPERATION_STATE_QUEUED:
        found.started_date = moment(operation.create_time)
    if operation.HasField("finish_time"):
        found.finished_date = moment(operation.finish_time)
    if operation.state == operation_pb2.OPERATION_STATE_SUCCEEDED:
        _add_result(found, operation, base_url)
    return found


def _message(operation: operation_pb2.Operation) -> str:
    if operation.state == operation_pb2.OPERATION_STATE_CANCELLED:
        return "cancelled"
    if operation.state == operation_pb2.OPERATION_STATE_FAILED:
        return _reason(errors.from_status(operation.error))
    return operation.message


def _operation(operation: operation_pb2.Operation) -> RequestOperation:
    action, subresource = ACTIONS.get(operation.kind, (operation.kind, ""))
    asked = operation.parameters
    if operation.kind == "export" and asked.get("with_images") == "false":
        subresource = "annotations"
    folder, _, number = operation.target.partition("/")
    target = _TARGETS.get(folder) or asked.get("kind", "task")
    found = RequestOperation(
        type=f"{action}:{subresource or target}", target=target, format=asked.get("format")
    )
    if "without_remote_media" in asked:
        found.lightweight = asked["without_remote_media"] == "true"
    if folder in _TARGETS and number.isdecimal():
        setattr(found, f"{target}_id", int(number))
    return found


def values_of(request: RequestRead) -> dict[str, Any]:
    """What lists of requests are narrowed and sorted by."""
    action, _, subresource = request.operation.type.partition(":")
    return {
        **request.operation.model_dump(include=_NARROWED),
        "id": request.id,
        "status": request.status,
        "action": action,
        "subresource": subresource,
        "created_date": request.created_date,
    }


def _add_result(found: RequestRead, operation: operation_pb2.Operation, base_url: str) -> None:
    export, backup = export_service_pb2.ExportResult(), backup_service_pb2.BackupResult()
    restore = backup_service_pb2.RestoreResult()
    place, query = f"{base_url}/api/{operation.target}", f"download?rq_id={operation.name}"
    if operation.result.Unpack(export):
        found.result_url = f"{place}/dataset/{query}"
        found.expiry_date = moment(export.expire_time)
    elif operation.result.Unpack(backup):
        found.result_url = f"{place}/backup/{query}"
        found.expiry_date = moment(backup.expire_time)
    elif operation.result.Unpack(restore):
        found.result_id = restore.task_id or restore.project_id
        found.operation.target = "task" if restore.task_id else "project"


def _reason(fault: errors.YardError) -> str:
    """The message with what is wrong with the file, for clients that show nothing else."""
    faults = fault.violations[:MOST_FAULTS] if isinstance(fault, errors.InvalidArgument) else ()
    untold = [one for one in faults if one.description not in fault.message]
    return "; ".join([fault.message, *(f"{one.field}: {one.description}" for one in untold)])
