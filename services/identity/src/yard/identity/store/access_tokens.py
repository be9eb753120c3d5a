"""Table access_token: personal access tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from yard.identity.domain import PersonalToken, User
from yard.identity.store import Reader, users
from yard.runtime.db import Database, Record, Transaction

_COLUMNS = "id, name, read_only, created_at, updated_at, expires_at, used_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A presented token, and whom it stands for."""

    user: User
    token: PersonalToken


async def count(tx: Transaction, user_id: int) -> int:
    """Tokens of a user, ended ones too."""
    found: int = await tx.fetchval("SELECT count(*) FROM access_token WHERE user_id = $1", user_id)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """What is stored of a token when it is made."""

    name: str
    sha256: bytes
    expires_at: datetime | None
    read_only: bool


async def insert(tx: Transaction, user_id: int, new: NewToken) -> PersonalToken:
    """Adds a token."""
    row = await tx.fetchrow(
        f"""
        INSERT INTO access_token (user_id, name, sha256, expires_at, read_only)
        VALUES ($1, $2, $3, $4, $5)
        RETURNING {_COLUMNS}
        """,  # noqa: S608 - constant
        user_id,
        new.name,
        new.sha256,
        new.expires_at,
        new.read_only,
    )
    assert row is not None
    return _from_row(row)


async def find(reader: Reader, user_id: int, token_id: int) -> PersonalToken | None:
    """A token of this user."""
    row = await reader.fetchrow(
        f"SELECT {_COLUMNS} FROM access_token WHERE id = $1 AND user_id = $2",  # noqa: S608 - constant
        token_id,
        user_id,
    )
    return None if row is None else _from_row(row)


async def update(
    db: Database, user_id: int, token_id: int, changes: Mapping[str, Any], now: datetime
) -> PersonalToken | None:
    """Sets name or end of a token of this user; None if there is none."""
    row = await db.fetchrow(
        f"""
        UPDATE access_token
        SET name = CASE WHEN $3 THEN $4 ELSE name END,
            expires_at = CASE WHEN $5 THEN $6 ELSE expires_at END,
            updated_at = $7
        WHERE id = $1 AND user_id = $2
        RETURNING {_COLUMNS}
        """,  # noqa: S608 - constant
        token_id,
        user_id,
        "name" in changes,
        changes.get("name"),
        "expire_time" in changes,
        changes.get("expire_time"),
        now,
    )
    return None if row is None else _from_row(row)


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
            holder.is_active, holder.created_at,
            token.id AS token_id, token.name, token.read_only, token.created_at AS token_created_at,
            token.updated_at, token.expires_at, token.used_at
        """,
        sha256,
        now,
    )
    if row is None:
        return None
    token = PersonalToken(
        id=row["token_id"],
        name=row["name"],
        read_only=row["read_only"],
        created_at=row["token_created_at"],
        updated_at=row["updated_at"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
    )
    return Exchange(user=users.from_row(row), token=token)


def _from_row(row: Record) -> PersonalToken:
    return PersonalToken(**dict(row))
