"""The work itself: an archive from streams of annotations and frames to a stream into the bucket."""

import asyncio
from collections.abc import AsyncIterator, Callable

from frameyard.common.v1.common_pb2 import BlobRef as BlobRefMessage
from frameyard.export.v1 import export_events_pb2 as events
from frameyard.export.v1 import export_service_pb2 as messages
from yard.annotations.errors import AnnotationError
from yard.export import store
from yard.export.domain import KEPT, Frame, Subject
from yard.export.formats.archive import zipped
from yard.export.formats.dataset import Dataset
from yard.export.formats.format import Format
from yard.export.handlers.context import Exporting, archive_key, format_named, operation_name
from yard.export.sources import annotations, frames
from yard.export.sources.tasks import subject_of
from yard.runtime import clock, errors
from yard.runtime.blobs import BlobRef
from yard.runtime.db import Transaction
from yard.runtime.work import Work

# Shares of the whole: reading comes first and is the smaller part.
READ_SHARE = 0.2
IMAGE_TIMEOUT_S = 300.0

Request = messages.CreateExportRequest


async def write_export(exporting: Exporting, work: Work[Request]) -> None:
    """Writes the archive and finishes the operation with an ExportResult."""
    assert work.operation_id is not None
    wanted = format_named(work.message.format)
    subject = await subject_of(exporting.channels, work.message)
    image = _images(exporting, subject) if work.message.with_images else None
    with Dataset(subject, exporting.runtime.settings.spool_memory_bytes, image) as dataset:
        await work.progress(0.0, "reading annotations")
        revision = await _fill(exporting, dataset, work)
        await _check_labels(exporting, subject, work.message)
        archive = await exporting.runtime.blobs.put_stream(
            archive_key(work.operation_id), _blocks(dataset, wanted, work), content_type="application/zip"
        )
        try:
            await _complete(exporting, work, dataset, wanted, _Written(archive, revision))
        except errors.NotFound:
            await exporting.runtime.blobs.delete(archive.key)
            raise


async def note_failure(tx: Transaction, work: Work[Request], fault: errors.YardError) -> None:
    """Tells the world that there will be no archive."""
    assert work.operation_id is not None
    export = await store.export_of(tx, work.operation_id)
    if export is None:
        return
    failed = events.ExportFailed(
        operation=operation_name(export.id),
        task_id=export.task_id,
        format=export.format,
        error=errors.to_status(fault),
    )
    await tx.emit(failed, key=str(export.task_id))


class _Written:
    """The stored archive and the revision of the annotations inside."""

    def __init__(self, archive: BlobRef, revision: int) -> None:
        self.archive = archive
        self.revision = revision


async def _fill(exporting: Exporting, dataset: Dataset, work: Work[Request]) -> int:
    """Reads frames and objects into the data set; returns their revision."""
    subject = dataset.subject
    async for page in frames.pages(exporting.channels, subject):
        dataset.add_frames(page)
        if page.frames:
            share = (page.frames[-1].frame - subject.first) / subject.size
            await work.progress(READ_SHARE / 2 * share, "reading frames")
    revision = 0
    async for response in annotations.batches(exporting.channels, subject):
        revision = response.revision
        if response.HasField("batch"):
            dataset.add_batch(response.batch)
            await work.progress(READ_SHARE / 2, "reading annotations")
    return revision


async def _blocks(dataset: Dataset, wanted: Format, work: Work[Request]) -> AsyncIterator[bytes]:
    """The archive's bytes; each block is made in a thread while the loop goes on, and only when asked for."""
    blocks = zipped(wanted.write(dataset))
    furthest = 0.0
    while (block := await _next(lambda: next(blocks, None))) is not None:
        yield block
        furthest = max(furthest, dataset.done)
        await work.progress(READ_SHARE + (1 - READ_SHARE) * furthest, f"writing {wanted.full_name}")


async def _next(step: Callable[[], bytes | None]) -> bytes | None:
    try:
        return await asyncio.to_thread(step)
    except AnnotationError as fault:
        raise errors.DataLoss(f"annotations cannot be read: {fault}") from fault


async def _check_labels(exporting: Exporting, subject: Subject, request: Request) -> None:
    """Unavailable, after which all is read anew, if objects may be in the terms of other labels by now."""
    if (await subject_of(exporting.channels, request)).labels.labels != subject.labels.labels:
        raise errors.Unavailable("labels were changed while they were read", reason="LABELS_CHANGED")


def _images(exporting: Exporting, subject: Subject) -> Callable[[Frame], bytes]:
    """Fetches files for the writing thread, which waits for each."""
    loop = asyncio.get_running_loop()

    def image(frame: Frame) -> bytes:
        fetched = asyncio.run_coroutine_threadsafe(
            frames.image(exporting.channels, subject, frame.number), loop
        )
        return fetched.result(IMAGE_TIMEOUT_S)

    return image


async def _complete(
    exporting: Exporting, work: Work[Request], dataset: Dataset, wanted: Format, written: _Written
) -> None:
    assert work.operation_id is not None
    subject, archive = dataset.subject, written.archive
    expires_at = clock.now() + KEPT
    name = subject.archive_name(wanted.full_name, wanted.extension, with_images=work.message.with_images)
    result = messages.ExportResult(
        archive=BlobRefMessage(key=archive.key, size_bytes=archive.size_bytes, sha256=archive.sha256),
        file_name=name,
        revision=written.revision,
        left_out=[
            messages.LeftOut(kind=left.kind, reason=left.reason, count=left.count)
            for left in dataset.left_out
        ],
    )
    result.expire_time.FromDatetime(expires_at)
    completed = events.ExportCompleted(
        operation=operation_name(work.operation_id),
        task_id=subject.task_id,
        format=wanted.full_name,
        result=result,
    )
    async with work.finish(result) as tx:
        is_kept = await store.complete_export(
            tx, work.operation_id, file_name=name, archive=archive, expires_at=expires_at
        )
        if not is_kept:
            raise errors.NotFound("export", completed.operation, message="the task was purged meanwhile")
        await tx.emit(completed, key=str(subject.task_id))
