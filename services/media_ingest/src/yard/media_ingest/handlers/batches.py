"""Indexing in child processes, in batches that are kept: after a kill only the running one is done again."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from frameyard.task.v1.task_events_pb2 import MediaRequested
from yard.media.batch_stream import DEADLY
from yard.media.index_block import encode_frames
from yard.media_ingest.domain.files import GivenFile, Place
from yard.media_ingest.domain.parameters import PDF_DPI
from yard.media_ingest.handlers.context import Ingest, index_prefix
from yard.media_ingest.handlers.places import source_of
from yard.media_ingest.handlers.reporting import Report
from yard.media_ingest.store import batches as store
from yard.media_ingest.store.batches import Batch
from yard.media_ingest.store.media import MediaRow
from yard.runtime import errors
from yard.runtime.work import Work
from yard.runtime.workers import RangeSource

MOST_BLOCK_BYTES = 256 * 1024 * 1024
INDEXED = 0.95  # the share of indexing in the whole progress; the plan is the rest
SLOWEST_BYTES_S = 8 * 1024 * 1024  # a store that is slower than this overruns the time limit of a call
MOST_DEADLY = 10  # files of one media; more are no accident


@dataclass(slots=True)
class Share:
    """The part of the whole progress that is done before the step that tells its own, 0 to 1."""

    before: float = 0.0
    reached: float = 0.0
    """The most that was ever told, by earlier attempts too."""

    def add(self, fraction: float) -> None:
        """So much of what was left is done."""
        self.before = self.of(fraction)

    def of(self, fraction: float) -> float:
        """The whole progress, when so much of what is left is done."""
        return self.before + (1 - self.before) * fraction

    def reach(self, fraction: float) -> float:
        """The same for people, to whom it never goes back."""
        self.reached = max(self.reached, self.of(fraction))
        return self.reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexing:
    """One attempt at one media."""

    ingest: Ingest
    work: Work[MediaRequested]
    media: MediaRow
    dpi: int = PDF_DPI
    """Resolution of PDF pages."""
    report: Report = field(default_factory=Report)
    """What becomes of the files."""
    share: Share = field(default_factory=Share)
    """What of the progress is behind us."""

    def check_frames(self, name: str, frames: int) -> None:
        """InvalidArgument if media would have too many frames."""
        most = self.ingest.settings.media_max_frames
        if frames > most:
            raise errors.invalid(name, f"leads to more than {most} frames")

    async def tell(self, fraction: float, message: str) -> None:
        """How far it is: to the task's operation, and to our own."""
        fraction = self.share.reach(fraction)
        await self.work.progress(fraction, message)
        if self.media.operation:
            operations = self.ingest.runtime.operations
            await operations.publish_progress(self.media.operation, fraction, message)


async def index_video(indexing: Indexing, file: GivenFile) -> Batch:
    """The index of a video; result: frames, width, height, warnings and more."""
    done = await store.batches_of(indexing.ingest.db, indexing.media.id)
    if 0 in done:
        return done[0]

    async def tell(fraction: float) -> None:
        await indexing.tell(INDEXED * fraction, f"reading {file.name}")

    await tell(0.0)
    call = _Call(indexing, [file])
    sources = {"file": source_of(indexing.ingest, file.place)}
    try:
        result = await call.run("yard.media.jobs:index_video", {"name": file.name}, sources, tell)
    except errors.WorkerCrashed as crash:
        raise unreadable(file.name, crash) from crash
    return await keep_batch(indexing, 0, call.block, result)


async def index_images(indexing: Indexing, files: Sequence[GivenFile]) -> list[Batch]:
    """All batches in order, each from where the one before ends; blocks name files by position in `files`.

    Where a child dies or hangs, batches are halved until one file is left to blame, which is left out.
    """
    done = await store.batches_of(indexing.ingest.db, indexing.media.id)
    batches: list[Batch] = []
    position, most = 0, indexing.ingest.batch_files
    while position < len(files):
        await indexing.tell(INDEXED * position / len(files), f"{position} of {len(files)} images are read")
        some = files[position : position + most]
        batch = done.get(position) or await _index_batch(indexing, some, position)
        if batch is None:
            most = len(some) // 2
            continue
        batches.append(batch)
        position += batch.result["files"]
        if batch.result.get("is_deadly"):
            most = indexing.ingest.batch_files
        _check_deaths(batches)
        indexing.check_frames(files[0].name, sum(batch.result["count"] for batch in batches))
    return batches


async def _index_batch(indexing: Indexing, some: Sequence[GivenFile], position: int) -> Batch | None:
    """None if its child has not survived several files."""
    call = _Call(indexing, some)
    described, sources = _described(indexing.ingest, some, position)
    settings = indexing.ingest.settings
    limits = {"pixels": settings.media_max_pixels, "pages": settings.media_max_pages}
    try:
        arguments = {"files": described, "limits": limits}
        result = await call.run("yard.media.jobs:index_images", arguments, sources)
    except errors.WorkerCrashed as crash:
        if len(some) > 1:
            return None
        fault = {"name": some[0].name, "reason": DEADLY, "cause": crash.message}
        result = {"files": 1, "count": 0, "skipped": [fault], "is_deadly": True}
        return await keep_batch(indexing, position, encode_frames([]), result)
    return await keep_batch(indexing, position, call.block, result)


def _check_deaths(batches: Sequence[Batch]) -> None:
    """WorkerCrashed if so many are deadly that it may not be the files."""
    deadly = [batch.result["skipped"][0] for batch in batches if batch.result.get("is_deadly")]
    if len(deadly) > MOST_DEADLY:
        raise unreadable(deadly[0]["name"], errors.WorkerCrashed(deadly[0]["cause"]))


def _described(
    ingest: Ingest, files: Sequence[GivenFile], position: int
) -> tuple[list[dict[str, Any]], dict[str, RangeSource]]:
    """The files for the job, numbered from `position` on, and what they lie in: an object is opened once."""
    places: dict[tuple[str, str], Place] = {}
    for file in files:
        known = places.get((file.place.share, file.place.key))
        end = file.place.offset + file.place.size_bytes
        size_bytes = end if known is None else max(end, known.size_bytes)
        place = replace(file.place, offset=0, size_bytes=size_bytes)
        places[file.place.share, file.place.key] = place
    names = {place: str(number) for number, place in enumerate(places)}
    described = [
        {
            "name": file.name,
            "source": number,
            "size": file.size_bytes,
            "file": names[file.place.share, file.place.key],
            "offset": file.place.offset,
        }
        for number, file in enumerate(files, position)
    ]
    return described, {names[place]: source_of(ingest, whole) for place, whole in places.items()}


class _Call:
    """A job over some files; the index block that it emits is held in memory."""

    def __init__(self, indexing: Indexing, files: Sequence[GivenFile]) -> None:
        self._ingest = indexing.ingest
        self._files = files
        self.block = bytearray()

    async def run(
        self,
        function: str,
        arguments: dict[str, Any],
        sources: dict[str, RangeSource],
        on_progress: Any = None,
    ) -> dict[str, Any]:
        size_bytes = sum(file.size_bytes for file in self._files)
        return await self._ingest.runtime.workers.call(
            function,
            arguments,
            sources=sources,
            on_bytes=self._take,
            on_progress=on_progress,
            timeout_s=self._ingest.settings.worker_timeout_s + size_bytes / SLOWEST_BYTES_S,
        )

    async def _take(self, chunk: bytes) -> None:
        if len(self.block) + len(chunk) > MOST_BLOCK_BYTES:
            raise errors.invalid(self._files[0].name, f"has an index of more than {MOST_BLOCK_BYTES} bytes")
        self.block += chunk


async def keep_batch(
    indexing: Indexing, number: int, block: bytes | bytearray, result: dict[str, Any]
) -> Batch:
    """Object first, row second: a row promises that the object is there."""
    key = f"{index_prefix(indexing.media.id)}{number}"
    batch = Batch(number=number, block=await indexing.ingest.blobs.put(key, bytes(block)), result=result)
    async with indexing.work.transaction() as tx:
        await store.insert_batch(tx, indexing.media.id, batch)
    return batch


def unreadable(name: str, crash: errors.WorkerCrashed) -> errors.WorkerCrashed:
    """The same crash with the file that it is about."""
    return errors.WorkerCrashed(
        f"{name}: {DEADLY}",
        metadata={"file": name, "cause": crash.message},
    )
