"""Restores that people ask for, and the work itself: read and check all, then make it step by step."""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from frameyard.export.v1 import backup_service_pb2 as messages
from frameyard.export.v1.import_service_pb2 import CreateDatasetImportRequest
from frameyard.operation.v1 import operation_pb2
from google.protobuf.wrappers_pb2 import StringValue
from yard.export.backups import layout
from yard.export.handlers.context import Exporting, made, operation_name
from yard.export.handlers.making import Making
from yard.export.handlers.restored_task import RestoredTask, restore_project
from yard.export.handlers.scratch import Scratch
from yard.export.sources.uploads import Located, located, own_file, source_of
from yard.export.store import restores
from yard.export.store.restores import Restore
from yard.runtime import auth, clock, errors
from yard.runtime.db import Transaction
from yard.runtime.idempotency import once
from yard.runtime.operations import Operation
from yard.runtime.work import Work

KIND, UNDO = "restore", "undo_restore"
JOB = "yard.export.backups.reading_job"
KEPT = timedelta(days=14)
KINDS = {messages.BACKUP_KIND_TASK: layout.TASK, messages.BACKUP_KIND_PROJECT: layout.PROJECT}
READ_SHARE = 0.1
# Of the time limit, so that an archive that takes too long is told from all else that may.
READING_TIME = 0.5
MAX_ATTEMPTS = 5

Request = messages.RestoreBackupRequest


class Asked(NamedTuple):
    """How an operation shows that makes tasks of an archive."""

    kind: str
    target: str
    parameters: dict[str, str]


async def restore_backup(
    exporting: Exporting, request: Request, authorization: str
) -> messages.RestoreBackupResponse:
    """Queues the reading of an archive of the caller."""
    caller = auth.current()
    if caller.role not in ("admin", "user"):
        raise errors.PermissionDenied("tasks and projects are made by users and administrators")
    _check(request)
    most = exporting.runtime.settings.import_max_file_bytes
    await own_file(exporting.channels, authorization, request.upload_id, most_bytes=most)
    kind = "task" if request.kind == messages.BACKUP_KIND_TASK else "project"
    asked = Asked(KIND, target=f"uploads/{request.upload_id}", parameters={"kind": kind})

    async with exporting.runtime.db.transaction() as tx:

        async def create() -> messages.RestoreBackupResponse:
            return messages.RestoreBackupResponse(operation=await queue(exporting, tx, request, asked))

        return await once(tx, request.request_id, request, messages.RestoreBackupResponse, create)


async def queue(
    exporting: Exporting, tx: Transaction, request: Request | CreateDatasetImportRequest, asked: Asked
) -> operation_pb2.Operation:
    """Queues what makes tasks of an archive of the caller, and keeps in whose name."""
    caller, operations = auth.current(), exporting.runtime.operations
    id_ = await operations.create(
        tx, kind=asked.kind, target=asked.target, owner=caller.subject, parameters=asked.parameters
    )
    restore = Restore(
        id=id_,
        user_id=caller.user_id,
        username=caller.username,
        upload_id=request.upload_id,
        expires_at=clock.now() + KEPT,
    )
    await restores.insert_restore(tx, restore)
    await tx.enqueue(request, kind=asked.kind, owner=caller.subject, operation_id=id_)
    return await made(exporting, tx, id_)


async def run_restore(exporting: Exporting, work: Work[Request]) -> None:
    """Makes a task or a project; an attempt after a kill goes on with what is there."""
    assert work.operation_id is not None
    asked = await restores.restore_of(exporting.runtime.db, work.operation_id)
    if asked is None:
        raise errors.NotFound("restore", operation_name(work.operation_id))
    file = await located(exporting.channels, asked.upload_id)
    with Scratch() as records:
        found = await _read(exporting, work, file, records)
        if found["faults"]:
            raise _refusal(file, found["faults"])
        making = Making(exporting, work, asked, file, records)
        result = await _make(making, found)
    async with work.finish(result):
        pass


async def note_failure(tx: Transaction, work: Work[Any], fault: errors.YardError) -> None:
    """What was made goes again."""
    assert work.operation_id is not None
    await _undo(tx, work.operation_id)


async def note_cancel(tx: Transaction, operation: Operation) -> None:
    """The same."""
    await _undo(tx, operation.id)


async def _undo(tx: Transaction, restore_id: UUID) -> None:
    await tx.enqueue(StringValue(value=str(restore_id)), kind=UNDO, unique=f"{UNDO}/{restore_id}")


def _check(request: Request) -> None:
    faults = errors.InvalidArgument()
    try:
        UUID(request.upload_id)
    except ValueError:
        faults += errors.invalid("upload_id", "must be the id of an upload, a UUID")
    if request.kind not in KINDS:
        faults += errors.invalid("kind", "must be a task or a project")
    if faults.violations:
        raise faults


async def _read(exporting: Exporting, work: Work[Request], file: Located, records: Scratch) -> dict[str, Any]:
    settings = exporting.runtime.settings

    async def tell(done: float) -> None:
        await work.progress(READ_SHARE * done, f"reading {file.name}")

    arguments = {
        "name": file.name,
        "kind": KINDS[work.message.kind],
        "most": settings.import_max_objects,
        "limits": {
            "members": settings.import_max_members,
            "member_bytes": settings.import_max_member_bytes,
            "total_bytes": settings.import_max_unpacked_bytes,
            "expansion": settings.import_max_expansion,
        },
    }
    try:
        found = await exporting.runtime.workers.call(
            f"{JOB}:read_backup",
            arguments,
            sources={"file": source_of(exporting.runtime.blobs, file)},
            on_bytes=records.append,
            on_progress=tell,
            timeout_s=settings.import_timeout_s * READING_TIME,
        )
    except errors.WorkerCrashed as crash:
        reason = f"cannot be read with the memory and time allowed: {crash.message}"
        raise _refusal(file, [[file.name, reason]]) from crash
    await records.flush()
    return found


async def _make(making: Making, found: dict[str, Any]) -> messages.RestoreResult:
    if found["kind"] == layout.TASK:
        task = await RestoredTask.of(making, 0, found["tasks"][0], (READ_SHARE, 1.0))
        return messages.RestoreResult(task_id=await task.make())
    project_id = await restore_project(making, found["project"])
    count = len(found["tasks"])
    for number, listed in enumerate(found["tasks"]):
        sections = {**listed, "project": found["project"]}
        share = (1.0 - READ_SHARE) / count
        stretch = (READ_SHARE + share * number, READ_SHARE + share * (number + 1))
        task = await RestoredTask.of(making, number, sections, stretch, project_id=project_id)
        await task.make()
    return messages.RestoreResult(project_id=project_id)


def _refusal(file: Located, faults: list[list[str]]) -> errors.InvalidArgument:
    violations = [errors.Violation(where, reason) for where, reason in faults]
    message = f"{file.name} cannot be restored; nothing was made"
    return errors.InvalidArgument(message, violations, reason="FILE_REFUSED", metadata={"file": file.name})
