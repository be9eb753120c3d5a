"""The rows of the queue: claimed, kept, given back; every statement is fenced by the epoch of the claim."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from yard.runtime import errors
from yard.runtime.db import OPERATION, Database, Record, Transaction

FinalState = Literal["done", "failed", "cancelled"]

# Owners that are looked at for one claim, the one with the fewest running rows first.
OWNERS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A row that is ours as long as its epoch is this one and its lease is kept up."""

    id: UUID
    kind: str
    owner: str
    attempt: int
    tries: int
    epoch: int
    operation_id: UUID | None
    payload: bytes
    payload_type: str

    @classmethod
    def from_row(cls, row: Record) -> "Claim":
        """A row of _CLAIM."""
        return cls(**dict(row))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a heartbeat found: rows that are still ours, and those of them whose operation shall end."""

    ours: frozenset[UUID]
    cancelled: frozenset[UUID]


async def claim(database: Database, kind: str, holder: str, lease_s: float) -> Claim | None:
    """Take one row of that kind, interactive before bulk; its operation begins to run."""
    for lane in ("interactive", "bulk"):
        async with database.transaction() as tx:
            row = await tx.fetchrow(_CLAIM, kind, lane, holder, OWNERS, lease_s)
            if row is None:
                continue
            if row["operation_id"] is not None:
                await tx.execute(_RUN_OPERATION, row["operation_id"])
                tx.wake(OPERATION)
            return Claim.from_row(row)
    return None


async def renew(database: Database, claims: Iterable[Claim], lease_s: float) -> Held:
    """Keep up the leases; a row that its own transaction has locked at this moment needs none."""
    work_ids, epochs = zip(*((held.id, held.epoch) for held in claims), strict=True)
    rows = await database.fetch(_RENEW, work_ids, epochs, lease_s)
    return Held(
        ours=frozenset(row["id"] for row in rows),
        cancelled=frozenset(row["id"] for row in rows if row["cancel_requested"]),
    )


async def reap(database: Database) -> int:
    """Queue again what a lost holder had; a loss counts as a try, for the work itself may have killed it."""
    tag = await database.execute(_REAP)
    return int(tag.split()[-1])


async def lock(tx: Transaction, held: Claim) -> bool:
    """Keep the row ours until the end of the transaction, also when the lease runs out meanwhile.

    Returns whether its operation shall end; LeaseLost if the row is not ours any more.
    """
    is_cancelled = await tx.fetchval(_LOCK, held.id, held.epoch)
    if is_cancelled is None:
        raise errors.LeaseLost(f"work {held.id} has another holder")
    return bool(is_cancelled)


async def finish(tx: Transaction, held: Claim, state: FinalState, error: str | None = None) -> None:
    """End a row that is locked."""
    await tx.execute(_FINISH, held.id, state, error)


async def requeue(
    tx: Transaction, held: Claim, *, tries: int = 0, delay_s: float = 0.0, error: str | None = None
) -> None:
    """Give back a row that is locked; `tries` is added to those that failed."""
    await tx.execute(_REQUEUE, held.id, tries, delay_s, error)


# Owners of queued rows are found by skipping through the index work_queued: a long queue costs nothing.
# The last join keeps the order of `oldest` and stops at the first row that nobody else has locked.
_CLAIM = """
WITH RECURSIVE waiting (owner) AS (
    (
        SELECT owner
        FROM work
        WHERE state = 'queued' AND kind = $1 AND lane = $2
        ORDER BY owner
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT work.owner
        FROM work
        WHERE state = 'queued' AND kind = $1 AND lane = $2 AND work.owner > waiting.owner
        ORDER BY work.owner
        LIMIT 1
    )
    FROM waiting
    WHERE waiting.owner IS NOT NULL
), running AS (
    SELECT owner, count(*) AS rows
    FROM work
    WHERE state = 'running' AND kind = $1
    GROUP BY owner
), oldest AS MATERIALIZED (
    SELECT waiting.owner, coalesce(running.rows, 0) AS running, first.id
    FROM waiting
    LEFT JOIN running USING (owner)
    CROSS JOIN LATERAL (
        SELECT id
        FROM work
        WHERE state = 'queued' AND kind = $1 AND lane = $2 AND owner = waiting.owner AND run_after <= now()
        ORDER BY id
        LIMIT 1
    ) AS first
    ORDER BY running, first.id
    LIMIT $4
), next AS (
    SELECT candidate.id
    FROM oldest
    CROSS JOIN LATERAL (
        SELECT id
        FROM work
        WHERE state = 'queued' AND kind = $1 AND lane = $2 AND owner = oldest.owner AND run_after <= now()
        ORDER BY id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) AS candidate
    LIMIT 1
)
UPDATE work
SET state = 'running',
    attempt = attempt + 1,
    epoch = epoch + 1,
    lease_holder = $3,
    lease_until = now() + make_interval(secs => $5)
FROM next
WHERE work.id = next.id
RETURNING work.id, kind, owner, attempt, tries, epoch, operation_id, payload, payload_type
"""

_RUN_OPERATION = """
UPDATE operation
SET state = 'RUNNING', updated_at = now()
WHERE id = $1 AND state = 'QUEUED'
"""

_RENEW = """
WITH claim AS (
    SELECT id, epoch
    FROM unnest($1::uuid[], $2::bigint[]) AS claim (id, epoch)
), free AS (
    SELECT work.id
    FROM work
    JOIN claim ON claim.id = work.id AND claim.epoch = work.epoch
    WHERE work.state = 'running'
    FOR UPDATE OF work SKIP LOCKED
), renewed AS (
    UPDATE work
    SET lease_until = now() + make_interval(secs => $3)
    FROM free
    WHERE work.id = free.id
)
SELECT work.id, coalesce(operation.cancel_requested, false) AS cancel_requested
FROM work
JOIN claim ON claim.id = work.id AND claim.epoch = work.epoch
LEFT JOIN operation ON operation.id = work.operation_id
WHERE work.state = 'running'
"""

_REAP = """
UPDATE work
SET state = 'queued', tries = tries + 1, lease_holder = NULL, lease_until = NULL
WHERE id IN (
    SELECT id
    FROM work
    WHERE state = 'running' AND lease_until < now()
    FOR UPDATE SKIP LOCKED
)
"""

_LOCK = """
SELECT coalesce(operation.cancel_requested, false)
FROM work
LEFT JOIN operation ON operation.id = work.operation_id
WHERE work.id = $1 AND work.epoch = $2 AND work.state = 'running'
FOR UPDATE OF work
"""

_FINISH = """
UPDATE work
SET state = $2, last_error = $3, lease_holder = NULL, lease_until = NULL, finished_at = now()
WHERE id = $1
"""

_REQUEUE = """
UPDATE work
SET state = 'queued',
    tries = tries + $2,
    run_after = now() + make_interval(secs => $3),
    last_error = coalesce($4, last_error),
    lease_holder = NULL,
    lease_until = NULL
WHERE id = $1
"""
