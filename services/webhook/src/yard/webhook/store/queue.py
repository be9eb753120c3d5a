"""Deliveries as a queue: taken under a lease, fairly, and put down with what came of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from yard.runtime.db import Database, Transaction
from yard.webhook.domain import Delivery, Outcome
from yard.webhook.store.deliveries import delivery_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that is ours until its lease ends, and where it goes."""

    delivery: Delivery
    epoch: int
    url: str
    secret: bytes | None = field(repr=False)
    verify_tls: bool
    is_failing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many may be taken: in all, for failing webhooks, and for one host in the whole fleet."""

    free: int
    free_for_failing: int
    for_host: int


async def claim(tx: Transaction, room: Room, *, now: datetime, until: datetime) -> list[Claimed]:
    """Takes what is due; one replica at a time looks, so that limits of hosts hold for all of them.

    Webhooks are served in turn, however much waits for each. One that has failed last gets one delivery at
    a time, and so do all such of one host together.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/claim', 0))")
    rows = await tx.fetch(_CLAIM, now, until, room.free, room.free_for_failing, room.for_host)
    return [
        Claimed(
            delivery=delivery_from(row),
            epoch=row["epoch"],
            url=row["url"],
            secret=row["secret"],
            verify_tls=row["verify_tls"],
            is_failing=row["is_failing"],
        )
        for row in rows
    ]


async def claim_one(tx: Transaction, delivery_id: UUID, *, until: datetime) -> int:
    """Takes a delivery that was made a moment ago in the same transaction; returns its epoch."""
    epoch: int = await tx.fetchval(
        "UPDATE delivery SET leased_until = $2, epoch = epoch + 1 WHERE id = $1 RETURNING epoch",
        delivery_id,
        until,
    )
    return epoch


async def settle(
    tx: Transaction,
    delivery: Delivery,
    epoch: int,
    outcome: Outcome,
    *,
    now: datetime,
    again_at: datetime | None,
) -> bool:
    """Notes a try; False if the lease was lost meanwhile, or the delivery is gone."""
    state = "delivered" if outcome.is_delivered else "pending" if again_at else "failed"
    found = await tx.fetchval(
        """
        UPDATE delivery
        SET state = $3, attempts = attempts + 1, last_status = $4, last_answer = $5, last_attempt_at = $6,
            next_attempt_at = $7, leased_until = NULL
        WHERE id = $1 AND epoch = $2 AND state = 'pending'
        RETURNING true
        """,
        delivery.id,
        epoch,
        state,
        outcome.status,
        outcome.answer,
        now,
        again_at,
    )
    return bool(found)


async def put_back(db: Database, delivery_id: UUID, epoch: int, due_at: datetime) -> None:
    """Gives up the lease without a try."""
    await db.execute(
        """
        UPDATE delivery
        SET leased_until = NULL, next_attempt_at = $3
        WHERE id = $1 AND epoch = $2 AND state = 'pending'
        """,
        delivery_id,
        epoch,
        due_at,
    )


# The webhooks that wait are found by jumping through the index from one to the next: what it costs grows with
# their number, not with that of their deliveries.
_CLAIM: Final = """
WITH RECURSIVE waiting (hook_id) AS (
    (SELECT hook_id FROM delivery WHERE state = 'pending' ORDER BY hook_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT delivery.hook_id
        FROM delivery
        WHERE state = 'pending' AND delivery.hook_id > waiting.hook_id
        ORDER BY delivery.hook_id
        LIMIT 1
    )
    FROM waiting
    WHERE waiting.hook_id IS NOT NULL
),
busy AS (
    SELECT hook.host, hook.is_failing, count(*) AS number
    FROM delivery JOIN hook ON hook.id = delivery.hook_id
    WHERE delivery.leased_until > $1
    GROUP BY hook.host, hook.is_failing
),
due AS (
    SELECT hook.host, hook.is_failing, own.id, own.next_attempt_at,
        row_number() OVER (PARTITION BY hook.id ORDER BY own.next_attempt_at, own.id) AS turn
    FROM waiting
    JOIN hook ON hook.id = waiting.hook_id AND hook.is_active AND hook.deleted_at IS NULL
    CROSS JOIN LATERAL (
        SELECT delivery.id, delivery.next_attempt_at
        FROM delivery
        WHERE delivery.hook_id = hook.id
            AND state = 'pending'
            AND next_attempt_at <= $1
            AND (leased_until IS NULL OR leased_until <= $1)
        ORDER BY next_attempt_at
        LIMIT $5::bigint
    ) AS own
),
ranked AS (
    SELECT due.*,
        row_number() OVER (PARTITION BY host, is_failing ORDER BY turn, next_attempt_at, id) AS place
    FROM due
),
allowed AS (
    SELECT ranked.*,
        row_number() OVER (PARTITION BY is_failing ORDER BY place, next_attempt_at, id) AS number
    FROM ranked
    LEFT JOIN busy USING (host, is_failing)
    WHERE place + coalesce(busy.number, 0) <= CASE WHEN is_failing THEN 1 ELSE $5::bigint END
),
chosen AS (
    SELECT id
    FROM allowed
    WHERE NOT is_failing OR number <= $4::bigint
    ORDER BY is_failing, place, next_attempt_at
    LIMIT $3::bigint
)
UPDATE delivery
SET leased_until = $2, epoch = epoch + 1
FROM chosen, hook
WHERE delivery.id = chosen.id AND hook.id = delivery.hook_id
RETURNING delivery.*, hook.url, hook.secret, hook.verify_tls, hook.is_failing
"""
