"""The bytes of given files, wherever they lie."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from yard.media_ingest.domain.files import Place
from yard.media_ingest.handlers.context import Ingest
from yard.runtime import errors
from yard.runtime.shares import FILE_GONE, ShareFile
from yard.runtime.workers import BlobSource, PartSource, RangeSource


def source_of(ingest: Ingest, place: Place) -> RangeSource:
    """What reads the bytes of this place, for this process and for jobs of children."""
    if place.share:
        return _Listed(ingest.shares.named(place.share).source(place.key, place.size_bytes, place.stamp))
    whole = BlobSource(ingest.blobs, place.key, place.offset + place.size_bytes)
    return PartSource(whole, place.offset, place.size_bytes) if place.offset else whole


class Joined:
    """Sources one behind the other as if they were one."""

    def __init__(self, sources: Sequence[RangeSource]) -> None:
        self._sources = sources
        self._ends = [*accumulate(source.size for source in sources)]

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._ends[-1] if self._ends else 0

    async def read(self, offset: int, length: int) -> bytes:
        """The range; at most so many are read at the same time as it touches."""
        reads = []
        end = offset + length
        for number in range(bisect_right(self._ends, offset), len(self._sources)):
            source = self._sources[number]
            start = self._ends[number] - source.size
            if start >= end:
                break
            first = max(0, offset - start)
            if count := min(end - start, source.size) - first:
                reads.append(source.read(first, count))
        return b"".join(await asyncio.gather(*reads))


class _Listed:
    """A file of a share; one that has gone ends the media: nobody waits for it to return."""

    def __init__(self, file: ShareFile) -> None:
        self._file = file

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._file.size

    async def read(self, offset: int, length: int) -> bytes:
        """The range; FailedPrecondition with the name of a file that has gone or changed."""
        try:
            return await self._file.read(offset, length)
        except errors.Unavailable as fault:
            if fault.reason != FILE_GONE:
                raise
            raise errors.FailedPrecondition(
                fault.message, reason=FILE_GONE, metadata=fault.metadata
            ) from fault
