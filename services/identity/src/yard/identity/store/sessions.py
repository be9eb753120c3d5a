"""Tables session and refresh_token."""

from datetime import datetime
from uuid import UUID

from yard.identity.domain import Session
from yard.runtime.db import Transaction


async def insert(tx: Transaction, session_id: UUID, user_id: int, expires_at: datetime) -> None:
    """Opens a session."""
    await tx.execute(
        "INSERT INTO session (id, user_id, expires_at) VALUES ($1, $2, $3)", session_id, user_id, expires_at
    )


async def add_token(tx: Transaction, session_id: UUID, sha256: bytes) -> None:
    """Gives a session a refresh token."""
    await tx.execute("INSERT INTO refresh_token (sha256, session_id) VALUES ($1, $2)", sha256, session_id)


async def lock(tx: Transaction, sha256: bytes) -> Session | None:
    """The session of a refresh token, used or not; two requests with one token come one after the other."""
    row = await tx.fetchrow(
        """
        SELECT session.id, session.user_id, refresh_token.is_used, session.expires_at
        FROM refresh_token
        JOIN session ON session.id = refresh_token.session_id
        WHERE refresh_token.sha256 = $1
        FOR UPDATE
        """,
        sha256,
    )
    if row is None:
        return None
    return Session(id=row["id"], user_id=row["user_id"], is_used=row["is_used"], expires_at=row["expires_at"])


async def rotate(tx: Transaction, session_id: UUID, used: bytes, fresh: bytes, expires_at: datetime) -> None:
    """Replaces the refresh token, and moves the end of the session."""
    await tx.execute("UPDATE refresh_token SET is_used = true WHERE sha256 = $1", used)
    await add_token(tx, session_id, fresh)
    await tx.execute("UPDATE session SET expires_at = $2 WHERE id = $1", session_id, expires_at)


async def delete(tx: Transaction, session_id: UUID) -> None:
    """Ends a session."""
    await tx.execute("DELETE FROM session WHERE id = $1", session_id)


async def delete_of_user(tx: Transaction, user_id: int, *, spare: UUID | None = None) -> None:
    """Ends all sessions of a user but one."""
    await tx.execute(
        "DELETE FROM session WHERE user_id = $1 AND id IS DISTINCT FROM $2::uuid", user_id, spare
    )


async def purge(tx: Transaction, now: datetime) -> None:
    """Forgets the sessions that have ended by themselves."""
    await tx.execute("DELETE FROM session WHERE expires_at <= $1", now)
