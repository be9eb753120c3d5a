"""Objects in S3: checked keys, checksums, bounded threads and memory, errors of our tree."""

from yard.runtime.blobs.addresses import PartAddresses
from yard.runtime.blobs.parts import PartUpload, StoredPart
from yard.runtime.blobs.relay import Relay
from yard.runtime.blobs.store import Blobs
from yard.runtime.blobs.values import BlobRef, BlobStat, check_key

__all__ = ["BlobRef", "BlobStat", "Blobs", "PartAddresses", "PartUpload", "Relay", "StoredPart", "check_key"]
