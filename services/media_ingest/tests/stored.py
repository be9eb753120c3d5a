"""Files as they lie in the bucket."""

from __future__ import annotations

import hashlib

from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media_ingest.settings import Settings
from yard.runtime import app


async def content(running: app.Running[Settings], upload: messages.Upload, number: int = 0) -> bytes:
    """The bytes of a complete file, whose digest was noted right."""
    row = await running.runtime.db.fetchrow(
        """
        SELECT blob_key, blob_offset, size_bytes, sha256
        FROM upload_file
        WHERE upload_id = $1::text::uuid AND number = $2 AND is_complete
        """,
        upload.id,
        number,
    )
    assert row is not None
    found = b""
    if row["blob_key"] is not None:
        found = await running.runtime.blobs.get(
            row["blob_key"], offset=row["blob_offset"], length=row["size_bytes"]
        )
    assert hashlib.sha256(found).hexdigest() == row["sha256"]
    return found
