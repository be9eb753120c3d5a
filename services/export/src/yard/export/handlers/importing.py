"""Imports that people ask for."""

from datetime import timedelta
from uuid import UUID

from frameyard.annotation.v1 import annotation_service_pb2 as annotation
from frameyard.export.v1 import import_service_pb2 as messages
from yard.export import store
from yard.export.formats import FORMATS, IMPORT_ONLY
from yard.export.formats.format import Format, unread
from yard.export.handlers.context import Exporting, made
from yard.export.sources.saving import check_may_save
from yard.export.sources.tasks import visible_task
from yard.export.sources.uploads import own_file
from yard.export.store import FileImport
from yard.runtime import auth, clock, errors
from yard.runtime.idempotency import once

KIND = "import"
# Longer than the work itself is kept.
KEPT = timedelta(days=14)
MODES = {
    messages.IMPORT_MODE_UNSPECIFIED: annotation.IMPORT_MODE_REPLACE,
    messages.IMPORT_MODE_REPLACE: annotation.IMPORT_MODE_REPLACE,
    messages.IMPORT_MODE_APPEND: annotation.IMPORT_MODE_APPEND,
}


async def create_import(
    exporting: Exporting, request: messages.CreateImportRequest, authorization: str
) -> messages.CreateImportResponse:
    """Queues the reading of a file of the caller into what the caller may save to."""
    wanted = _checked(request)
    channels, mode = exporting.channels, MODES[request.mode]
    await check_may_save(channels, authorization, target_of(request), mode)
    task_id = request.task_id or await _task_of(exporting, authorization, request.job_id)
    most = exporting.runtime.settings.import_max_file_bytes
    await own_file(channels, authorization, request.upload_id, most_bytes=most)
    caller, operations = auth.current(), exporting.runtime.operations

    async with exporting.runtime.db.transaction() as tx:

        async def create() -> messages.CreateImportResponse:
            target = f"jobs/{request.job_id}" if request.job_id else f"tasks/{task_id}"
            id_ = await operations.create(
                tx,
                kind=KIND,
                target=target,
                owner=caller.subject,
                parameters={"format": wanted.full_name},
            )
            asked = FileImport(
                id=id_,
                task_id=task_id,
                job_id=request.job_id,
                format=wanted.full_name,
                user_id=caller.user_id,
                upload_id=request.upload_id,
                expires_at=clock.now() + KEPT,
            )
            await store.insert_import(tx, asked)
            await tx.enqueue(request, kind=KIND, owner=caller.subject, operation_id=id_)
            return messages.CreateImportResponse(operation=await made(exporting, tx, id_))

        return await once(tx, request.request_id, request, messages.CreateImportResponse, create)


def target_of(request: messages.CreateImportRequest) -> annotation.AnnotationTarget:
    """Where the objects go."""
    if request.job_id:
        return annotation.AnnotationTarget(job_id=request.job_id)
    return annotation.AnnotationTarget(task_id=request.task_id)


def importable(name: str) -> Format:
    """The format; InvalidArgument names all that can be imported."""
    known = [one for one in (*FORMATS, *IMPORT_ONLY) if one.read is not unread]
    for one in known:
        if one.full_name == name:
            return one
    offered = ", ".join(repr(one.full_name) for one in known)
    raise errors.invalid("format", f"{name[:64]!r} is none of {offered}")


def _checked(request: messages.CreateImportRequest) -> Format:
    """The format; InvalidArgument with everything that is wrong with the request."""
    faults = errors.InvalidArgument()
    if request.WhichOneof("target") is None:
        faults += errors.invalid("target", "task_id or job_id is needed")
    try:
        UUID(request.upload_id)
    except ValueError:
        faults += errors.invalid("upload_id", "must be the id of an upload, a UUID")
    if request.mode not in MODES:
        faults += errors.invalid("mode", f"{request.mode} is no mode")
    try:
        wanted = importable(request.format)
    except errors.InvalidArgument as fault:
        raise faults + fault from None
    if faults.violations:
        raise faults
    return wanted


async def _task_of(exporting: Exporting, authorization: str, job_id: int) -> int:
    return (await visible_task(exporting.channels, authorization, job_id=job_id)).id
