"""The lines of a manifest of images, parsed once and kept in parts: what a kill leaves is not read again.

A part is an object of 10,000 frames with where it ends in the manifest, there as a whole or not at all, and
the same from every attempt. What depends on the other files or on the sorting comes after, from the parts.
"""

import hashlib

from yard.media.batch_stream import BatchStream, IndexedBatch, batch_end
from yard.media_ingest.domain.files import GivenFile
from yard.media_ingest.handlers.batches import INDEXED, Indexing, unreadable
from yard.media_ingest.handlers.context import index_prefix
from yard.media_ingest.handlers.places import Joined, source_of
from yard.runtime import errors
from yard.runtime.workers import BlobSource

MODULE = "yard.media.manifest_jobs"
READ = 0.7  # the share of reading in the progress of a manifest
SLOWEST_BYTES_S = 256 * 1024
"""Of a manifest, on a machine that has much else to do."""


async def read_lines(indexing: Indexing, manifest: GivenFile) -> Joined | None:
    """The source "lines" of the jobs that arrange images; None of a manifest of a video."""
    kept = _Kept(indexing, manifest)
    behind = await kept.find()
    if behind is None or not behind["is_last"]:
        try:
            if not await _read(indexing, manifest, kept, behind):
                return None
        except errors.WorkerCrashed as crash:
            raise unreadable(manifest.name, crash) from crash
    return kept.joined()


def time_limit(indexing: Indexing, manifest: GivenFile) -> float:
    """Seconds that a job over a manifest may take."""
    return indexing.ingest.settings.worker_timeout_s + manifest.size_bytes / SLOWEST_BYTES_S


async def _read(
    indexing: Indexing, manifest: GivenFile, kept: "_Kept", behind: dict[str, int] | None
) -> bool:
    """Adds the parts that are missing; False if it describes a video."""

    async def tell(fraction: float) -> None:
        await indexing.tell(INDEXED * READ * fraction, f"reading {manifest.name}")

    settings = indexing.ingest.settings
    stream = indexing.ingest.runtime.workers.stream(
        f"{MODULE}:read_images",
        {"name": manifest.name, "most": settings.media_max_frames, "behind": behind},
        sources={"manifest": source_of(indexing.ingest, manifest.place)},
        on_progress=tell,
        timeout_s=time_limit(indexing, manifest),
    )
    found = BatchStream()
    async with stream:
        async for content in stream:
            for batch in found.feed(content):
                assert isinstance(batch, IndexedBatch)
                await kept.add(batch)
    return bool(stream.result["kind"] == "images")


class _Kept:
    """The parts of one manifest, by what names its bytes: a folder and its files may have different ones."""

    def __init__(self, indexing: Indexing, manifest: GivenFile) -> None:
        self._blobs = indexing.ingest.blobs
        place = manifest.place
        named = f"{place.share}\n{place.key}\n{place.offset}\n{place.size_bytes}\n{place.stamp}"
        digest = hashlib.sha256(named.encode()).hexdigest()[:16]
        self._prefix = f"{index_prefix(indexing.media.id)}manifest-{digest}/"
        self._parts: list[BlobSource] = []

    async def find(self) -> dict[str, int] | None:
        """Looks for the parts of earlier attempts; what the last one says of where it ends."""
        async for part in self._blobs.list(self._prefix):
            self._parts.append(BlobSource(self._blobs, part.key, part.size))
        if not self._parts:
            return None
        last = self._parts[-1]
        [batch] = BatchStream().feed(await last.read(0, last.size))
        assert isinstance(batch, IndexedBatch)
        return batch.result

    async def add(self, batch: IndexedBatch) -> None:
        """One more part."""
        key, content = f"{self._prefix}{len(self._parts):06d}.part", batch_end(batch.block, batch.result)
        await self._blobs.put(key, content)
        self._parts.append(BlobSource(self._blobs, key, len(content)))

    def joined(self) -> Joined:
        """All parts one behind the other."""
        return Joined(self._parts)
