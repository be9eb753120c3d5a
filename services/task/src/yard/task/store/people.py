"""Table person: a copy of what identity tells."""

from collections.abc import Collection

from yard.runtime.db import Transaction
from yard.task.domain.requests import name_key
from yard.task.domain.rows import Person
from yard.task.store import Reader

# Wakes whoever waits for somebody to be told.
TOLD = "person"


async def people_of(reader: Reader, ids: Collection[int]) -> dict[int, Person]:
    """Those that are known, by id."""
    rows = await reader.fetch(
        """
        SELECT id, username, is_active, role
        FROM person
        WHERE id = ANY($1::bigint[])
        """,
        list(ids),
    )
    return {row["id"]: Person(**dict(row)) for row in rows}


async def ids_named(reader: Reader, keys: Collection[str]) -> dict[str, list[int]]:
    """Who has these names, by the keys of the names."""
    rows = await reader.fetch(
        "SELECT username_key, id FROM person WHERE username_key = ANY($1::text[])", list(keys)
    )
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row["username_key"], []).append(row["id"])
    return found


async def put(tx: Transaction, person: Person) -> None:
    """Somebody as identity tells, new or changed."""
    await tx.execute(
        """
        INSERT INTO person (id, username, username_key, is_active, role)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO UPDATE
        SET username = excluded.username,
            username_key = excluded.username_key,
            is_active = excluded.is_active,
            role = excluded.role
        """,
        person.id,
        person.username,
        name_key(person.username),
        person.is_active,
        person.role,
    )
    tx.wake(TOLD)


async def note(tx: Transaction, user_id: int, username: str) -> None:
    """Somebody who calls us and whom identity has not told of yet."""
    await tx.execute(
        """
        INSERT INTO person (id, username, username_key)
        VALUES ($1, $2, $3)
        ON CONFLICT (id) DO NOTHING
        """,
        user_id,
        username,
        name_key(username),
    )


async def deactivate(tx: Transaction, user_id: int) -> None:
    """Nothing can be assigned to them any more."""
    await tx.execute("UPDATE person SET is_active = false WHERE id = $1", user_id)
