"""Exports that people ask for and fetch."""

from collections.abc import AsyncIterator
from datetime import timedelta

from frameyard.export.v1 import export_service_pb2 as messages
from yard.export import store
from yard.export.domain import Target, fault_of_file_name
from yard.export.formats.format import Format
from yard.export.handlers.context import KIND, Exporting, format_named, made, operation_name
from yard.export.handlers.fingerprint import digest_of
from yard.export.handlers.sharing import begin
from yard.export.sources.wholes import visible_target, whole_of
from yard.export.store import Export
from yard.runtime import auth, clock, errors
from yard.runtime.idempotency import once

# A request that never ends in an archive is forgotten after the work itself is.
UNFINISHED_KEPT = timedelta(days=14)
BLOCK_BYTES = 1_048_576


async def create_export(
    exporting: Exporting, request: messages.CreateExportRequest, authorization: str
) -> messages.CreateExportResponse:
    """Queues the writing of an archive of what the caller may see, unless the same one is there already."""
    wanted = _checked_format(request)
    asked = Target(task_id=request.task_id, job_id=request.job_id, project_id=request.project_id)
    target = await visible_target(exporting.channels, authorization, asked)
    whole = await whole_of(exporting.channels, request)
    digest = digest_of(whole.subject, whole.revisions, wanted, with_images=request.with_images)
    owner, operations = auth.current().subject, exporting.runtime.operations

    async with exporting.runtime.db.transaction() as tx:

        async def create() -> messages.CreateExportResponse:
            id_ = await operations.create(
                tx, kind=KIND, target=target.name, owner=owner, parameters=_parameters(request, wanted)
            )
            export = Export(
                id=id_,
                target=target,
                format=wanted.full_name,
                owner=owner,
                expires_at=clock.now() + UNFINISHED_KEPT,
            )
            await store.insert_export(tx, export)
            await begin(exporting, tx, export, request, digest)
            return messages.CreateExportResponse(operation=await made(exporting, tx, id_))

        return await once(tx, request.request_id, request, messages.CreateExportResponse, create)


def _parameters(request: messages.CreateExportRequest, wanted: Format) -> dict[str, str]:
    return {"format": wanted.full_name, "with_images": str(request.with_images).lower()}


def _checked_format(request: messages.CreateExportRequest) -> Format:
    """The wanted format; InvalidArgument with everything that is wrong with the request."""
    faults = errors.InvalidArgument()
    if request.WhichOneof("target") is None:
        faults += errors.invalid("target", "task_id, job_id or project_id is needed")
    if wrong := fault_of_file_name(request.file_name):
        faults += errors.invalid("file_name", wrong)
    try:
        wanted = format_named(request.format)
    except errors.InvalidArgument as fault:
        raise faults + fault from None
    if faults.violations:
        raise faults
    return wanted


async def download_export(
    exporting: Exporting, request: messages.DownloadExportRequest, authorization: str
) -> AsyncIterator[messages.DownloadExportResponse]:
    """The archive from an offset on; for its owner, administrators, services, and whoever sees the whole."""
    if request.offset < 0:
        raise errors.invalid("offset", f"must be 0 or more, got {request.offset}")
    export_id = exporting.runtime.operations.parse(request.operation)
    export = await store.export_of(exporting.runtime.db, export_id)
    if export is None or export.expires_at <= clock.now():
        raise errors.NotFound("export", operation_name(export_id))
    await _check_visible(exporting, export, authorization)
    if export.archive is None:
        message = f"{request.operation} has no archive yet"
        raise errors.FailedPrecondition(message, reason="EXPORT_NOT_FINISHED")
    archive = export.archive
    if request.offset > archive.size_bytes:
        raise errors.OutOfRange(f"offset {request.offset} is past the end, {archive.size_bytes}")
    header = messages.DownloadHeader(
        file_name=export.file_name, size_bytes=archive.size_bytes, sha256=archive.sha256
    )
    yield messages.DownloadExportResponse(header=header)
    if request.offset < archive.size_bytes:
        blobs = exporting.runtime.blobs
        async for block in blobs.stream(archive.key, offset=request.offset, chunk=BLOCK_BYTES):
            yield messages.DownloadExportResponse(content=block)


async def _check_visible(exporting: Exporting, export: Export, authorization: str) -> None:
    caller = auth.current()
    if caller.is_admin or caller.is_service or caller.subject == export.owner:
        return
    try:
        await visible_target(exporting.channels, authorization, export.target)
    except (errors.NotFound, errors.PermissionDenied):
        raise errors.NotFound("export", operation_name(export.id)) from None
