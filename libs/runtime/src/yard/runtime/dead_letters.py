"""What could not be handled: kept with its reason, listed, and driven again by a command."""

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from yard.runtime import errors, ids
from yard.runtime.bus import Envelope, Subscription
from yard.runtime.db import WORK, Database, Record, Transaction

UNREADABLE = "unreadable"
WORK_PREFIX = "work:"
ERROR_LENGTH = 4_000

_log = structlog.get_logger("yard.runtime.dead_letters")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that a handler, or work that the last try, could not do."""

    id: UUID
    handler: str
    event_id: UUID
    type: str
    subject: str
    headers: Mapping[str, str]
    body: bytes
    reason: str
    first_error: str
    tries: int
    created_at: datetime

    @classmethod
    def from_row(cls, row: Record) -> "DeadLetter":
        """One row of _LIST or _TAKE."""
        return cls(**dict(row))

    @property
    def envelope(self) -> Envelope:
        """The event as it came."""
        return Envelope(
            id=self.event_id, type=self.type, subject=self.subject, headers=self.headers, body=self.body
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How redriving one dead letter ended; `error` is empty if it was handled."""

    id: UUID
    error: str


def describe(fault: BaseException) -> str:
    """What is kept of an error: its type, message and the last frames, bounded."""
    return "".join(traceback.format_exception(fault, limit=-4))[-ERROR_LENGTH:]


def reason_of(fault: BaseException) -> str:
    """The error's reason, or the name of a class that is not ours."""
    return fault.reason if isinstance(fault, errors.YardError) else type(fault).__name__


async def bury(
    tx: Transaction, handler: str, envelope: Envelope, *, fault: BaseException, first: str, tries: int
) -> None:
    """Keep it, in the transaction that also settles the event or the work."""
    _log.error(
        "dead_letter", handler=handler, event_id=str(envelope.id), reason=reason_of(fault), tries=tries
    )
    origin = (ids.uuid7(), handler, envelope.id, envelope.type, envelope.subject)
    await tx.execute(_BURY, *origin, dict(envelope.headers), envelope.body, reason_of(fault), first, tries)


async def list_open(
    database: Database, *, handler: str = "", after: UUID | None = None, limit: int = 100
) -> list[DeadLetter]:
    """Those that were not redriven, oldest first; `after` is the id of the last one seen."""
    rows = await database.fetch(_LIST, handler, after, limit)
    return [DeadLetter.from_row(row) for row in rows]


async def redrive(
    database: Database, subscriptions: Sequence[Subscription], letter_ids: Sequence[UUID]
) -> list[Outcome]:
    """Run the handler of each again, or queue its work, in one transaction each; failures stay listed."""
    by_name = {subscription.name: subscription for subscription in subscriptions}
    return [await _redrive(database, by_name, letter_id) for letter_id in letter_ids]


async def _redrive(database: Database, by_name: Mapping[str, Subscription], letter_id: UUID) -> Outcome:
    try:
        async with database.transaction() as tx:
            row = await tx.fetchrow(_TAKE, letter_id)
            await _run_again(tx, by_name, _taken(row, letter_id))
            await tx.execute("UPDATE dead_letter SET redriven_at = now() WHERE id = $1", letter_id)
    except Exception as fault:  # noqa: BLE001 - the boundary of a handler, like the consumer's
        await database.execute("UPDATE dead_letter SET tries = tries + 1 WHERE id = $1", letter_id)
        return Outcome(id=letter_id, error=repr(fault))
    return Outcome(id=letter_id, error="")


def _taken(row: Record | None, letter_id: UUID) -> DeadLetter:
    if row is None:
        raise errors.NotFound("dead letter", letter_id)
    return DeadLetter.from_row(row)


async def _run_again(tx: Transaction, by_name: Mapping[str, Subscription], letter: DeadLetter) -> None:
    if letter.handler.startswith(WORK_PREFIX):
        await tx.execute(_REQUEUE_WORK, letter.event_id)
        await tx.execute(_REOPEN_OPERATION, letter.event_id)
        tx.wake(WORK)
        return
    subscription = by_name.get(letter.handler)
    if subscription is None:
        raise errors.FailedPrecondition(f"there is no handler {letter.handler!r} any more")
    await subscription.handler(tx, letter.envelope.decode(subscription.message_type))


_BURY = """
INSERT INTO dead_letter (id, handler, event_id, type, subject, headers, body, reason, first_error, tries)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

_LIST = """
SELECT id, handler, event_id, type, subject, headers, body, reason, first_error, tries, created_at
FROM dead_letter
WHERE redriven_at IS NULL
    AND ($1 = '' OR handler = $1)
    AND ($2::uuid IS NULL OR id > $2)
ORDER BY id
LIMIT $3
"""

_TAKE = """
SELECT id, handler, event_id, type, subject, headers, body, reason, first_error, tries, created_at
FROM dead_letter
WHERE id = $1 AND redriven_at IS NULL
FOR UPDATE
"""

_REQUEUE_WORK = """
UPDATE work
SET state = 'queued', tries = 0, run_after = now(), finished_at = NULL
WHERE id = $1 AND state = 'failed'
"""

_REOPEN_OPERATION = """
UPDATE operation
SET state = 'QUEUED', error = NULL, finished_at = NULL, updated_at = now()
FROM work
WHERE work.id = $1 AND operation.id = work.operation_id AND operation.state = 'FAILED'
"""
