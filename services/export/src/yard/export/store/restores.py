"""SQL of restores, and of imports of data sets: who asked for them, and what they have made."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from yard.runtime.db import Database, Transaction

PartKind = Literal["labels", "project", "task", "upload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """A restore by the id of its operation."""

    id: UUID
    user_id: int
    username: str
    upload_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something that is made, by the request that makes it; `made` is its id once that is known."""

    kind: PartKind
    number: int
    request: bytes
    made: str | None


async def insert_restore(tx: Transaction, restore: Restore) -> None:
    """Keeps what was asked for."""
    await tx.execute(
        """
        INSERT INTO restore (id, user_id, username, upload_id, expires_at)
        VALUES ($1, $2, $3, $4, $5)
        """,
        restore.id,
        restore.user_id,
        restore.username,
        restore.upload_id,
        restore.expires_at,
    )


async def restore_of(source: Database | Transaction, restore_id: UUID) -> Restore | None:
    """The restore with this operation."""
    row = await source.fetchrow(
        """
        SELECT id, user_id, username, upload_id, expires_at
        FROM restore
        WHERE id = $1
        """,
        restore_id,
    )
    return None if row is None else Restore(**dict(row))


async def delete_restores(db: Database, now: datetime) -> None:
    """Forgets restores that are long over."""
    await db.execute("DELETE FROM restore WHERE expires_at <= $1", now)


async def begin_part(tx: Transaction, restore_id: UUID, kind: PartKind, number: int, request: bytes) -> None:
    """Notes what is about to be made."""
    await tx.execute(
        """
        INSERT INTO restored_part (restore_id, kind, number, request)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (restore_id, kind, number) DO NOTHING
        """,
        restore_id,
        kind,
        number,
        request,
    )


async def note_part(tx: Transaction, restore_id: UUID, kind: PartKind, number: int, made: str) -> None:
    """It is made."""
    await tx.execute(
        """
        UPDATE restored_part
        SET made = $4
        WHERE restore_id = $1 AND kind = $2 AND number = $3
        """,
        restore_id,
        kind,
        number,
        made,
    )


async def parts_of(db: Database, restore_id: UUID) -> list[Part]:
    """What was made or may have been: a project before tasks, tasks before uploads."""
    rows = await db.fetch(
        """
        SELECT kind, number, request, made
        FROM restored_part
        WHERE restore_id = $1
        ORDER BY kind, number
        """,
        restore_id,
    )
    return [Part(**dict(row)) for row in rows]
