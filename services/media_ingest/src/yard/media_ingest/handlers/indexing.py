"""From uploaded files to counted and addressed frames."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from frameyard.media.v1 import media_pb2
from frameyard.media.v1.media_events_pb2 import MediaIndexed
from frameyard.task.v1.task_events_pb2 import MediaRequested
from yard.media.frame_table import FrameTable
from yard.media_ingest.domain import parameters
from yard.media_ingest.domain.files import Choice, GivenFile, Material, Skipped, choose, nothing_left
from yard.media_ingest.domain.manifests import check_zip, set_aside, take_list
from yard.media_ingest.domain.sorting import order_of, ordered
from yard.media_ingest.handlers import counting
from yard.media_ingest.handlers.archives import contents_of, index_archive
from yard.media_ingest.handlers.batches import Indexing, Share, index_images, index_video
from yard.media_ingest.handlers.context import Ingest, index_prefix
from yard.media_ingest.handlers.copying import copied
from yard.media_ingest.handlers.expiry import delete_prefix
from yard.media_ingest.handlers.given import keep_given
from yard.media_ingest.handlers.listing import list_files
from yard.media_ingest.handlers.manifests import check_video, describe_files, order_members, pages_of
from yard.media_ingest.handlers.planning import Planned, plan_images, plan_video, read_frames, skipped_in
from yard.media_ingest.handlers.reporting import Found, keep_refusals, keep_results
from yard.media_ingest.handlers.requests import note_failure
from yard.media_ingest.handlers.trees import plan_tree, tree_of
from yard.media_ingest.store import batches as batch_store
from yard.media_ingest.store import media as store
from yard.media_ingest.store import remote as remote_store
from yard.media_ingest.store.batches import Batch
from yard.media_ingest.store.media import MediaRow
from yard.runtime import errors, telemetry
from yard.runtime.db import Transaction
from yard.runtime.work import Work

MOST_SKIPPED = 1_000
MOST_SKIPPED_BYTES = 256 * 1024  # of the list in an event

_log = telemetry.log(__name__)


async def index_media(ingest: Ingest, work: Work[MediaRequested]) -> None:
    """Makes media ready, or says with the field or the file why it cannot be; finished batches stay done."""
    media = await store.media_of(ingest.db, UUID(work.message.media_id))
    if media is not None and media.state == "FAILED":
        raise errors.FailedPrecondition("the media has failed, and its task knows: attach it again")
    if media is None or media.state != "INDEXING":
        raise errors.Cancelled("the media is not wanted any more")
    wanted = _check(media.spec)
    share = Share(reached=await _reached(ingest, media))
    indexing = Indexing(ingest=ingest, work=work, media=media, dpi=wanted.pdf_dpi, share=share)
    try:
        choice, planned = await _plan(indexing, wanted)
    except errors.YardError as fault:
        if not isinstance(fault, (errors.Unavailable, errors.Cancelled)):
            await keep_refusals(ingest, media, indexing.report, fault)
        raise
    size = (planned.width, planned.height)
    data = parameters.in_force(wanted, choice.kind, planned.selected, size, media.seed)
    _summarise(media, choice, planned, data)
    media.summary.taken_count = await keep_results(ingest, media, indexing.report, _found(choice, planned))
    await keep_given(ingest, media, indexing.report.files, indexing.report.counts, choice)
    await _finish(work, media, planned)
    counting.media.labels("ready").inc()
    counting.frames.labels(choice.kind).inc(planned.source_frames)
    await _tidy(ingest, media.id)


async def fail_media(
    ingest: Ingest, tx: Transaction, work: Work[MediaRequested], error: errors.YardError
) -> None:
    """Tells the task, in the transaction that ends the work."""
    await note_failure(ingest, tx, UUID(work.message.media_id), error)
    counting.media.labels(error.reason).inc()


async def _reached(ingest: Ingest, media: MediaRow) -> float:
    """What earlier attempts have told of their progress."""
    operation = await ingest.runtime.operations.find(ingest.db, media.operation_id)
    return 0.0 if operation is None else operation.progress


async def _plan(indexing: Indexing, wanted: parameters.Parameters) -> tuple[Choice, Planned]:
    tree = await tree_of(indexing)
    planned = None if tree is None else await plan_tree(indexing, tree, wanted)
    if planned is not None:
        return Choice(material="images", files=(), skipped=()), planned
    indexing.report.files = await list_files(indexing)
    named = indexing.media.spec.members if indexing.media.spec.HasField("members") else None
    files, members = await asyncio.to_thread(take_list, indexing.report.files, named)
    files, manifest = await asyncio.to_thread(set_aside, files)
    choice = replace(await asyncio.to_thread(choose, files), manifest=manifest, members=members)
    if members is not None:
        check_zip(choice)
        indexing.report.beside = members.name
    if wanted.copy_data:
        choice = replace(choice, files=await copied(indexing, choice.files))
    return choice, await _PLANS[choice.material](indexing, choice, wanted)


def _found(choice: Choice, planned: Planned) -> Found:
    is_archive = choice.material == "archive"
    return Found(
        frames=planned.source_frames,
        is_archive=is_archive,
        skipped=choice.skipped,
        batches=planned.batches,
        pages=planned.pages,
    )


def _check(spec: media_pb2.DataSpec) -> parameters.Parameters:
    violations = parameters.unsupported_sources(spec)
    try:
        wanted = parameters.parse(spec)
    except errors.InvalidArgument as fault:
        raise errors.InvalidArgument(violations=[*violations, *fault.violations]) from None
    errors.refuse(violations)
    return wanted


async def _plan_video(indexing: Indexing, choice: Choice, wanted: parameters.Parameters) -> Planned:
    [file] = choice.files
    batch = await index_video(indexing, file)
    if choice.manifest is not None:
        await check_video(indexing, choice.manifest, file, batch)
    selected = parameters.select(wanted, batch.result["frames"])
    return await plan_video(indexing, file, batch, selected)


async def _plan_images(indexing: Indexing, choice: Choice, wanted: parameters.Parameters) -> Planned:
    if choice.manifest is not None:
        frames, warnings = await describe_files(indexing, choice.manifest, choice.files, wanted)
        selected = parameters.select(wanted, len(frames))
        planned = await plan_images(indexing, choice.files, frames, None, selected)
        return replace(planned, warnings=warnings, pages=pages_of(choice.files, frames))
    files = await asyncio.to_thread(
        ordered, choice.files, wanted.sorting, indexing.media.seed, lambda file: file.name
    )
    batches = await index_images(indexing, files)
    return await _plan_frames(indexing, choice, wanted, batches, files)


async def _plan_archive(indexing: Indexing, choice: Choice, wanted: parameters.Parameters) -> Planned:
    [file] = choice.files
    batches = await index_archive(indexing, file, choice.members)
    return await _plan_frames(indexing, choice, wanted, batches, contents_of(file, batches))


async def _plan_frames(
    indexing: Indexing,
    choice: Choice,
    wanted: parameters.Parameters,
    batches: Sequence[Batch],
    files: Sequence[GivenFile],
) -> Planned:
    """Images in order already; members of an archive are put in order now that all their names are known."""
    skipped = tuple(skipped_in(batches))
    source_frames = sum(batch.result["count"] for batch in batches)
    if not source_frames:
        raise nothing_left(
            [*choice.skipped, *skipped] or [Skipped(name=choice.files[0].name, reason="is empty")]
        )
    selected = parameters.select(wanted, source_frames)
    frames = await read_frames(indexing, batches)
    order, warnings = await _order(indexing, choice, wanted, frames)
    planned = await plan_images(indexing, files, frames, order, selected)
    return replace(planned, skipped=skipped, warnings=warnings, batches=tuple(batches))


async def _order(
    indexing: Indexing, choice: Choice, wanted: parameters.Parameters, frames: FrameTable
) -> tuple[Sequence[int] | None, tuple[str, ...]]:
    """Rows in frame order, and warnings; single images are in order already."""
    if choice.material == "images":
        return None, ()
    if choice.manifest is not None:
        return await order_members(indexing, choice.manifest, frames, wanted)
    return await asyncio.to_thread(order_of, frames.names, wanted.sorting, indexing.media.seed), ()


_PLANS: Mapping[Material, Callable[[Indexing, Choice, parameters.Parameters], Awaitable[Planned]]] = {
    "video": _plan_video,
    "images": _plan_images,
    "archive": _plan_archive,
    "document": _plan_archive,
}


def _summarise(media: MediaRow, choice: Choice, planned: Planned, data: media_pb2.DataParameters) -> None:
    """Fills in what has come of the media."""
    summary = media.summary
    is_video = choice.kind == "video"
    summary.kind = media_pb2.MEDIA_KIND_VIDEO if is_video else media_pb2.MEDIA_KIND_IMAGES
    summary.size = planned.selected.size
    summary.source_frames = planned.source_frames
    summary.width, summary.height = planned.width, planned.height
    summary.data.CopyFrom(data)
    summary.plan.CopyFrom(planned.plan.to_proto())
    summary.warnings.extend(planned.warnings)
    skipped = [*choice.skipped, *planned.skipped]
    summary.skipped_count = len(skipped)
    summary.skipped.extend(_listed(skipped))


def _listed(skipped: list[Skipped]) -> list[media_pb2.SkippedFile]:
    """The first of them: events have a limited size."""
    listed: list[media_pb2.SkippedFile] = []
    left = MOST_SKIPPED_BYTES
    for file in skipped[:MOST_SKIPPED]:
        entry = media_pb2.SkippedFile(name=file.name, reason=file.reason)
        left -= entry.ByteSize()
        if left < 0:
            break
        listed.append(entry)
    return listed


async def _finish(work: Work[MediaRequested], media: MediaRow, planned: Planned) -> None:
    """Ready, told and done in one transaction that only the holder of the work can commit."""
    async with work.finish() as tx:
        current = await store.media_of(tx, media.id, lock=True)
        if current is None or current.state != "INDEXING":
            raise errors.Cancelled("the media is not wanted any more")
        await store.set_state(tx, media, "READY")
        await store.insert_blocks(tx, media.id, planned.blocks)
        await batch_store.delete_batches(tx, media.id)
        await remote_store.delete_files(tx, media.id)
        await tx.emit(MediaIndexed(media=media.summary), key=str(media.task_id))


async def _tidy(ingest: Ingest, media_id: UUID) -> None:
    """The batches are in the plan now; what is left of them goes with the media at the latest."""
    try:
        await delete_prefix(ingest.blobs, index_prefix(media_id))
    except errors.Unavailable as fault:
        _log.info("index_batches_left", media_id=str(media_id), reason=fault.reason)
