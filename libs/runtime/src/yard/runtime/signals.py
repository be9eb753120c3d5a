"""Wake-ups between processes of one service: LISTEN/NOTIFY, thinned, and never relied upon."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

THINNING_S = 0.02
RECONNECT_S = 0.5
DRIVER_FAULTS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class Signals:
    """Named wake-ups within one schema.

    NOTIFY inside a transaction holds a lock of the whole server until its commit is on disk, so commits of
    all services would queue up behind each other. Therefore the wake-up is sent just after the commit,
    thinned, by the connection that also listens. A lost wake-up costs the reader one poll interval, never a
    row.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]]) -> None:
        self._connect = connect
        self._waiters: dict[str, set[asyncio.Event]] = {}
        self._pending: set[str] = set()
        self._attention = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listening(self, name: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set at each wake-up of `name`, by any process; the reader clears it."""
        event = asyncio.Event()
        self._waiters.setdefault(name, set()).add(event)
        self._attend()
        try:
            yield event
        finally:
            self._waiters[name].discard(event)

    def wake(self, names: Iterable[str]) -> None:
        """Wake the readers of these names: in this process at once, in others within some milliseconds."""
        for name in names:
            self._set_local(name)
            self._pending.add(name)
            self._attend()

    async def close(self) -> None:
        """Stop listening and sending."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def _attend(self) -> None:
        self._attention.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="signals")

    def _set_local(self, name: str) -> None:
        for event in self._waiters.get(name, ()):
            event.set()

    async def _run(self) -> None:
        while True:
            with suppress(*DRIVER_FAULTS):
                await self._serve(await self._connect())
            for name in self._waiters:
                self._set_local(name)
            await asyncio.sleep(RECONNECT_S)

    async def _serve(self, connection: Connection) -> None:
        """Listen and send until the connection breaks."""
        connection.add_termination_listener(lambda _: self._attention.set())
        try:
            schema = await connection.fetchval("SELECT current_schema()")
            listening: set[str] = set()
            while not connection.is_closed():
                self._attention.clear()
                await self._listen(connection, schema, self._waiters.keys() - listening)
                listening |= self._waiters.keys()
                await self._send(connection, schema)
                await self._attention.wait()
        finally:
            connection.terminate()

    async def _listen(self, connection: Connection, schema: str, names: Iterable[str]) -> None:
        for name in names:
            await connection.add_listener(f"{schema}.{name}", lambda *_, name=name: self._set_local(name))

    async def _send(self, connection: Connection, schema: str) -> None:
        names, self._pending = self._pending, set()
        if names:
            channels = [f"{schema}.{name}" for name in names]
            await connection.execute(
                "SELECT pg_notify(channel, '') FROM unnest($1::text[]) AS channel", channels
            )
            await asyncio.sleep(THINNING_S)
