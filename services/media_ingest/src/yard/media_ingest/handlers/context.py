"""What the handlers work with."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from yard.media_ingest.handlers.digests import Digests
from yard.media_ingest.settings import MOST_BATCH_FILES, Settings
from yard.runtime import clock, errors
from yard.runtime.app import Runtime
from yard.runtime.blobs import Blobs, PartAddresses
from yard.runtime.db import Database
from yard.runtime.egress import Egress
from yard.runtime.shares import Shares

SERVICE_NAME = "media_ingest"
INDEX_MEDIA = "index_media"
PURGE_MEDIA = "purge_media"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """The service's runtime, its shares, and how many images are indexed at once.

    `addresses` are those of parts, where clients reach the store themselves; `digests` those of this process.
    """

    runtime: Runtime[Settings]
    shares: Shares = field(default_factory=Shares)
    batch_files: int = MOST_BATCH_FILES
    addresses: PartAddresses | None = None
    egress: Egress = field(default_factory=Egress)
    digests: Digests = field(default_factory=Digests)

    @property
    def db(self) -> Database:
        """Our schema."""
        return self.runtime.db

    @property
    def blobs(self) -> Blobs:
        """The bucket."""
        return self.runtime.blobs

    @property
    def settings(self) -> Settings:
        """What the operator decided."""
        return self.runtime.settings

    def expiry(self) -> datetime:
        """When an upload ends that nothing happens to from now on."""
        return clock.now() + timedelta(seconds=self.settings.upload_ttl_s)


def id_of(kind: str, text: str) -> UUID:
    """The id of an upload or media; NotFound for what is no UUID."""
    try:
        return UUID(text)
    except ValueError:
        raise errors.NotFound(kind, text[:64]) from None


def media_prefix(media_id: UUID) -> str:
    """Under which all objects of media lie but its files."""
    return f"media/{media_id}/"


def index_prefix(media_id: UUID) -> str:
    """Under which the batches of an indexing lie."""
    return f"{media_prefix(media_id)}index/"


def source_prefix(media_id: UUID) -> str:
    """Under which the files of media lie that were fetched for it."""
    return f"{media_prefix(media_id)}source/"


def packs_prefix(media_id: UUID) -> str:
    """Under which small files of media lie, many in one object."""
    return f"{media_prefix(media_id)}packs/"


def unpacked_prefix(media_id: UUID) -> str:
    """Under which the images of packed archives lie."""
    return f"{media_prefix(media_id)}unpacked/"


def plan_key(media_id: UUID) -> str:
    """Where the plan lies."""
    return f"{media_prefix(media_id)}plan"
