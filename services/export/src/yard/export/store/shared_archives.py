"""SQL of archives that several exports share: one of them writes it, the others wait for it or came later."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from yard.runtime.db import Database, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The export that writes an archive or has written it; `result` is an ExportResult, serialised."""

    id: UUID
    expires_at: datetime
    result: bytes | None
    is_at_work: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """An export that waits for the archive of another; `request` is its CreateExportRequest, serialised."""

    id: UUID
    owner: str
    request: bytes


async def holder(tx: Transaction, digest: bytes) -> Holder | None:
    """Who has the archive of this digest; nobody else claims or finishes it before the transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0))", digest)
    row = await tx.fetchrow(
        """
        SELECT id, expires_at, result
        FROM export
        WHERE digest = $1
        FOR UPDATE
        """,
        digest,
    )
    if row is None:
        return None
    is_at_work = await tx.fetchval(
        "SELECT state IN ('QUEUED', 'RUNNING') FROM operation WHERE id = $1", row["id"]
    )
    return Holder(**dict(row), is_at_work=bool(is_at_work) and row["result"] is None)


async def claim(tx: Transaction, export_id: UUID, digest: bytes | None) -> None:
    """The export writes the archive of this digest; None: nobody shall wait for it or find it."""
    await tx.execute("UPDATE export SET digest = $2 WHERE id = $1", export_id, digest)


async def keep_result(tx: Transaction, export_id: UUID, result: bytes) -> None:
    """From now on the archive can be shared."""
    await tx.execute("UPDATE export SET result = $2 WHERE id = $1", export_id, result)


async def prolong(tx: Transaction, export_id: UUID, expires_at: datetime) -> None:
    """The export that has the archive stays at least as long as those that share it."""
    await tx.execute(
        "UPDATE export SET expires_at = greatest(expires_at, $2) WHERE id = $1", export_id, expires_at
    )


async def follow(tx: Transaction, export_id: UUID, leader: UUID, request: bytes) -> None:
    """The export waits for the archive of another."""
    await tx.execute("UPDATE export SET shares = $2, request = $3 WHERE id = $1", export_id, leader, request)


async def unfollow(tx: Transaction, export_id: UUID) -> None:
    """The export waits for nobody any more."""
    await tx.execute("UPDATE export SET shares = NULL, request = NULL WHERE id = $1", export_id)


async def followers(source: Database | Transaction, leader: UUID) -> list[Follower]:
    """The exports that wait for the archive of this one, the oldest first."""
    rows = await source.fetch(
        """
        SELECT export.id, export.owner, export.request
        FROM export
        JOIN operation ON operation.id = export.id
        WHERE export.shares = $1 AND export.blob_key IS NULL AND operation.state IN ('QUEUED', 'RUNNING')
        ORDER BY export.id
        """,
        leader,
    )
    return [Follower(**dict(row)) for row in rows]
