"""Table delivery: the log of what was sent and is to be sent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from yard.runtime import ids
from yard.runtime.db import Database, Record, Transaction
from yard.webhook.domain import Delivery
from yard.webhook.store import Reader

# Wakes whoever delivers.
DUE: Final = "delivery_due"

_COLUMNS: Final = """
    id, hook_id, event, state, attempts, last_status, last_answer, created_at, last_attempt_at,
    next_attempt_at, redelivery_of
"""


async def insert_facts(
    tx: Transaction,
    hook_ids: Sequence[int],
    *,
    event: str,
    event_id: UUID,
    fact: dict[str, Any],
    now: datetime,
) -> None:
    """One delivery a webhook, due at once; never two of one event."""
    await tx.executemany(
        """
        INSERT INTO delivery (id, hook_id, event, event_id, fact, state, created_at, next_attempt_at)
        VALUES ($1, $2, $3, $4, $5, 'pending', $6, $6)
        ON CONFLICT (hook_id, event_id, event) DO NOTHING
        """,
        [(ids.uuid7(), hook_id, event, event_id, fact, now) for hook_id in hook_ids],
    )
    tx.wake(DUE)


async def insert_body(
    tx: Transaction, *, hook_id: int, event: str, body: str, now: datetime, redelivery_of: UUID | None = None
) -> UUID:
    """A delivery of a body that is there already, due at once."""
    new = ids.uuid7()
    await tx.execute(
        """
        INSERT INTO delivery (id, hook_id, event, body, state, created_at, next_attempt_at, redelivery_of)
        VALUES ($1, $2, $3, $4, 'pending', $5, $5, $6)
        """,
        new,
        hook_id,
        event,
        body,
        now,
        redelivery_of,
    )
    tx.wake(DUE)
    return new


async def delivery_of(reader: Reader, hook_id: int, delivery_id: UUID) -> Delivery | None:
    """A delivery of the webhook, with its body."""
    row = await reader.fetchrow(
        f"SELECT {_COLUMNS}, body FROM delivery WHERE hook_id = $1 AND id = $2",  # noqa: S608 - a literal
        hook_id,
        delivery_id,
    )
    return None if row is None else Delivery(**dict(row))


async def fact_of(reader: Reader, delivery_id: UUID) -> dict[str, Any] | None:
    """What its event has told, if its body is still to be made."""
    found: dict[str, Any] | None = await reader.fetchval(
        "SELECT fact FROM delivery WHERE id = $1", delivery_id
    )
    return found


async def page(reader: Reader, hook_id: int, *, before: UUID | None, skip: int, limit: int) -> list[Delivery]:
    """Newest first, without bodies."""
    rows = await reader.fetch(
        f"""
        SELECT {_COLUMNS}, NULL AS body
        FROM delivery
        WHERE hook_id = $1 AND ($2::uuid IS NULL OR id < $2)
        ORDER BY id DESC
        OFFSET $3 LIMIT $4
        """,  # noqa: S608 - only the literal above comes in
        hook_id,
        before,
        skip,
        limit,
    )
    return [Delivery(**dict(row)) for row in rows]


async def count(reader: Reader, hook_id: int) -> int:
    """All of a webhook."""
    found: int = await reader.fetchval("SELECT count(*) FROM delivery WHERE hook_id = $1", hook_id)
    return found


async def keep_body(reader: Reader, delivery_id: UUID, body: str) -> str:
    """The body that is sent in all tries: the first that was made for it."""
    kept: str = await reader.fetchval(
        "UPDATE delivery SET body = coalesce(body, $2), fact = NULL WHERE id = $1 RETURNING body",
        delivery_id,
        body,
    )
    return kept


async def delete_older(db: Database, before: datetime, limit: int) -> int:
    """Some that are older, whatever became of them; returns how many."""
    return _count(
        await db.execute(
            """
            DELETE FROM delivery
            WHERE id = ANY (ARRAY(SELECT id FROM delivery WHERE created_at < $1 ORDER BY created_at LIMIT $2))
            """,
            before,
            limit,
        )
    )


async def delete_of(db: Database, hook_id: int, limit: int) -> int:
    """Some of a webhook; returns how many."""
    return _count(
        await db.execute(
            """
            DELETE FROM delivery
            WHERE id = ANY (ARRAY(SELECT id FROM delivery WHERE hook_id = $1 LIMIT $2))
            """,
            hook_id,
            limit,
        )
    )


def delivery_from(row: Record) -> Delivery:
    """A delivery out of a row that holds more."""
    names = Delivery.__dataclass_fields__
    return Delivery(**{name: row[name] for name in names})


def _count(tag: str) -> int:
    return int(tag.rpartition(" ")[2])
