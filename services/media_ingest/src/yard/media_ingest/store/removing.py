"""Files that are taken out of an open upload."""

from datetime import datetime
from uuid import UUID

from yard.media_ingest.store.adding import KnownFile
from yard.runtime.db import Transaction


async def lock_file(tx: Transaction, upload_id: UUID, number: int) -> KnownFile | None:
    """The file of this number, which nobody else changes until the commit."""
    row = await tx.fetchrow(
        """
        SELECT number, name, is_complete,
            CASE WHEN size_unknown THEN received_bytes ELSE size_bytes END AS charged_bytes,
            blob_key IS NOT NULL OR tail_key IS NOT NULL AS has_objects
        FROM upload_file
        WHERE upload_id = $1 AND number = $2
        FOR UPDATE
        """,
        upload_id,
        number,
    )
    return None if row is None else KnownFile(**dict(row))


async def remove_file(tx: Transaction, upload_id: UUID, file: KnownFile, expires_at: datetime) -> bool:
    """Takes it out, gives its bytes back to the quota and its number to nobody; False if it is closed."""
    await tx.execute("DELETE FROM upload_file WHERE upload_id = $1 AND number = $2", upload_id, file.number)
    tag = await tx.execute(
        """
        UPDATE upload
        SET total_bytes = total_bytes - $2, least_number = greatest(least_number, $3), expires_at = $4
        WHERE id = $1 AND state = 'OPEN'
        """,
        upload_id,
        file.charged_bytes,
        file.number + 1,
        expires_at,
    )
    return tag == "UPDATE 1"
