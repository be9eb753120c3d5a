"""Table app_user."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yard.identity.domain import NewUser, User, email_key, search_key, search_keys, username_key
from yard.identity.store import Reader
from yard.runtime import errors
from yard.runtime.db import Record, Transaction, UniqueViolation

COLUMNS = "id, username, first_name, last_name, email, role, is_active, created_at"
_LOCK_FIRST_USER = 0x66757372


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An account with what proves it."""

    user: User
    password_hash: str


def from_row(row: Record) -> User:
    """An account from a row with COLUMNS, and perhaps others."""
    return User(
        id=row["id"],
        username=row["username"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        email=row["email"],
        role=row["role"],
        is_active=row["is_active"],
        created_at=row["created_at"],
    )


async def find(reader: Reader, user_id: int) -> User | None:
    """The account with this id."""
    row = await reader.fetchrow(f"SELECT {COLUMNS} FROM app_user WHERE id = $1", user_id)  # noqa: S608 - constant
    return None if row is None else from_row(row)


async def lock(tx: Transaction, user_id: int) -> User:
    """The account with this id, which stays as it is until the transaction ends; NotFound without one."""
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM app_user WHERE id = $1 FOR UPDATE",  # noqa: S608 - constant
        user_id,
    )
    if row is None:
        raise errors.NotFound("user", user_id)
    return from_row(row)


async def find_credentials(reader: Reader, username: str) -> Credentials | None:
    """The account with this name in any case, with its password hash."""
    row = await reader.fetchrow(
        f"SELECT {COLUMNS}, password_hash FROM app_user WHERE username_key = $1",  # noqa: S608 - constant
        username_key(username),
    )
    return None if row is None else Credentials(user=from_row(row), password_hash=row["password_hash"])


async def find_by_email(reader: Reader, email: str) -> Credentials | None:
    """The active account with this address in any case, if only one has it."""
    rows = await reader.fetch(
        f"""
        SELECT {COLUMNS}, password_hash
        FROM app_user
        WHERE email_key = $1 AND email_key <> '' AND is_active
        LIMIT 2
        """,  # noqa: S608 - constant
        email_key(email),
    )
    if len(rows) != 1:
        return None
    return Credentials(user=from_row(rows[0]), password_hash=rows[0]["password_hash"])


async def lock_credentials(tx: Transaction, user_id: int) -> Credentials | None:
    """The account with its password hash, which stay as they are until the transaction ends."""
    row = await tx.fetchrow(
        f"SELECT {COLUMNS}, password_hash FROM app_user WHERE id = $1 FOR UPDATE",  # noqa: S608 - constant
        user_id,
    )
    return None if row is None else Credentials(user=from_row(row), password_hash=row["password_hash"])


async def lock_admins(tx: Transaction) -> list[int]:
    """Ids of the active administrators, who stay so until the end of the transaction."""
    rows = await tx.fetch(
        """
        SELECT id
        FROM app_user
        WHERE role = 'admin' AND is_active
        ORDER BY id
        FOR UPDATE
        """
    )
    return [row["id"] for row in rows]


async def insert(tx: Transaction, user: NewUser, password_hash: str) -> User:
    """Adds an account; AlreadyExists if the name is taken in any case."""
    try:
        async with tx.savepoint():
            row = await tx.fetchrow(
                f"""
                INSERT INTO app_user
                    (username, username_key, first_name, last_name, email, role, password_hash,
                     email_key, plain_username_key, full_name_key, last_name_key)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                RETURNING {COLUMNS}
                """,  # noqa: S608 - constant
                user.username,
                username_key(user.username),
                user.first_name,
                user.last_name,
                user.email,
                user.role,
                password_hash,
                email_key(user.email),
                *search_keys(user.username, user.first_name, user.last_name),
            )
    except UniqueViolation:
        raise errors.AlreadyExists(
            f"there is a user named {user.username} already", metadata={"username": user.username}
        ) from None
    assert row is not None
    return from_row(row)


async def lock_first(tx: Transaction) -> bool:
    """True if there is no account; replicas that ask at the same time wait for each other."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_FIRST_USER)
    return not await tx.fetchval("SELECT EXISTS (SELECT FROM app_user)")


async def update(tx: Transaction, user_id: int, changes: Mapping[str, Any]) -> User:
    """Sets the given columns, whose names were checked against the fields that can be changed."""
    settings = ", ".join(f"{name} = ${number}" for number, name in enumerate(changes, start=2))
    row = await tx.fetchrow(
        f"UPDATE app_user SET {settings} WHERE id = $1 RETURNING {COLUMNS}",  # noqa: S608 - checked names
        user_id,
        *changes.values(),
    )
    assert row is not None
    user = from_row(row)
    if {"first_name", "last_name", "email"}.intersection(changes):
        await _put_keys(tx, user)
    return user


async def set_password(tx: Transaction, user_id: int, password_hash: str) -> None:
    """Replaces the password hash."""
    await tx.execute("UPDATE app_user SET password_hash = $2 WHERE id = $1", user_id, password_hash)


async def password_hash(reader: Reader, user_id: int) -> str:
    """The present password hash of an account that exists."""
    found: str = await reader.fetchval("SELECT password_hash FROM app_user WHERE id = $1", user_id)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Accounts of which a name begins with `search`, and of exactly this name if it is not empty."""

    search: str = ""
    is_active: bool | None = None
    username: str = ""

    @property
    def condition(self) -> str:
        """On the first four `arguments`."""
        begins = _BEGINS if search_key(self.search) else _ANY
        named = "username_key = $4" if self.username else "$4::text IS NOT NULL"
        return f"{begins} AND ($3::boolean IS NULL OR is_active = $3) AND {named}"

    @property
    def arguments(self) -> tuple[object, ...]:
        """Of the condition."""
        first = search_key(self.search)
        return first, first + _LAST_CHARACTER, self.is_active, username_key(self.username)


async def page(
    reader: Reader, selection: Selection, *, after: str | None, skip: int, limit: int
) -> list[User]:
    """Selected accounts by name, after the given key, without the first `skip` of them."""
    rows = await reader.fetch(
        f"""
        SELECT {COLUMNS}
        FROM app_user
        WHERE {selection.condition} AND ($5::text IS NULL OR username_key > $5)
        ORDER BY username_key
        LIMIT $6
        OFFSET $7
        """,  # noqa: S608 - constants
        *selection.arguments,
        after,
        limit,
        skip,
    )
    return [from_row(row) for row in rows]


async def count(reader: Reader, selection: Selection) -> int:
    """Selected accounts."""
    condition = selection.condition
    return int(
        await reader.fetchval(
            f"SELECT count(*) FROM app_user WHERE {condition}",  # noqa: S608 - constants
            *selection.arguments,
        )
    )


# Ranges, which are found in the indexes also by a plan that is made before the search is known.
_LAST_CHARACTER = "\U0010ffff"
_BEGINS = """(
    plain_username_key >= $1 AND plain_username_key < $2
    OR full_name_key <> '' AND full_name_key >= $1 AND full_name_key < $2
    OR last_name_key <> '' AND last_name_key >= $1 AND last_name_key < $2
)"""
_ANY = "$1::text <= $2::text"


async def _put_keys(tx: Transaction, user: User) -> None:
    await tx.execute(
        """
        UPDATE app_user
        SET email_key = $2, plain_username_key = $3, full_name_key = $4, last_name_key = $5
        WHERE id = $1
        """,
        user.id,
        email_key(user.email),
        *search_keys(user.username, user.first_name, user.last_name),
    )
