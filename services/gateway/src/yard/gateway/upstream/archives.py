"""Archives that the export service has made or is to make: who may fetch them, and where they lie."""

import mimetypes
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID, uuid5

from frameyard.export.v1 import backup_service_pb2, export_service_pb2
from frameyard.operation.v1 import operation_pb2, operation_service_pb2
from frameyard.task.v1 import project_service_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from yard.gateway.upstream.caller import Caller
from yard.gateway.upstream.tasks import get_job, get_task
from yard.runtime import clock, errors

Folder = Literal["tasks", "jobs", "projects"]
Kind = Literal["export", "backup"]
Begin = Callable[[str], Awaitable[operation_pb2.Operation]]

ENDED: Final = (operation_pb2.OPERATION_STATE_FAILED, operation_pb2.OPERATION_STATE_CANCELLED)
MEDIA_TYPES: Final = {"zip": "application/zip"}
# Who asks again after this time wants another try; sooner, to know how the last one went.
FAILURE_TOLD: Final = timedelta(seconds=60)
MOST_TRIES: Final = 50
_SPACE: Final = UUID("5c1d1f0e-9f0c-4f3b-8f55-0d2f0f0d7a51")


@dataclass(frozen=True, slots=True)
class Subject:
    """What an archive is of."""

    folder: Folder
    number: int

    @property
    def name(self) -> str:
        """As operations call it."""
        return f"{self.folder}/{self.number}"

    @property
    def field(self) -> str:
        """The field of requests that names it."""
        return f"{self.folder[:-1]}_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An archive in the bucket."""

    key: str
    size_bytes: int
    sha256: str
    file_name: str

    @property
    def media_type(self) -> str:
        """By its name."""
        extension = self.file_name.rpartition(".")[2].lower()
        return (
            MEDIA_TYPES.get(extension)
            or mimetypes.guess_type(self.file_name)[0]
            or "application/octet-stream"
        )


async def update_time(caller: Caller, subject: Subject) -> Timestamp:
    """When it was changed last; NotFound if the caller does not see it."""
    if subject.folder == "tasks":
        return (await get_task(caller, subject.number)).update_time
    if subject.folder == "jobs":
        return (await get_job(caller, subject.number)).update_time
    request = project_service_pb2.GetProjectRequest(id=subject.number)
    return (await caller.call(caller.services.projects.GetProject, request)).project.update_time


async def archive_of(caller: Caller, subject: Subject, kind: Kind, rq_id: str) -> Archive:
    """What a request has made of this subject; whoever asks must still see the subject.

    NotFound if there is no such request, or its archive is gone; FailedPrecondition before it is there.
    """
    await update_time(caller, subject)
    operation = await operation_named(caller, rq_id)
    if operation.kind != kind or operation.target != subject.name:
        raise errors.NotFound("request", rq_id[:80])
    if operation.state == operation_pb2.OPERATION_STATE_FAILED:
        raise errors.from_status(operation.error)
    result = _result(operation)
    if result is None:
        raise errors.FailedPrecondition(f"{rq_id} has no archive yet", reason="EXPORT_NOT_FINISHED")
    await _check_there(caller, rq_id, result.archive.size_bytes)
    return Archive(
        key=result.archive.key,
        size_bytes=result.archive.size_bytes,
        sha256=result.archive.sha256,
        file_name=result.file_name,
    )


async def operation_named(caller: Caller, rq_id: str) -> operation_pb2.Operation:
    """Long work of the export service; NotFound if it is not the caller's."""
    request = operation_service_pb2.GetOperationRequest(name=rq_id)
    return (await caller.call(caller.services.operations["export"].GetOperation, request)).operation


async def begun_before(caller: Caller, what: str, begin: Begin) -> operation_pb2.Operation:
    """The work that the same caller's same wish has begun before, or begins now.

    `what` names the wish with the state of what it is of; `begin` takes a request id. An archive that is gone
    and a failure that was told are begun anew.
    """
    operation = await _wished(caller, what, "", begin)
    for _ in range(MOST_TRIES):
        if not _is_stale(operation):
            break
        operation = await _wished(caller, what, operation.name, begin)
    return operation


async def _wished(caller: Caller, what: str, last: str, begin: Begin) -> operation_pb2.Operation:
    """The work for a wish after the one that came to nothing."""
    wish = f"{caller.principal.subject}\0{what}\0{last}"
    operation = await begin(str(uuid5(_SPACE, wish)))
    # What is answered to a repeat is how it was at first.
    return await operation_named(caller, operation.name)


def _is_stale(operation: operation_pb2.Operation) -> bool:
    now = clock.now()
    if operation.state in ENDED:
        return _moment(operation.finish_time) + FAILURE_TOLD < now
    result = _result(operation)
    return result is not None and _moment(result.expire_time) <= now


def _moment(time: Timestamp) -> datetime:
    return time.ToDatetime(tzinfo=UTC)


def _result(
    operation: operation_pb2.Operation,
) -> export_service_pb2.ExportResult | backup_service_pb2.BackupResult | None:
    export, backup = export_service_pb2.ExportResult(), backup_service_pb2.BackupResult()
    if operation.result.Unpack(export):
        return export
    return backup if operation.result.Unpack(backup) else None


async def _check_there(caller: Caller, rq_id: str, size_bytes: int) -> None:
    """Lets the service say no: it knows who sees the archive, and whether it is still there."""
    request = export_service_pb2.DownloadExportRequest(operation=rq_id, offset=size_bytes)
    async with aclosing(caller.stream(caller.services.exports.DownloadExport, request)) as parts:
        await anext(parts)
