"""Table key_session: sessions that have one key for their whole life."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from yard.identity.domain import User
from yard.identity.store import Reader, users
from yard.runtime.db import Database, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySession:
    """A session that has not ended; `used_at` is its last noted use."""

    id: UUID
    user: User
    used_at: datetime


async def insert(
    tx: Transaction, session_id: UUID, user_id: int, sha256: bytes, *, now: datetime, expires_at: datetime
) -> None:
    """Opens a session."""
    await tx.execute(
        """
        INSERT INTO key_session (id, user_id, sha256, used_at, expires_at)
        VALUES ($1, $2, $3, $4, $5)
        """,
        session_id,
        user_id,
        sha256,
        now,
        expires_at,
    )


async def find(reader: Reader, sha256: bytes, now: datetime) -> KeySession | None:
    """The session of a key, if it has not ended and its user is active."""
    row = await reader.fetchrow(
        """
        SELECT holder.id, holder.username, holder.first_name, holder.last_name, holder.email, holder.role,
            holder.is_active, holder.created_at, session.id AS session_id, session.used_at
        FROM key_session AS session
        JOIN app_user AS holder ON holder.id = session.user_id
        WHERE session.sha256 = $1 AND session.expires_at > $2 AND holder.is_active
        """,
        sha256,
        now,
    )
    if row is None:
        return None
    return KeySession(id=row["session_id"], user=users.from_row(row), used_at=row["used_at"])


async def note_use(db: Database, session_id: UUID, now: datetime, expires_at: datetime) -> None:
    """Moves the end of a session, unless it was ended meanwhile."""
    await db.execute(
        "UPDATE key_session SET used_at = $2, expires_at = $3 WHERE id = $1 AND used_at < $2",
        session_id,
        now,
        expires_at,
    )


async def delete(db: Database, sha256: bytes) -> None:
    """Ends the session of a key, if there is one."""
    await db.execute("DELETE FROM key_session WHERE sha256 = $1", sha256)


async def delete_of_user(tx: Transaction, user_id: int, *, spare: UUID | None = None) -> None:
    """Ends all sessions of a user but one."""
    await tx.execute(
        "DELETE FROM key_session WHERE user_id = $1 AND id IS DISTINCT FROM $2::uuid", user_id, spare
    )


async def purge(tx: Transaction, now: datetime) -> None:
    """Forgets the sessions that have ended by themselves."""
    await tx.execute("DELETE FROM key_session WHERE expires_at <= $1", now)
