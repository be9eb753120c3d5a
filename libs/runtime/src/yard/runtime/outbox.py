"""Events out: the relay publishes committed outbox rows, in order, until the broker has each of them."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

import nats.js.errors
import structlog
from nats.aio.client import Client
from yard.runtime import bus, clock, errors, housekeeping, locks
from yard.runtime.db import OUTBOX, Connection, Database, Record
from yard.runtime.pauses import until_any

BATCH = 500
IN_FLIGHT = 128
POLL_S = 1.0
PUBLISH_TIMEOUT_S = 5.0
STREAM_CHECK_S = 30.0
PURGE_S = 3600.0

_log = structlog.get_logger("yard.runtime.outbox")


class Relay:
    """Publishes the outbox of one service; replicas stand by until the holder of the lock is gone.

    A row's sequence is given on the connection that holds the lock, so that two relays cannot give the same.
    Rows of one key are published one after the other: a row that fails holds back the later ones of its key
    only.
    """

    def __init__(self, database: Database, nc: Client, service: str) -> None:
        self._database = database
        self._nc = nc
        self._js = nc.jetstream()
        self._source = f"/frameyard/{service}"
        self._stopping = asyncio.Event()
        self._in_flight = asyncio.Semaphore(IN_FLIGHT)
        self._stream_checked = self._purged = float("-inf")

    def stop(self) -> None:
        """End `run` after one last pass over what is committed."""
        self._stopping.set()

    async def run(self) -> None:
        """Relay until stopped; outlives outages of the database and the broker."""
        async with self._database.signals.listening(OUTBOX) as woken:
            while not self._stopping.is_set():
                try:
                    async with locks.held(self._database, "relay") as connection:
                        if connection is not None:
                            await self._relay(connection, woken)
                except (errors.Unavailable, errors.Conflict) as fault:
                    _log.warning("relay_interrupted", error=fault.message)
                await until_any(self._stopping, timeout_s=POLL_S)

    async def _relay(self, connection: Connection, woken: asyncio.Event) -> None:
        is_last = False
        while not is_last:
            is_last = self._stopping.is_set()
            woken.clear()
            await self._check_stream(connection)
            progress = await self._publish_batch(connection)
            await self._purge()
            if not progress and not is_last:
                await until_any(self._stopping, woken, timeout_s=POLL_S)

    async def _check_stream(self, connection: Connection) -> None:
        """A stream that is not the one we published to lost our events: publish again all that we keep."""
        if clock.monotonic() - self._stream_checked < STREAM_CHECK_S:
            return
        try:
            created = await bus.ensure_stream(self._js)
        except bus.NATS_FAULTS as fault:
            raise errors.Unavailable(f"no stream: {fault!r}", reason="BROKER_UNAVAILABLE") from fault
        if await connection.fetchval(_IS_ANOTHER_STREAM, created):
            _log.warning("stream_rebuilt", created=created.isoformat())
        await self._adopt_stream(connection, created)
        self._stream_checked = clock.monotonic()

    async def _adopt_stream(self, connection: Connection, created: datetime) -> None:
        async with connection.transaction():
            await connection.execute(_REPUBLISH_TO_NEW_STREAM, created)
            await connection.execute("UPDATE outbox_counter SET stream_created_at = $1", created)

    async def _publish_batch(self, connection: Connection) -> bool:
        """Publish up to BATCH rows; true if there may be more to do at once."""
        await connection.execute(_GIVE_SEQUENCES, BATCH)
        rows = await connection.fetch(_TO_PUBLISH, BATCH)
        rows_by_key = [
            list(group) for _, group in groupby(sorted(rows, key=_key_order), key=lambda row: row["key"])
        ]
        published = await asyncio.gather(*(self._publish_key(group) for group in rows_by_key))
        done = [position for positions in published for position in positions]
        if done:
            await connection.execute(_MARK_PUBLISHED, done)
        return bool(rows) and len(done) == len(rows)

    async def _publish_key(self, rows: Sequence[Record]) -> list[int]:
        """Publish rows of one key in order up to the first failure; returns the positions that are there."""
        done: list[int] = []
        for row in rows:
            try:
                async with self._in_flight:
                    await self._publish(row)
            except bus.NATS_FAULTS as fault:
                self._note_failure(row, fault)
                break
            done.append(row["position"])
        return done

    async def _publish(self, row: Record) -> None:
        headers = bus.headers_of(row, self._source)
        await self._js.publish(row["subject"], row["body"], timeout=PUBLISH_TIMEOUT_S, headers=headers)

    def _note_failure(self, row: Record, fault: BaseException) -> None:
        if isinstance(fault, nats.js.errors.NoStreamResponseError):
            self._stream_checked = float("-inf")
        _log.warning("publish_failed", event_id=str(row["id"]), type=row["type"], error=repr(fault))

    async def _purge(self) -> None:
        if clock.monotonic() - self._purged > PURGE_S:
            await housekeeping.purge(self._database)
            self._purged = clock.monotonic()


async def republish(database: Database, from_sequence: int = 1, to_sequence: int = 2**62) -> int:
    """Have the relay publish a range again, in order; returns the number of events.

    A stream that still has them drops them within its duplicate window; handlers see each once in any case.
    """
    tag = await database.execute(_REPUBLISH_RANGE, from_sequence, to_sequence)
    database.signals.wake([OUTBOX])
    return int(tag.split()[-1])


async def backlog(database: Database) -> int:
    """Events that are committed and not published yet."""
    count: int = await database.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL")
    return count


def _key_order(row: Record) -> tuple[str, int]:
    return row["key"], row["sequence"]


_GIVE_SEQUENCES = """
WITH fresh AS (
    SELECT position, row_number() OVER (ORDER BY position) AS rank
    FROM (
        SELECT position
        FROM outbox
        WHERE published_at IS NULL AND sequence IS NULL
        ORDER BY position
        LIMIT $1
    ) AS oldest
), counter AS (
    UPDATE outbox_counter
    SET last_sequence = last_sequence + (SELECT count(*) FROM fresh)
    WHERE EXISTS (SELECT FROM fresh)
    RETURNING last_sequence
)
UPDATE outbox
SET sequence = counter.last_sequence - (SELECT count(*) FROM fresh) + fresh.rank
FROM fresh, counter
WHERE outbox.position = fresh.position
"""

_TO_PUBLISH = """
SELECT position, id, sequence, key, key_version, type, subject, headers, body, created_at
FROM outbox
WHERE published_at IS NULL AND sequence IS NOT NULL
ORDER BY sequence
LIMIT $1
"""

_MARK_PUBLISHED = "UPDATE outbox SET published_at = now() WHERE position = ANY ($1::bigint[])"

_IS_ANOTHER_STREAM = "SELECT stream_created_at <> $1 FROM outbox_counter"

_REPUBLISH_TO_NEW_STREAM = """
UPDATE outbox
SET published_at = NULL
FROM outbox_counter
WHERE stream_created_at <> $1 AND published_at IS NOT NULL
"""

_REPUBLISH_RANGE = """
UPDATE outbox
SET published_at = NULL
WHERE sequence BETWEEN $1 AND $2 AND published_at IS NOT NULL
"""
