"""Postgres: a pool, transactions, and what a change leaves behind in them (events, work)."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

import asyncpg
from asyncpg import UniqueViolationError as UniqueViolation
from google.protobuf.message import Message
from opentelemetry import propagate
from yard.runtime import errors, ids
from yard.runtime.signals import Connection, Signals

__all__ = [
    "CANCEL",
    "OPERATION",
    "OUTBOX",
    "WORK",
    "Connection",
    "Database",
    "Lane",
    "Record",
    "Transaction",
    "UniqueViolation",
    "translated_faults",
]

Record: TypeAlias = asyncpg.Record
Lane: TypeAlias = Literal["interactive", "bulk"]

# Names of wake-ups: events to publish, work to claim, an operation that changed, one that shall end.
OUTBOX: Final = "outbox"
WORK: Final = "work"
OPERATION: Final = "operation"
CANCEL: Final = "cancel"
CONNECT_TIMEOUT_S = 10.0
COMMAND_TIMEOUT_S = 60.0

_KEY = re.compile(r"[0-9a-zA-Z_-]{1,40}")
# A killed server shows itself in many ways: a reset socket, a protocol in an unexpected state
# (InternalClientError), a closed connection (InterfaceError), or its last words (57P01..03, 08xxx, 53300).
_CONNECTION_FAULTS = (
    OSError,
    TimeoutError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
_CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)


@contextmanager
def translated_faults(passing: Sequence[BaseException] = ()) -> Iterator[None]:
    """Raise Unavailable for a lost server and Conflict for a lost race; an error in `passing` comes first."""
    try:
        yield
    except _CONFLICTS as fault:
        _raise_first(passing)
        raise errors.Conflict("lost against a concurrent transaction") from fault
    except (*_CONNECTION_FAULTS, asyncpg.InterfaceError) as fault:
        if isinstance(fault, asyncpg.InterfaceError) and "clos" not in str(fault):
            raise  # a wrong call of the driver, not a closed connection
        _raise_first(passing)
        raise errors.Unavailable("the database does not answer", reason="DATABASE_UNAVAILABLE") from fault


def _raise_first(passing: Sequence[BaseException]) -> None:
    for fault in passing:
        raise fault


class Database:
    """A pool of connections to one service's schema.

    Pool connections carry no session state between uses: no SET, LISTEN or session advisory lock on them
    (`dedicated` is for those), because nothing resets them when they are returned.
    """

    def __init__(self, url: str, pool: asyncpg.Pool[Record]) -> None:
        self._url = url
        self._pool = pool
        self.signals = Signals(lambda: _connect(url))

    @classmethod
    async def connect(cls, url: str, *, min_size: int = 1, max_size: int = 10) -> Database:
        """Open the pool; Unavailable if the server does not answer."""
        with translated_faults():
            pool = await asyncpg.create_pool(
                url,
                min_size=min_size,
                max_size=max_size,
                timeout=CONNECT_TIMEOUT_S,
                command_timeout=COMMAND_TIMEOUT_S,
                init=_register_codecs,
                reset=_keep_session,
            )
        return cls(url, pool)

    async def close(self) -> None:
        """Stop the wake-ups, then wait for transactions that are open and close the pool."""
        await self.signals.close()
        await self._pool.close()

    @asynccontextmanager
    async def dedicated(self) -> AsyncIterator[Connection]:
        """A connection of its own for session state; dropped, not returned, at the end."""
        with translated_faults():
            connection = await _connect(self._url)
            try:
                yield connection
            finally:
                connection.terminate()

    async def fetch(self, sql: str, *args: object) -> list[Record]:
        """All rows of one statement in its own transaction."""
        with translated_faults():
            return await self._pool.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> Record | None:
        """The first row of one statement in its own transaction."""
        with translated_faults():
            return await self._pool.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        """The first value of the first row of one statement in its own transaction."""
        with translated_faults():
            return await self._pool.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> str:
        """Run one statement in its own transaction; returns the command tag."""
        with translated_faults():
            return await self._pool.execute(sql, *args)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One READ COMMITTED transaction; readers of what it wrote for them are woken after its commit."""
        wakes: set[str] = set()
        of_body: list[BaseException] = []
        with translated_faults(of_body):
            async with self._pool.acquire() as connection, connection.transaction():
                try:
                    yield Transaction(connection, wakes)
                except BaseException as fault:
                    of_body.append(fault)
                    raise
        self.signals.wake(wakes)


class Transaction:
    """Statements of one transaction, and the events and work that are committed with it."""

    def __init__(
        self, connection: asyncpg.pool.PoolConnectionProxy[Record] | Connection, wakes: set[str]
    ) -> None:
        self._connection = connection
        self._wakes = wakes

    async def fetch(self, sql: str, *args: object, timeout_s: float = COMMAND_TIMEOUT_S) -> list[Record]:
        """All rows of one statement; those that rewrite whatever there is may need more time."""
        with translated_faults():
            return await self._connection.fetch(sql, *args, timeout=timeout_s)

    async def fetchrow(self, sql: str, *args: object) -> Record | None:
        """The first row of one statement."""
        with translated_faults():
            return await self._connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        """The first value of the first row of one statement."""
        with translated_faults():
            return await self._connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> str:
        """Run one statement; returns the command tag."""
        with translated_faults():
            return await self._connection.execute(sql, *args)

    async def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row of arguments, pipelined."""
        with translated_faults():
            await self._connection.executemany(sql, rows)

    async def copy_records(
        self, table: str, records: Iterable[Sequence[object]], columns: Sequence[str]
    ) -> str:
        """COPY rows into a table of this schema: the fast way in from about 100 rows on."""
        with translated_faults():
            return await self._connection.copy_records_to_table(table, records=records, columns=list(columns))

    async def copy_binary(
        self, table: str, content: AsyncIterable[bytes], columns: Sequence[str], *, timeout_s: float = 3600.0
    ) -> str:
        """COPY rows that are in the binary form of Postgres already, header and trailer included."""
        with translated_faults():
            return await self._connection.copy_to_table(
                table, source=content, columns=list(columns), format="binary", timeout=timeout_s
            )

    def savepoint(self) -> AbstractAsyncContextManager[Any]:
        """A nested transaction: a failure inside it can be caught without losing the outer one."""
        return self._connection.transaction()

    def wake(self, name: str) -> None:
        """Wake the readers of that name after the commit."""
        self._wakes.add(name)

    async def emit(self, event: Message, *, key: str) -> UUID:
        """Record a fact about the aggregate `key` ([0-9a-zA-Z_-]{1,40}); it is published after the commit.

        The row lock on the key's version lasts until the commit, so positions of one key are in commit order.
        """
        if not _KEY.fullmatch(key):
            raise errors.Internal(f"event key {key!r} must match {_KEY.pattern}")
        event_id = ids.uuid7()
        type_name = event.DESCRIPTOR.full_name
        headers: dict[str, str] = {}
        propagate.inject(headers)
        await self.execute(
            _EMIT, event_id, key, type_name, subject_of(type_name, key), headers, event.SerializeToString()
        )
        self.wake(OUTBOX)
        return event_id

    async def enqueue(
        self,
        message: Message,
        *,
        kind: str,
        owner: str = "",
        lane: Lane = "bulk",
        operation_id: UUID | None = None,
        unique: str | None = None,
    ) -> UUID:
        """Add a work row; with `unique`, the id of the unfinished row that has that key already, if any."""
        arguments = (ids.uuid7(), kind, lane, owner, unique, operation_id)
        payload_type = message.DESCRIPTOR.full_name
        self.wake(WORK)
        work_id: UUID = await self.fetchval(_ENQUEUE, *arguments, message.SerializeToString(), payload_type)
        return work_id


def subject_of(type_name: str, key: str) -> str:
    """frameyard.event.<domain>.<Event>.<key> for the full name frameyard.<domain>.v1.<Event>."""
    parts = type_name.split(".")
    if len(parts) != 4 or parts[0] != "frameyard":
        raise errors.Internal(f"event type {type_name!r} is not frameyard.<domain>.<version>.<Event>")
    return f"frameyard.event.{parts[1]}.{parts[3]}.{key}"


async def _connect(url: str) -> Connection:
    connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S, command_timeout=COMMAND_TIMEOUT_S)
    await _register_codecs(connection)
    return connection


async def _register_codecs(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _keep_session(_: Connection) -> None:
    """The driver would send a reset query at each release, a third of the cost of a short transaction."""


_EMIT = """
WITH next AS (
    INSERT INTO key_version AS current (key, version)
    VALUES ($2, 1)
    ON CONFLICT (key) DO UPDATE SET version = current.version + 1
    RETURNING version
)
INSERT INTO outbox (id, key, key_version, type, subject, headers, body)
SELECT $1, $2, next.version, $3, $4, $5, $6
FROM next
"""

# The empty update makes ON CONFLICT return the row that is there already.
_ENQUEUE = """
INSERT INTO work (id, kind, lane, owner, unique_key, operation_id, payload, payload_type)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state IN ('queued', 'running')
DO UPDATE SET unique_key = excluded.unique_key
RETURNING id
"""
