"""The plan: all that is needed to find and cut frames, in one object."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from yard.media.frame_table import FrameTable
from yard.media.plan import TRAILER_BYTES, PlanHead, Source, decode_head, encode_plan, head_range
from yard.media_ingest.domain.files import GivenFile, Kind, Skipped
from yard.media_ingest.domain.parameters import Selected
from yard.media_ingest.domain.picking import pick, source_of_file
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
    batches: tuple[Batch, ...] = ()
    pages: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


async def plan_video(indexing: Indexing, file: GivenFile, batch: Batch, selected: Selected) -> Planned:
    """The plan of a video: its whole index, and the selection."""
    block = await indexing.ingest.blobs.get(batch.block.key)
    plan, _ = await write_plan(indexing, "video", [source_of_file(file)], [block], selected)
    return Planned(
        plan=plan,
        selected=selected,
        source_frames=batch.result["frames"],
        width=batch.result["width"],
        height=batch.result["height"],
        warnings=tuple(batch.result["warnings"]),
    )


async def read_frames(indexing: Indexing, batches: Sequence[Batch]) -> FrameTable:
    """The frames of all batches in columns."""
    frames = FrameTable()
    for batch in batches:
        block = await indexing.ingest.blobs.get(batch.block.key)
        await asyncio.to_thread(frames.add, block)
    return frames


async def plan_images(
    indexing: Indexing,
    files: Sequence[GivenFile],
    frames: FrameTable,
    order: Sequence[int] | None,
    selected: Selected,
) -> Planned:
    """The plan of images: the selected ones in order (rows; None: as they are), and what they lie in."""
    picked = await asyncio.to_thread(pick, frames, order, files, selected)
    plan, head = await write_plan(indexing, "images", picked.sources, picked.blocks, selected)
    return Planned(
        plan=plan,
        selected=selected,
        source_frames=len(frames),
        width=picked.width,
        height=picked.height,
        blocks=frame_blocks(head),
    )


def frame_blocks(head: PlanHead) -> tuple[FrameBlock, ...]:
    """Where the frames of images lie in a plan."""
    return tuple(
        FrameBlock(first=block.first, frames=block.count, offset=block.offset, length=block.length)
        for block in head.blocks
    )


async def write_plan(
    indexing: Indexing, kind: Kind, sources: Sequence[Source], blocks: Iterable[bytes], selected: Selected
) -> tuple[BlobRef, PlanHead]:
    """Writes the plan and reads its head back: what cannot be read is not a plan."""
    await indexing.tell(0.97, "writing the frame index")
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
