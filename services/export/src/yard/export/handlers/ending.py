"""How exports end: with an archive or without one, for the one that wrote it and all that waited."""

from uuid import UUID

from frameyard.export.v1 import export_events_pb2 as events
from frameyard.export.v1 import export_service_pb2 as messages
from yard.export import store
from yard.export.handlers.context import KIND, Exporting, operation_name
from yard.export.handlers.losses import REASON, loss_refused
from yard.export.store import Export, shared_archives
from yard.export.store.shared_archives import Follower
from yard.runtime import clock, errors
from yard.runtime.blobs import BlobRef
from yard.runtime.db import Transaction
from yard.runtime.operations import Operation
from yard.runtime.work import Work

Request = messages.CreateExportRequest


def offered_as(name: str, result: messages.ExportResult) -> messages.ExportResult:
    """The result with the name that a client wants for its archive; of shared archives each has its own."""
    named = messages.ExportResult()
    named.CopyFrom(result)
    named.file_name = name or result.file_name
    return named


async def give(tx: Transaction, export_id: UUID, result: messages.ExportResult) -> None:
    """The export has an archive; NotFound if it was forgotten meanwhile."""
    export = await store.complete_export(
        tx,
        export_id,
        file_name=result.file_name,
        archive=BlobRef.from_proto(result.archive),
        expires_at=result.expire_time.ToDatetime(tzinfo=clock.now().tzinfo),
    )
    name = operation_name(export_id)
    if export is None:
        raise errors.NotFound("export", name, message="the task was purged meanwhile")
    completed = events.ExportCompleted(
        operation=name,
        task_id=export.target.task_id,
        job_id=export.target.job_id,
        project_id=export.target.project_id,
        format=export.format,
        result=result,
    )
    await tx.emit(completed, key=export.target.event_key)


async def settle(
    exporting: Exporting,
    tx: Transaction,
    export_id: UUID,
    request: Request,
    result: messages.ExportResult,
) -> None:
    """An export that did not write it itself ends with the archive of another, or refuses its losses."""
    operations, result = exporting.runtime.operations, offered_as(request.file_name, result)
    if request.refuse_loss and result.left_out:
        fault = loss_refused(request.format, result.left_out)
        if await operations.fail(tx, export_id, fault):
            await _tell_failure(tx, await store.export_of(tx, export_id), fault)
    elif await operations.complete(tx, export_id, result):
        await give(tx, export_id, result)


async def settle_followers(
    exporting: Exporting, tx: Transaction, leader: UUID, result: messages.ExportResult
) -> None:
    """All that waited for an archive end with it."""
    for follower in await shared_archives.followers(tx, leader):
        await settle(exporting, tx, follower.id, Request.FromString(follower.request), result)


async def note_failure(
    exporting: Exporting, tx: Transaction, work: Work[Request], fault: errors.YardError
) -> None:
    """Tells the world that there will be no archive; who waited fails alike, or writes what we refused to."""
    assert work.operation_id is not None
    await shared_archives.claim(tx, work.operation_id, None)
    await _tell_failure(tx, await store.export_of(tx, work.operation_id), fault)
    for follower in await shared_archives.followers(tx, work.operation_id):
        if fault.reason == REASON:
            await _set_to_work(tx, follower)
        elif await exporting.runtime.operations.fail(tx, follower.id, fault):
            await _tell_failure(tx, await store.export_of(tx, follower.id), fault)


async def note_cancel(tx: Transaction, operation: Operation) -> None:
    """Who waited for the archive of a cancelled export begins to write it."""
    await shared_archives.claim(tx, operation.id, None)
    for follower in await shared_archives.followers(tx, operation.id):
        await _set_to_work(tx, follower)


async def _set_to_work(tx: Transaction, follower: Follower) -> None:
    await shared_archives.unfollow(tx, follower.id)
    request = Request.FromString(follower.request)
    await tx.enqueue(request, kind=KIND, owner=follower.owner, operation_id=follower.id)


async def _tell_failure(tx: Transaction, export: Export | None, fault: errors.YardError) -> None:
    if export is None:
        return
    failed = events.ExportFailed(
        operation=operation_name(export.id),
        task_id=export.target.task_id,
        job_id=export.target.job_id,
        project_id=export.target.project_id,
        format=export.format,
        error=errors.to_status(fault),
    )
    await tx.emit(failed, key=export.target.event_key)
