"""The work itself: an archive from streams of annotations and frames to a stream into the bucket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from uuid import UUID

from frameyard.common.v1.common_pb2 import BlobRef as BlobRefMessage
from frameyard.export.v1 import export_service_pb2 as messages
from yard.annotations.errors import AnnotationError
from yard.export.archives.archive import zipped
from yard.export.datasets.dataset import Dataset
from yard.export.domain import KEPT, archive_name
from yard.export.formats.format import Format
from yard.export.handlers.context import Exporting, archive_key, format_named, operation_name
from yard.export.handlers.ending import give, offered_as, settle_followers
from yard.export.handlers.filling import fill
from yard.export.handlers.fingerprint import digest_of
from yard.export.handlers.images import Images
from yard.export.handlers.losses import loss_refused
from yard.export.handlers.sharing import obtain, shared_result
from yard.export.handlers.telling import Telling
from yard.export.sources.wholes import Whole, whole_of
from yard.export.store import shared_archives
from yard.runtime import clock, errors
from yard.runtime.blobs import BlobRef
from yard.runtime.db import Transaction
from yard.runtime.work import Work

# Shares of the whole: reading comes first and is the smaller part.
READ_SHARE = 0.2

Request = messages.CreateExportRequest


async def write_export(exporting: Exporting, work: Work[Request]) -> None:
    """Finishes the operation with an ExportResult: of an archive that is there meanwhile, or of a new one."""
    wanted = format_named(work.message.format)
    whole = await whole_of(exporting.channels, work.message)
    digest = _digest(work, whole, wanted, whole.revisions)
    async with work.transaction() as tx:
        holder = await obtain(tx, _id(work), digest)
    if holder is None:
        await _write(exporting, work, wanted, whole)
    elif holder.result is not None:
        await _share(exporting, work, digest, holder.result)
    else:
        # Two had begun before their annotations were made the same; not counted, tried again soon.
        raise errors.Unavailable(f"{operation_name(holder.id)} is writing the same archive")


async def _share(exporting: Exporting, work: Work[Request], digest: bytes, kept: bytes) -> None:
    """Ends with the archive that another export has written."""
    found = messages.ExportResult.FromString(kept)
    if work.message.refuse_loss and found.left_out:
        raise loss_refused(work.message.format, found.left_out)
    result = messages.ExportResult()
    async with work.finish(result) as tx:
        holder = await obtain(tx, _id(work), digest)
        if holder is None or holder.result is None:
            raise errors.Unavailable("the archive went meanwhile")
        shared = await shared_result(tx, holder)
        result.CopyFrom(offered_as(work.message.file_name, shared))
        await shared_archives.claim(tx, _id(work), None)
        await give(tx, _id(work), result)
        await settle_followers(exporting, tx, _id(work), shared)


async def _write(exporting: Exporting, work: Work[Request], wanted: Format, whole: Whole) -> None:
    blobs, memory_bytes = exporting.runtime.blobs, exporting.runtime.settings.spool_memory_bytes
    telling = Telling(exporting, work)
    with ExitStack() as closing:
        images = None
        if work.message.with_images:
            images = closing.enter_context(Images(exporting.channels, whole.parts))
        dataset = closing.enter_context(Dataset(whole.subject, memory_bytes, images))
        await telling.progress(0.0, "reading annotations")
        revisions = await fill(exporting, dataset, telling, READ_SHARE)
        await _check_labels(exporting, whole, work.message)
        blocks = _blocks(dataset, wanted, work, telling, images)
        key = archive_key(_id(work))
        archive = await blobs.put_stream(key, blocks, content_type="application/zip")
        result = _result(dataset, wanted, archive, revisions, with_images=work.message.with_images)
    digest = _digest(work, whole, wanted, revisions)
    try:
        async with work.finish(offered_as(work.message.file_name, result)) as tx:
            await _complete(exporting, tx, work, result, digest)
    except errors.NotFound:
        await blobs.delete(archive.key)
        raise


async def _blocks(
    dataset: Dataset, wanted: Format, work: Work[Request], telling: Telling, images: Images | None
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
        await telling.progress(READ_SHARE + (1 - READ_SHARE) * furthest, f"writing {wanted.full_name}")
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
    exporting: Exporting, tx: Transaction, work: Work[Request], result: messages.ExportResult, digest: bytes
) -> None:
    """The digest is that of what was read, which may be newer than what was asked for."""
    export_id = _id(work)
    if await obtain(tx, export_id, digest) is not None:
        # Another one has come to the same meanwhile: both archives stay, and its is the one that is found.
        await shared_archives.claim(tx, export_id, None)
    await give(tx, export_id, offered_as(work.message.file_name, result))
    await shared_archives.keep_result(tx, export_id, result.SerializeToString())
    await settle_followers(exporting, tx, export_id, result)


def _digest(work: Work[Request], whole: Whole, wanted: Format, revisions: tuple[int, ...]) -> bytes:
    return digest_of(whole.subject, revisions, wanted, with_images=work.message.with_images)


def _id(work: Work[Request]) -> UUID:
    assert work.operation_id is not None
    return work.operation_id
