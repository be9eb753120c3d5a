"""Media: rows of `media`, the uploads that they need, and where their frames lie in the plan."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from frameyard.media.v1 import media_pb2
from yard.runtime.db import Database, Record, Transaction

_COLUMNS = "id, task_id, user_id, state, spec, seed, operation, operation_id, summary, created_at"
_FIND = f"SELECT {_COLUMNS} FROM media WHERE id = $1"  # noqa: S608 - literals only
_OF_TASK = f"""
SELECT {_COLUMNS}
FROM media
WHERE task_id = $1 AND state <> 'DELETED'
ORDER BY id
FOR UPDATE
"""  # noqa: S608 - literals only


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRow:
    """Media as it was asked for, and what has come of it."""

    id: UUID
    task_id: int
    user_id: int
    state: str
    spec: media_pb2.DataSpec
    seed: int
    operation: str
    operation_id: UUID
    summary: media_pb2.Media
    created_at: datetime

    @classmethod
    def from_row(cls, row: Record) -> Self:
        """A row of _COLUMNS."""
        values = dict(row)
        values["spec"] = media_pb2.DataSpec.FromString(values["spec"])
        values["summary"] = media_pb2.Media.FromString(values["summary"])
        return cls(**values)

    @property
    def owner(self) -> str:
        """The owner of the uploads that it may use."""
        return str(self.user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameBlock:
    """`frames` relative frames from `first` on lie in a range of the plan."""

    first: int
    frames: int
    offset: int
    length: int


async def insert_media(tx: Transaction, media: MediaRow) -> bool:
    """New media; False if it is there already."""
    tag = await tx.execute(
        """
        INSERT INTO media (id, task_id, user_id, spec, seed, operation, operation_id, summary, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (id) DO NOTHING
        """,
        media.id,
        media.task_id,
        media.user_id,
        media.spec.SerializeToString(),
        media.seed,
        media.operation,
        media.operation_id,
        media.summary.SerializeToString(),
        media.created_at,
    )
    return tag == "INSERT 0 1"


async def media_of(source: Database | Transaction, media_id: UUID, *, lock: bool = False) -> MediaRow | None:
    """The media, in any state."""
    row = await source.fetchrow(f"{_FIND} FOR UPDATE" if lock else _FIND, media_id)
    return None if row is None else MediaRow.from_row(row)


async def media_of_task(tx: Transaction, task_id: int) -> list[MediaRow]:
    """All media that a task has asked for, locked."""
    return [MediaRow.from_row(row) for row in await tx.fetch(_OF_TASK, task_id)]


async def set_state(tx: Transaction, media: MediaRow, state: str) -> None:
    """Changes the state, in the summary too where it has a name there."""
    name = f"MEDIA_STATE_{state}"
    if name in media_pb2.MediaState.keys():  # noqa: SIM118 - an enum wrapper, not a dict
        media.summary.state = media_pb2.MediaState.Value(name)
    await tx.execute(
        """
        UPDATE media
        SET state = $2, summary = $3
        WHERE id = $1
        """,
        media.id,
        state,
        media.summary.SerializeToString(),
    )


async def insert_blocks(tx: Transaction, media_id: UUID, blocks: Iterable[FrameBlock]) -> None:
    """Where the frames of images lie in the plan."""
    records = [(media_id, block.first, block.frames, block.offset, block.length) for block in blocks]
    await tx.copy_records(
        "frame_block", records, ("media_id", "first", "frames", "offset_bytes", "size_bytes")
    )


async def block_of(db: Database, media_id: UUID, frame: int) -> FrameBlock | None:
    """The block that holds a relative frame."""
    row = await db.fetchrow(
        """
        SELECT first, frames, offset_bytes AS offset, size_bytes AS length
        FROM frame_block
        WHERE media_id = $1 AND first <= $2
        ORDER BY first DESC
        LIMIT 1
        """,
        media_id,
        frame,
    )
    return None if row is None else FrameBlock(**dict(row))


async def note_use(tx: Transaction, media_id: UUID, upload_id: UUID) -> None:
    """Media needs an upload."""
    await tx.execute(
        """
        INSERT INTO media_upload (media_id, upload_id)
        VALUES ($1, $2)
        """,
        media_id,
        upload_id,
    )


async def used_uploads(source: Database | Transaction, media_id: UUID) -> set[UUID]:
    """The uploads that it holds."""
    rows = await source.fetch("SELECT upload_id FROM media_upload WHERE media_id = $1", media_id)
    return {row["upload_id"] for row in rows}


async def used_bytes(tx: Transaction, media_id: UUID) -> int:
    """Declared bytes of these uploads."""
    total = await tx.fetchval(
        """
        SELECT coalesce(sum(total_bytes), 0)::bigint
        FROM upload
        JOIN media_upload ON media_upload.upload_id = upload.id
        WHERE media_id = $1
        """,
        media_id,
    )
    return int(total)


async def delete_media(tx: Transaction, media_id: UUID) -> None:
    """Forgets media whose objects are gone; media that failed or was cancelled stays to be told of."""
    await tx.execute("DELETE FROM media WHERE id = $1 AND state = 'DELETED'", media_id)
