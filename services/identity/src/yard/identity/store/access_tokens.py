"""Table access_token: personal access tokens."""

from dataclasses import dataclass
from datetime import datetime

from yard.identity.domain import PersonalToken, User
from yard.identity.store import Reader, users
from yard.runtime.db import Database, Record, Transaction

_COLUMNS = "id, name, created_at, expires_at, used_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Whom a presented token stands for, and until when."""

    user: User
    expires_at: datetime | None


async def count(tx: Transaction, user_id: int) -> int:
    """Tokens of a user, ended ones too."""
    found: int = await tx.fetchval("SELECT count(*) FROM access_token WHERE user_id = $1", user_id)
    return found


async def insert(
    tx: Transaction, user_id: int, *, name: str, sha256: bytes, expires_at: datetime | None
) -> PersonalToken:
    """Adds a token."""
    row = await tx.fetchrow(
        f"""
        INSERT INTO access_token (user_id, name, sha256, expires_at)
        VALUES ($1, $2, $3, $4)
        RETURNING {_COLUMNS}
        """,  # noqa: S608 - constant
        user_id,
        name,
        sha256,
        expires_at,
    )
    assert row is not None
    return _from_row(row)


async def of_user(reader: Reader, user_id: int) -> list[PersonalToken]:
    """Tokens of a user, newest first."""
    rows = await reader.fetch(
        f"SELECT {_COLUMNS} FROM access_token WHERE user_id = $1 ORDER BY id DESC",  # noqa: S608 - constant
        user_id,
    )
    return [_from_row(row) for row in rows]


async def delete(db: Database, user_id: int, token_id: int) -> bool:
    """Removes a token of this user; False if there is none."""
    tag = await db.execute("DELETE FROM access_token WHERE id = $1 AND user_id = $2", token_id, user_id)
    return tag != "DELETE 0"


async def use(db: Database, sha256: bytes, now: datetime) -> Exchange | None:
    """Notes the use of a token that has not ended and whose user is active; None for any other."""
    row = await db.fetchrow(
        """
        UPDATE access_token AS token
        SET used_at = $2
        FROM app_user AS holder
        WHERE token.sha256 = $1
            AND (token.expires_at IS NULL OR token.expires_at > $2)
            AND holder.id = token.user_id
            AND holder.is_active
        RETURNING holder.id, holder.username, holder.first_name, holder.last_name, holder.email, holder.role,
            holder.is_active, holder.created_at, token.expires_at
        """,
        sha256,
        now,
    )
    return None if row is None else Exchange(user=users.from_row(row), expires_at=row["expires_at"])


def _from_row(row: Record) -> PersonalToken:
    return PersonalToken(
        id=row["id"],
        name=row["name"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
    )
