"""The plan: all that is needed to find and cut frames, in one object."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from yard.media.plan import TRAILER_BYTES, PlanHead, Source, decode_head, encode_plan, head_range
from yard.media_ingest.domain.files import GivenFile, Kind, Skipped
from yard.media_ingest.domain.parameters import Selected
from yard.media_ingest.domain.picking import Picking
from yard.media_ingest.handlers.batches import Indexing
from yard.media_ingest.handlers.context import plan_key
from yard.media_ingest.store.batches import Batch
from yard.media_ingest.store.media import FrameBlock
from yard.runtime.blobs import BlobRef, Blobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What indexing has found; width and height are those of the first selected frame."""

    plan: BlobRef
    selected: Selected
    source_frames: int
    width: int
    height: int
    blocks: tuple[FrameBlock, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()


async def plan_video(indexing: Indexing, file: GivenFile, batch: Batch, selected: Selected) -> Planned:
    """The plan of a video: its whole index, and the selection."""
    block = await indexing.ingest.blobs.get(batch.block.key)
    plan, _ = await _write(indexing, "video", [file], [block], selected)
    return Planned(
        plan=plan,
        selected=selected,
        source_frames=batch.result["frames"],
        width=batch.result["width"],
        height=batch.result["height"],
        warnings=tuple(batch.result["warnings"]),
    )


async def plan_images(
    indexing: Indexing, files: Sequence[GivenFile], batches: Sequence[Batch], selected: Selected
) -> Planned:
    """The plan of images: the selected ones in order, and the files that they lie in."""
    picking = Picking(files, selected)
    for batch in batches:
        block = await indexing.ingest.blobs.get(batch.block.key)
        await asyncio.to_thread(picking.add, block)
    await asyncio.to_thread(picking.seal)
    assert picking.first is not None
    plan, head = await _write(indexing, "images", picking.sources, picking.blocks, selected)
    return Planned(
        plan=plan,
        selected=selected,
        source_frames=sum(batch.result["count"] for batch in batches),
        width=picking.first.width,
        height=picking.first.height,
        blocks=tuple(
            FrameBlock(first=block.first, frames=block.count, offset=block.offset, length=block.length)
            for block in head.blocks
        ),
        skipped=tuple(skipped_in(batches)),
    )


async def _write(
    indexing: Indexing, kind: Kind, files: Sequence[GivenFile], blocks: Sequence[bytes], selected: Selected
) -> tuple[BlobRef, PlanHead]:
    """Writes the plan and reads its head back: what cannot be read is not a plan."""
    await indexing.tell(0.97, "writing the frame index")
    sources = [
        Source(
            key=file.place.key,
            name=file.name,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            share=file.place.share,
            offset=file.place.offset,
        )
        for file in files
    ]
    selection = selected.selection
    pieces = encode_plan(
        kind, sources, blocks, size=selected.size, start=selection.start, step=selection.step
    )
    blobs, key = indexing.ingest.blobs, plan_key(indexing.media.id)
    plan = await blobs.put_stream(key, _in_thread(pieces))
    return plan, await _head(blobs, plan)


async def _head(blobs: Blobs, plan: BlobRef) -> PlanHead:
    trailer = await blobs.get(plan.key, offset=plan.size_bytes - TRAILER_BYTES, length=TRAILER_BYTES)
    offset, length = head_range(trailer, plan.size_bytes)
    content = await blobs.get(plan.key, offset=offset, length=length)
    return await asyncio.to_thread(decode_head, content)


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


def skipped_in(batches: Sequence[Batch]) -> Iterator[Skipped]:
    """Files that look like images by their first bytes only."""
    for batch in batches:
        for entry in batch.result["skipped"]:
            yield Skipped(name=entry["name"], reason=entry["reason"])
