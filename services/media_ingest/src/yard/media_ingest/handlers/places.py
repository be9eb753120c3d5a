"""The bytes of given files, wherever they lie."""

from yard.media_ingest.domain.files import Place
from yard.media_ingest.handlers.context import Ingest
from yard.runtime.workers import BlobSource, PartSource, RangeSource


def source_of(ingest: Ingest, place: Place) -> RangeSource:
    """What reads the bytes of this place, for this process and for jobs of children."""
    if place.share:
        return ingest.shares.named(place.share).source(place.key, place.size_bytes)
    whole = BlobSource(ingest.blobs, place.key, place.offset + place.size_bytes)
    return PartSource(whole, place.offset, place.size_bytes) if place.offset else whole
