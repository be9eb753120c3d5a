"""Frames that were found to be damaged, also after their chunks are evicted."""

from collections.abc import Sequence
from uuid import UUID

from yard.chunking.domain import Corrupt, Frames
from yard.runtime.db import Database, Transaction


async def note(tx: Transaction, media_id: UUID, corrupt: Sequence[Corrupt]) -> None:
    """Keeps frames and reasons, unless the media goes; the newest reason stays."""
    if not corrupt:
        return
    await tx.execute(
        """
        INSERT INTO corrupt_frame (media_id, frame, reason)
        SELECT media_plan.id, found.frame, found.reason
        FROM (SELECT id FROM media_plan WHERE id = $1 AND NOT is_deleted FOR SHARE) AS media_plan,
            unnest($2::bigint[], $3::text[]) AS found (frame, reason)
        ORDER BY found.frame
        ON CONFLICT (media_id, frame) DO UPDATE
        SET reason = excluded.reason
        WHERE corrupt_frame.reason <> excluded.reason
        """,
        media_id,
        [each.frame for each in corrupt],
        [each.reason for each in corrupt],
    )


async def page(db: Database, media_id: UUID, frames: Frames, limit: int) -> list[Corrupt]:
    """The first so many of these frames that are damaged, in order."""
    rows = await db.fetch(
        """
        SELECT frame, reason
        FROM corrupt_frame
        WHERE media_id = $1 AND frame BETWEEN $2 AND $3
        ORDER BY frame
        LIMIT $4
        """,
        media_id,
        frames.first,
        frames.last,
        limit,
    )
    return [Corrupt(frame=row["frame"], reason=row["reason"]) for row in rows]
