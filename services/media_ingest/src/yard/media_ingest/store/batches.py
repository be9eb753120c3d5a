"""Index batches: what is indexed already, object and result."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from yard.runtime.blobs import BlobRef
from yard.runtime.db import Database, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The block in the bucket and what the job said besides."""

    number: int
    block: BlobRef
    result: dict[str, Any]


async def batches_of(db: Database, media_id: UUID) -> dict[int, Batch]:
    """What is done, by number."""
    rows = await db.fetch(
        """
        SELECT number, blob_key, size_bytes, sha256, result
        FROM index_batch
        WHERE media_id = $1
        ORDER BY number
        """,
        media_id,
    )
    return {
        row["number"]: Batch(
            number=row["number"],
            block=BlobRef(key=row["blob_key"], size_bytes=row["size_bytes"], sha256=row["sha256"]),
            result=row["result"],
        )
        for row in rows
    }


async def insert_batch(tx: Transaction, media_id: UUID, batch: Batch) -> None:
    """Keeps a batch; one that a lost worker has kept meanwhile stays."""
    await tx.execute(
        """
        INSERT INTO index_batch (media_id, number, blob_key, size_bytes, sha256, result)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (media_id, number) DO NOTHING
        """,
        media_id,
        batch.number,
        batch.block.key,
        batch.block.size_bytes,
        batch.block.sha256,
        batch.result,
    )


async def delete_batches(tx: Transaction, media_id: UUID) -> None:
    """Forgets the batches of media that has its plan, or never will."""
    await tx.execute("DELETE FROM index_batch WHERE media_id = $1", media_id)
