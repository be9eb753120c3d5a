"""How many bytes one user may have in uploads that no media uses."""

from yard.media_ingest.handlers.context import Ingest
from yard.media_ingest.store import uploads as store
from yard.runtime import errors
from yard.runtime.db import Database, Transaction


async def check_quota(ingest: Ingest, source: Database | Transaction, owner: str, more: int) -> None:
    """ResourceExhausted if `more` bytes are too many; exact only under the lock of the owner."""
    quota, unused = ingest.settings.upload_quota_bytes, await store.unused_bytes(source, owner)
    if more > 0 and unused + more > quota:
        raise errors.ResourceExhausted(
            f"{more} bytes, and {max(0, quota - unused)} are left: attach or delete uploads",
            reason="UPLOAD_QUOTA",
            metadata={"quota_bytes": str(quota), "unused_bytes": str(unused)},
        )
