"""Table hook."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from yard.runtime.db import Database, Record, Transaction
from yard.webhook.domain import Hook, Person
from yard.webhook.store import Reader

# Clocks of services may differ by so much.
_SKEW: Final = timedelta(seconds=60)

_COLUMNS: Final = """
    hook.id, url, description, hook.project_id, events, secret, verify_tls, is_active, hook.owner_id,
    created_at, updated_at, last_status, last_attempt_at, coalesce(person.username, '') AS owner_name
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which webhooks; `user_id` None: those of everybody, else those that the user answers for."""

    user_id: int | None
    project_id: int
    before: int | None = None
    skip: int = 0
    limit: int = 0


async def new_id(tx: Transaction) -> int:
    """An id that no webhook has or will have."""
    found: int = await tx.fetchval("SELECT nextval(pg_get_serial_sequence('hook', 'id'))")
    return found


async def insert(tx: Transaction, hook: Hook, host: str) -> None:
    """Keeps a new webhook."""
    await tx.execute(
        """
        INSERT INTO hook (
            id, url, host, description, project_id, events, secret, verify_tls, is_active, owner_id,
            created_at, updated_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        hook.id,
        hook.url,
        host,
        hook.description,
        hook.project_id,
        list(hook.events),
        hook.secret,
        hook.verify_tls,
        hook.is_active,
        hook.owner.id,
        hook.created_at,
        hook.updated_at,
    )


async def hook_of(reader: Reader, hook_id: int) -> Hook | None:
    """A webhook that is not deleted."""
    row = await reader.fetchrow(
        f"""
        SELECT {_COLUMNS}
        FROM hook LEFT JOIN person ON person.id = hook.owner_id
        WHERE hook.id = $1 AND deleted_at IS NULL
        """,  # noqa: S608 - only the literal above comes in
        hook_id,
    )
    return None if row is None else _hook(row)


async def lock(tx: Transaction, hook_id: int) -> None:
    """Others that change the webhook wait."""
    await tx.execute("SELECT FROM hook WHERE id = $1 FOR UPDATE", hook_id)


async def page(reader: Reader, search: Search) -> list[Hook]:
    """Newest first."""
    rows = await reader.fetch(
        f"""
        SELECT {_COLUMNS}
        FROM hook LEFT JOIN person ON person.id = hook.owner_id
        WHERE {_SELECTED} AND ($3::bigint IS NULL OR hook.id < $3)
        ORDER BY hook.id DESC
        OFFSET $4 LIMIT $5
        """,  # noqa: S608 - only literals of this file come in
        search.user_id,
        search.project_id,
        search.before,
        search.skip,
        search.limit,
    )
    return [_hook(row) for row in rows]


async def count(reader: Reader, search: Search) -> int:
    """All that are selected."""
    found: int = await reader.fetchval(
        f"SELECT count(*) FROM hook WHERE {_SELECTED}",  # noqa: S608 - only the literal below comes in
        search.user_id,
        search.project_id,
    )
    return found


async def update(tx: Transaction, hook_id: int, changes: Mapping[str, Any], now: datetime) -> None:
    """Sets the named columns."""
    names = sorted(changes)
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, 3))
    await tx.execute(
        f"UPDATE hook SET updated_at = $2, {sets} WHERE id = $1",  # noqa: S608 - names of our own columns
        hook_id,
        now,
        *(changes[name] for name in names),
    )


async def hide(tx: Transaction, hook_id: int, now: datetime) -> None:
    """Takes it away; its rows go later."""
    await tx.execute("UPDATE hook SET deleted_at = $2, secret = NULL WHERE id = $1", hook_id, now)


async def hidden(db: Database, limit: int) -> list[int]:
    """Webhooks that are deleted and still have rows."""
    rows = await db.fetch("SELECT id FROM hook WHERE deleted_at IS NOT NULL ORDER BY id LIMIT $1", limit)
    return [row["id"] for row in rows]


async def forget(db: Database, hook_id: int) -> None:
    """Removes the row of a deleted webhook."""
    await db.execute("DELETE FROM hook WHERE id = $1 AND deleted_at IS NOT NULL", hook_id)


async def wanting(tx: Transaction, project_ids: Collection[int], event: str, moment: datetime) -> list[int]:
    """Active webhooks of the projects that have chosen the event and are not younger than it."""
    rows = await tx.fetch(
        """
        SELECT id
        FROM hook
        WHERE project_id = ANY ($1::bigint[]) AND is_active AND deleted_at IS NULL AND $2 = ANY (events)
            AND created_at < $3
        """,
        list(project_ids),
        event,
        moment + _SKEW,
    )
    return [row["id"] for row in rows]


async def note_attempt(
    tx: Transaction, hook_id: int, *, status: int, is_failing: bool, now: datetime
) -> None:
    """What the last delivery was answered with."""
    await tx.execute(
        "UPDATE hook SET last_status = $2, is_failing = $3, last_attempt_at = $4 WHERE id = $1",
        hook_id,
        status,
        is_failing,
        now,
    )


# Of a person: their own ones, and those of projects that they own or are the assignee of.
_SELECTED: Final = """
    deleted_at IS NULL
    AND ($2::bigint = 0 OR hook.project_id = $2)
    AND (
        $1::bigint IS NULL
        OR hook.owner_id = $1
        OR EXISTS (
            SELECT
            FROM project_side AS side
            WHERE side.project_id = hook.project_id AND $1 IN (side.owner_id, side.assignee_id)
        )
    )
"""


def _hook(row: Record) -> Hook:
    values = dict(row)
    name = values.pop("owner_name")
    owner = Person(id=values.pop("owner_id"), username=name)
    return Hook(**{**values, "events": tuple(values["events"]), "owner": owner})
