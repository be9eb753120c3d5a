"""Frames inside archives and PDF: batches come out of one pass in a child process, and are kept one by one.

Zips and plain tars stay as they are, and a later attempt begins where the last batch ends. The images of
packed tars are appended to packs, an object a batch; after a kill such a stream is read again from its start,
but what is stored is not stored again.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Any

from yard.media.batch_stream import BatchStream, IndexedBatch, Reading
from yard.media.index_block import FRAMES_PER_BLOCK
from yard.media_ingest.domain.files import GivenFile, Place
from yard.media_ingest.handlers.batches import INDEXED, SLOWEST_BYTES_S, Indexing, keep_batch, unreadable
from yard.media_ingest.handlers.context import unpacked_prefix
from yard.media_ingest.handlers.places import Joined, source_of
from yard.media_ingest.handlers.trials import Trial
from yard.media_ingest.store import batches as store
from yard.media_ingest.store.batches import Batch
from yard.runtime import errors
from yard.runtime.blobs import BlobRef
from yard.runtime.workers import BlobSource, RangeSource, Stream

PACK_BYTES = 64 * 1024 * 1024
FILES_AT_ONCE = 20
"""A batch has so many times as many files as one of single images: their bytes come together."""

_MODULE = "yard.media.archive_jobs"
_UNPACKED = 4  # packed tars may take so many times as long as their bytes


async def index_archive(indexing: Indexing, file: GivenFile, members: GivenFile | None = None) -> list[Batch]:
    """All batches in the order of the archive; blocks name what they lie in by position in `contents_of`.

    Of a zip only the listed `members` are taken, if there is a list.
    """
    batches = [*(await store.batches_of(indexing.ingest.db, indexing.media.id)).values()]
    if batches and batches[-1].result["is_last"]:
        return batches
    await indexing.ingest.blobs.abort_parts(unpacked_prefix(indexing.media.id))
    trial = _trial(indexing, file)
    while not (batches and batches[-1].result["is_last"]):
        trial.note(None)
        try:
            await _index_rest(indexing, file, members, batches, trial)
        except errors.WorkerCrashed as crash:
            if not trial.goes_on(is_late=crash.metadata.get("limit") == "time"):
                raise unreadable(file.name, crash) from crash
    return batches


def _trial(indexing: Indexing, file: GivenFile) -> Trial:
    limit_s = indexing.ingest.settings.worker_timeout_s
    times = _UNPACKED if file.family == "archive" else 1
    return Trial(
        limit_s=limit_s + times * file.size_bytes / SLOWEST_BYTES_S,
        patience_s=limit_s / 2,
        is_careful=file.family == "document",  # it has no members
    )


def contents_of(file: GivenFile, batches: Sequence[Batch]) -> list[GivenFile]:
    """What the frames of an archive lie in: itself, or a pack for each batch."""
    packs = [batch.result.get("pack") for batch in batches]
    if not any(packs):
        return [file]
    return [_pack(file, pack or {"key": "", "size_bytes": 0, "sha256": ""}) for pack in packs]


def _pack(file: GivenFile, pack: dict[str, Any]) -> GivenFile:
    size_bytes = pack["size_bytes"]
    return GivenFile(
        name=file.name,
        size_bytes=size_bytes,
        place=Place(key=pack["key"], size_bytes=size_bytes),
        sha256=pack["sha256"],
        family="",
        format="",
    )


async def _index_rest(
    indexing: Indexing, file: GivenFile, members: GivenFile | None, batches: list[Batch], trial: Trial
) -> None:
    """Appends the batches that are missing as they become complete."""
    async with _stream(indexing, file, members, batches, trial) as stream:
        messages = _messages(stream, trial)
        async for message in messages:
            taking = _Taking(message, messages)
            pack = await taking.store(indexing, len(batches))
            assert taking.batch is not None
            result = {**taking.batch.result, "pack": None if pack is None else asdict(pack)}
            batches.append(await keep_batch(indexing, len(batches), taking.batch.block, result))
            indexing.check_frames(file.name, sum(batch.result["count"] for batch in batches))


def _stream(
    indexing: Indexing, file: GivenFile, members: GivenFile | None, batches: Sequence[Batch], trial: Trial
) -> Stream:
    ingest = indexing.ingest
    files = sum(batch.result["files"] for batch in batches)

    async def tell(fraction: float) -> None:
        await indexing.tell(INDEXED * fraction, f"reading {file.name}")

    arguments = {
        "name": file.name,
        "limits": _limits(indexing),
        "done": files,
        "packs": len(batches),
        "place": batches[-1].result.get("place") if batches else None,
        "kept_bytes": [batch.block.size_bytes for batch in batches],
        "dpi": indexing.dpi,
        "batch_files": min(FRAMES_PER_BLOCK, ingest.batch_files * FILES_AT_ONCE),
        "pack_bytes": PACK_BYTES,
        "is_careful": trial.is_careful,
        "deadly": trial.deadly,
    }
    listed: dict[str, RangeSource] = {}
    if members is not None:
        arguments["members"] = [members.name, indexing.media.spec.members.folder]
        listed["members"] = source_of(ingest, members.place)
    kept = Joined([BlobSource(ingest.blobs, batch.block.key, batch.block.size_bytes) for batch in batches])
    return ingest.runtime.workers.stream(
        f"{_MODULE}:{_function(file)}",
        arguments,
        sources={"file": source_of(ingest, file.place), "kept": kept, **listed},
        on_progress=tell,
        timeout_s=trial.limit_s,
    )


def _function(file: GivenFile) -> str:
    if file.family == "document":
        return "index_pdf"
    return "index_zip" if file.format == "zip" else "index_tar"


def _limits(indexing: Indexing) -> dict[str, int]:
    settings = indexing.ingest.settings
    return {
        "members": settings.media_max_files,
        "member_bytes": settings.media_max_image_bytes,
        "total_bytes": settings.media_max_bytes,
        "expansion": settings.media_max_expansion,
        "pixels": settings.media_max_pixels,
        "pages": settings.media_max_pages,
    }


async def _messages(stream: Stream, trial: Trial) -> AsyncIterator[bytes | IndexedBatch]:
    found = BatchStream()
    async for content in stream:
        for message in found.feed(content):
            if isinstance(message, Reading):
                trial.note(message.number)
            else:
                yield message


class _Taking:
    """One batch, and the bytes of its pack, which come before it."""

    def __init__(self, first: bytes | IndexedBatch, messages: AsyncIterator[bytes | IndexedBatch]) -> None:
        self._first = first
        self._messages = messages
        self.batch: IndexedBatch | None = first if isinstance(first, IndexedBatch) else None

    async def store(self, indexing: Indexing, number: int) -> BlobRef | None:
        """Writes the pack while it comes; None if there is none."""
        if self.batch is not None:
            return None
        key = f"{unpacked_prefix(indexing.media.id)}{number}"
        return await indexing.ingest.blobs.put_stream(key, self._pieces())

    async def _pieces(self) -> AsyncIterator[bytes]:
        assert isinstance(self._first, bytes)
        yield self._first
        async for message in self._messages:
            if isinstance(message, IndexedBatch):
                self.batch = message
                return
            yield message
        raise errors.Internal("a pack came without its batch")
