"""The bytes of given files, wherever they lie."""

from yard.media_ingest.domain.files import Place
from yard.media_ingest.handlers.context import Ingest
from yard.runtime import errors
from yard.runtime.shares import FILE_GONE, ShareFile
from yard.runtime.workers import BlobSource, PartSource, RangeSource


def source_of(ingest: Ingest, place: Place) -> RangeSource:
    """What reads the bytes of this place, for this process and for jobs of children."""
    if place.share:
        return _Listed(ingest.shares.named(place.share).source(place.key, place.size_bytes))
    whole = BlobSource(ingest.blobs, place.key, place.offset + place.size_bytes)
    return PartSource(whole, place.offset, place.size_bytes) if place.offset else whole


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
