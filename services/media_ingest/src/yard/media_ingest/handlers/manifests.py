"""Media that a manifest describes: its images are not opened until somebody looks at them."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from frameyard.media.v1 import media_pb2
from numpy.typing import NDArray
from yard.media.frame_table import FrameTable
from yard.media_ingest.domain.files import GivenFile
from yard.media_ingest.domain.manifests import folder_of, refusal
from yard.media_ingest.domain.parameters import Parameters
from yard.media_ingest.handlers.batches import INDEXED, MOST_BLOCK_BYTES, Indexing, unreadable
from yard.media_ingest.handlers.manifest_lines import MODULE, READ, read_lines, time_limit
from yard.media_ingest.handlers.places import source_of
from yard.media_ingest.store.batches import Batch
from yard.runtime import errors
from yard.runtime.workers import BlobSource, BytesSource, RangeSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a job has made of a manifest: its result and its blocks, joined."""

    result: Mapping[str, Any]
    content: bytes

    @property
    def blocks(self) -> list[bytes]:
        """One by one."""
        blocks, start = [], 0
        for length in self.result["lengths"]:
            blocks.append(self.content[start : start + length])
            start += length
        return blocks

    @property
    def warnings(self) -> tuple[str, ...]:
        """What people should know."""
        unsized = self.result["unsized"]
        noun = "image has" if unsized == 1 else "images have"
        return (f"{unsized:,} {noun} no size in the manifest",) if unsized else ()


async def check_video(indexing: Indexing, manifest: GivenFile, file: GivenFile, batch: Batch) -> None:
    """InvalidArgument if it says of the video what its packets do not."""
    blobs = indexing.ingest.blobs
    index = BlobSource(blobs, batch.block.key, batch.block.size_bytes)
    manifest_source = source_of(indexing.ingest, manifest.place)
    sources = {"manifest": manifest_source, "index": index}
    await _called(indexing, "check_video", manifest, {"video": file.name}, sources)


async def describe_files(
    indexing: Indexing, manifest: GivenFile, files: Sequence[GivenFile], wanted: Parameters
) -> tuple[FrameTable, tuple[str, ...]]:
    """All frames in order, whose sources are positions in `files`, and warnings."""
    names = await asyncio.to_thread(_rows, ([file.name, file.size_bytes, file.format] for file in files))
    arguments = {"folder": folder_of(manifest.name), **selection_of(indexing, wanted)}
    found = await described(indexing, "describe_files", manifest, arguments, {"files": BytesSource(names)})
    if found is None:
        raise refusal(manifest, "describes a video, but images were given")
    return await asyncio.to_thread(_table, found), found.warnings


def pages_of(files: Sequence[GivenFile], frames: FrameTable) -> dict[str, int]:
    """Frames of the files that have several."""
    numbers, counts = np.unique(frames.column("source")[_described_in(frames)], return_counts=True)
    several = counts > 1
    pairs = zip(numbers[several].tolist(), counts[several].tolist(), strict=True)
    return {files[number].name: count for number, count in pairs}


async def order_members(
    indexing: Indexing, manifest: GivenFile, frames: FrameTable, wanted: Parameters
) -> tuple[list[int], tuple[str, ...]]:
    """Rows of the frames of an archive in the order of a manifest, which must tell their true sizes."""
    names = ([name.decode("utf-8", "replace"), 0, ""] for name in frames.names)
    members = await asyncio.to_thread(_rows, names)
    arguments = {"folder": "", **selection_of(indexing, wanted)}
    found = await described(indexing, "describe_files", manifest, arguments, {"files": BytesSource(members)})
    if found is None:
        raise refusal(manifest, "describes a video, but images were given")
    claimed = await asyncio.to_thread(_table, found)
    return await asyncio.to_thread(_checked_order, manifest, claimed, frames), found.warnings


def _table(found: Description) -> FrameTable:
    frames = FrameTable()
    for block in found.blocks:
        frames.add(block)
    return frames


def _rows(names: Iterable[Sequence[object]]) -> bytes:
    """The source "files" of a job: name, bytes and format, a line a file."""
    return b"\n".join(json.dumps(row).encode() for row in names)


def _checked_order(manifest: GivenFile, claimed: FrameTable, frames: FrameTable) -> list[int]:
    """The rows by their names; frames that are not described take what is left."""
    described_rows = _described_in(claimed)
    rows = claimed.column("source").astype("i8")
    left = np.setdiff1d(np.arange(len(frames)), rows[described_rows])
    rows[~described_rows] = left[: int(np.count_nonzero(~described_rows))]
    wrong = np.zeros(len(rows), bool)
    for side in ("width", "height"):
        said = claimed.column(side)
        wrong |= described_rows & (said > 0) & (said != frames.column(side)[rows])
    if wrong.any():
        place = int(np.argmax(wrong))
        claim, real = _size(claimed, place), _size(frames, int(rows[place]))
        name = claimed.names[place].decode("utf-8", "replace")
        raise refusal(manifest, f"says that {name} has {claim} pixels, it has {real}")
    order: list[int] = rows.tolist()
    return order


def _described_in(frames: FrameTable) -> NDArray[np.bool_]:
    """Whether each frame has a line that says something."""
    return np.fromiter(map(bool, frames.names), bool, len(frames))


def _size(frames: FrameTable, row: int) -> str:
    return f"{frames.column('width')[row]}x{frames.column('height')[row]}"


def selection_of(indexing: Indexing, wanted: Parameters) -> dict[str, Any]:
    """The order and the selected frames as arguments of a job."""
    sorting = media_pb2.SortingMethod.Name(wanted.sorting).removeprefix("SORTING_METHOD_").lower()
    return {
        "sorting": sorting,
        "seed": indexing.media.seed,
        "start": wanted.start,
        "stop": wanted.stop,
        "step": wanted.step,
    }


async def described(
    indexing: Indexing,
    function: str,
    manifest: GivenFile,
    arguments: Mapping[str, Any],
    sources: Mapping[str, RangeSource],
) -> Description | None:
    """Runs a job over the images of a manifest; None if it describes a video."""
    lines = await read_lines(indexing, manifest)
    if lines is None:
        return None
    return await _called(indexing, function, manifest, arguments, {"lines": lines, **sources})


async def _called(
    indexing: Indexing,
    function: str,
    manifest: GivenFile,
    arguments: Mapping[str, Any],
    sources: Mapping[str, RangeSource],
) -> Description:
    content = bytearray()

    async def take(chunk: bytes) -> None:
        if len(content) + len(chunk) > MOST_BLOCK_BYTES:
            raise errors.invalid(manifest.name, f"has an index of more than {MOST_BLOCK_BYTES} bytes")
        content.extend(chunk)

    async def tell(fraction: float) -> None:
        done = READ + (1 - READ) * fraction
        await indexing.tell(INDEXED * done, f"applying {manifest.name}")

    try:
        result = await indexing.ingest.runtime.workers.call(
            f"{MODULE}:{function}",
            {"name": manifest.name, **arguments},
            sources=sources,
            on_bytes=take,
            on_progress=tell,
            timeout_s=time_limit(indexing, manifest),
        )
    except errors.WorkerCrashed as crash:
        raise unreadable(manifest.name, crash) from crash
    return Description(result=result, content=bytes(content))
