"""Objects that no file of their upload needs any more."""

from collections.abc import Sequence
from uuid import UUID

from yard.runtime.db import Database


async def left(db: Database, upload_id: UUID | None, *, limit: int) -> list[tuple[str, str | None]]:
    """Key and multipart id of what can be freed, of one upload or of all; packs once no file lies in them."""
    rows = await db.fetch(
        """
        SELECT leftover.blob_key, leftover.multipart_id
        FROM upload_leftover AS leftover
        WHERE ($1::uuid IS NULL OR leftover.upload_id = $1)
            AND (NOT leftover.is_pack OR NOT EXISTS (
                SELECT FROM upload_file AS file
                WHERE file.upload_id = leftover.upload_id AND file.blob_key = leftover.blob_key
            ))
        LIMIT $2
        """,
        upload_id,
        limit,
    )
    return [(row["blob_key"], row["multipart_id"]) for row in rows]


async def forget(db: Database, keys: Sequence[str]) -> None:
    """They are gone from the store."""
    await db.execute("DELETE FROM upload_leftover WHERE blob_key = ANY($1::text[])", keys)
