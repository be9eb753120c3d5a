"""Table person: a copy of what identity tells."""

from yard.repo_sync.domain.rows import Person
from yard.repo_sync.store import Reader
from yard.runtime.db import Transaction


async def put(tx: Transaction, person: Person) -> None:
    """Somebody as identity tells, new or changed."""
    await tx.execute(
        """
        INSERT INTO person (id, username, name, role, is_active)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO UPDATE
        SET username = excluded.username,
            name = excluded.name,
            role = excluded.role,
            is_active = excluded.is_active
        """,
        person.id,
        person.username,
        person.name,
        person.role,
        person.is_active,
    )


async def note(tx: Transaction, person: Person) -> None:
    """Somebody who calls us and whom identity has not told of yet."""
    await tx.execute(
        """
        INSERT INTO person (id, username, name, role, is_active)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO NOTHING
        """,
        person.id,
        person.username,
        person.name,
        person.role,
        person.is_active,
    )


async def deactivate(tx: Transaction, person_id: int) -> None:
    """Somebody who cannot log in any more."""
    await tx.execute("UPDATE person SET is_active = false WHERE id = $1", person_id)


async def person_of(reader: Reader, person_id: int) -> Person:
    """Somebody, without a name if nobody has told it."""
    row = await reader.fetchrow(
        "SELECT id, username, name, role, is_active FROM person WHERE id = $1", person_id
    )
    return Person(id=person_id, username="") if row is None else Person(**dict(row))
