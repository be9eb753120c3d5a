"""The work itself: an archive from streams of annotations and frames to a stream into the bucket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack

from frameyard.common.v1.common_pb2 import BlobRef as BlobRefMessage
from frameyard.export.v1 import export_events_pb2 as events
from frameyard.export.v1 import export_service_pb2 as messages
from yard.annotations.errors import AnnotationError
from yard.export import store
from yard.export.domain import KEPT, archive_name
from yard.export.formats.archive import zipped
from yard.export.formats.dataset import Dataset
from yard.export.formats.format import Format
from yard.export.handlers.context import Exporting, archive_key, format_named, operation_name
from yard.export.handlers.filling import fill
from yard.export.handlers.images import Images
from yard.export.handlers.losses import loss_refused
from yard.export.sources.wholes import Whole, whole_of
from yard.export.store import Export
from yard.runtime import clock, errors
from yard.runtime.blobs import BlobRef
from yard.runtime.db import Transaction
from yard.runtime.work import Work

# Shares of the whole: reading comes first and is the smaller part.
READ_SHARE = 0.2

Request = messages.CreateExportRequest


async def write_export(exporting: Exporting, work: Work[Request]) -> None:
    """Writes the archive and finishes the operation with an ExportResult."""
    assert work.operation_id is not None
    wanted = format_named(work.message.format)
    whole = await whole_of(exporting.channels, work.message)
    blobs, memory_bytes = exporting.runtime.blobs, exporting.runtime.settings.spool_memory_bytes
    with ExitStack() as closing:
        images = None
        if work.message.with_images:
            images = closing.enter_context(Images(exporting.channels, whole.parts))
        dataset = closing.enter_context(Dataset(whole.subject, memory_bytes // len(whole.parts), images))
        await work.progress(0.0, "reading annotations")
        revisions = await fill(exporting, dataset, work, READ_SHARE)
        await _check_labels(exporting, whole, work.message)
        blocks = _blocks(dataset, wanted, work, images)
        key = archive_key(work.operation_id)
        archive = await blobs.put_stream(key, blocks, content_type="application/zip")
        result = _result(dataset, wanted, archive, revisions, with_images=work.message.with_images)
    try:
        async with work.finish(result) as tx:
            await _complete(tx, work, result, archive)
    except errors.NotFound:
        await blobs.delete(archive.key)
        raise


async def note_failure(tx: Transaction, work: Work[Request], fault: errors.YardError) -> None:
    """Tells the world that there will be no archive."""
    assert work.operation_id is not None
    export = await store.export_of(tx, work.operation_id)
    if export is not None:
        await tx.emit(_failed(export, fault), key=export.target.event_key)


async def _blocks(
    dataset: Dataset, wanted: Format, work: Work[Request], images: Images | None
) -> AsyncIterator[bytes]:
    """The archive's bytes; each block is made in a thread while the loop goes on, and only when asked for.

    Where nothing may be left out and something is, the rest is read for the count alone; FailedPrecondition
    ends the upload then.
    """
    blocks = zipped(wanted.write(dataset))
    furthest = 0.0
    while (block := await _next(lambda: next(blocks, None))) is not None:
        if not (work.message.refuse_loss and dataset.left_out):
            yield block
        elif images is not None:
            images.withhold()
        furthest = max(furthest, dataset.done)
        await work.progress(READ_SHARE + (1 - READ_SHARE) * furthest, f"writing {wanted.full_name}")
    if work.message.refuse_loss and dataset.left_out:
        raise loss_refused(wanted.full_name, dataset.left_out)


async def _next(step: Callable[[], bytes | None]) -> bytes | None:
    try:
        return await asyncio.to_thread(step)
    except AnnotationError as fault:
        raise errors.DataLoss(f"annotations cannot be read: {fault}") from fault


async def _check_labels(exporting: Exporting, whole: Whole, request: Request) -> None:
    """Unavailable, after which all is read anew, if objects may be in the terms of other labels by now."""
    now = await whole_of(exporting.channels, request)
    if now.subject.labels.labels != whole.subject.labels.labels:
        raise errors.Unavailable("labels were changed while they were read", reason="LABELS_CHANGED")


def _result(
    dataset: Dataset, wanted: Format, archive: BlobRef, revisions: tuple[int, ...], *, with_images: bool
) -> messages.ExportResult:
    result = messages.ExportResult(
        archive=BlobRefMessage(key=archive.key, size_bytes=archive.size_bytes, sha256=archive.sha256),
        file_name=archive_name(dataset.whole, wanted.full_name, wanted.extension, with_images=with_images),
        revision=sum(revisions),
        left_out=[
            messages.LeftOut(kind=left.kind, reason=left.reason, count=left.count)
            for left in dataset.left_out
        ],
    )
    result.expire_time.FromDatetime(clock.now() + KEPT)
    return result


async def _complete(
    tx: Transaction, work: Work[Request], result: messages.ExportResult, archive: BlobRef
) -> None:
    assert work.operation_id is not None
    name = operation_name(work.operation_id)
    expires_at = result.expire_time.ToDatetime(tzinfo=clock.now().tzinfo)
    export = await store.complete_export(
        tx, work.operation_id, file_name=result.file_name, archive=archive, expires_at=expires_at
    )
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


def _failed(export: Export, fault: errors.YardError) -> events.ExportFailed:
    return events.ExportFailed(
        operation=operation_name(export.id),
        task_id=export.target.task_id,
        job_id=export.target.job_id,
        project_id=export.target.project_id,
        format=export.format,
        error=errors.to_status(fault),
    )
