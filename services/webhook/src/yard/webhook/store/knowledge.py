"""What events have told: people, sides of projects, places of tasks, and values as they were seen last."""

from collections.abc import Iterable, Mapping
from typing import Any

from yard.runtime.db import Transaction
from yard.webhook.domain import Person
from yard.webhook.store import Reader


async def put_person(tx: Transaction, person: Person) -> None:
    """Somebody as identity tells, new or changed."""
    await tx.execute(
        """
        INSERT INTO person (id, username)
        VALUES ($1, $2)
        ON CONFLICT (id) DO UPDATE SET username = excluded.username
        """,
        person.id,
        person.username,
    )


async def note_person(tx: Transaction, person: Person) -> None:
    """Somebody who calls us and whom identity has not told of yet."""
    await tx.execute(
        "INSERT INTO person (id, username) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        person.id,
        person.username,
    )


async def person_of(reader: Reader, person_id: int) -> Person:
    """Somebody, without a name if nobody has told it."""
    name = await reader.fetchval("SELECT username FROM person WHERE id = $1", person_id)
    return Person(id=person_id, username=name or "")


async def put_side(tx: Transaction, project_id: int, *, owner_id: int, assignee_id: int) -> None:
    """Who answers for a project that has webhooks."""
    await tx.execute(
        """
        INSERT INTO project_side (project_id, owner_id, assignee_id)
        VALUES ($1, $2, $3)
        ON CONFLICT (project_id) DO UPDATE
        SET owner_id = excluded.owner_id, assignee_id = excluded.assignee_id
        """,
        project_id,
        owner_id,
        assignee_id,
    )


async def has_side(reader: Reader, project_id: int) -> bool:
    """Whether the project has, or had, webhooks."""
    return bool(await reader.fetchval("SELECT true FROM project_side WHERE project_id = $1", project_id))


async def project_of(tx: Transaction, task_id: int) -> int:
    """The project that a task is in; 0 if it is in none, or nobody has told."""
    found: int | None = await tx.fetchval("SELECT project_id FROM task_place WHERE task_id = $1", task_id)
    return found or 0


async def is_placed(reader: Reader, task_id: int) -> bool:
    """Whether somebody has told where the task is."""
    return bool(await reader.fetchval("SELECT true FROM task_place WHERE task_id = $1", task_id))


async def place_task(tx: Transaction, task_id: int, project_id: int) -> None:
    """Where an event says that a task is."""
    await tx.execute(
        """
        INSERT INTO task_place (task_id, project_id)
        VALUES ($1, $2)
        ON CONFLICT (task_id) DO UPDATE SET project_id = excluded.project_id
        """,
        task_id,
        project_id,
    )


async def learn_places(tx: Transaction, places: Iterable[tuple[int, int]]) -> None:
    """Where tasks are by a list that was read; what events have told is newer and stays."""
    await tx.executemany(
        "INSERT INTO task_place (task_id, project_id) VALUES ($1, $2) ON CONFLICT (task_id) DO NOTHING",
        places,
    )


async def see(
    tx: Transaction, kind: str, object_id: int, task_id: int, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Keeps values, and returns those that the object had before, as far as they were seen."""
    before = await tx.fetchval(
        "SELECT fields FROM last_seen WHERE kind = $1 AND id = $2 FOR UPDATE", kind, object_id
    )
    await tx.execute(
        """
        INSERT INTO last_seen (kind, id, task_id, fields)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (kind, id) DO UPDATE SET fields = last_seen.fields || excluded.fields
        """,
        kind,
        object_id,
        task_id,
        dict(fields),
    )
    return before or {}


async def see_first(tx: Transaction, kind: str, rows: Iterable[tuple[int, int, Mapping[str, Any]]]) -> None:
    """Values (id, task id, fields) of objects of which no event has told any."""
    await tx.executemany(
        """
        INSERT INTO last_seen (kind, id, task_id, fields)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (kind, id) DO NOTHING
        """,
        [(kind, id_, task_id, dict(fields)) for id_, task_id, fields in rows],
    )


async def forget_task(tx: Transaction, task_id: int) -> None:
    """Of a task that is gone for good."""
    await tx.execute("DELETE FROM task_place WHERE task_id = $1", task_id)
    await tx.execute("DELETE FROM last_seen WHERE task_id = $1", task_id)
