"""Relay, consumer, work loop and recorder under test, and the events and handlers that go through them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol
from uuid import UUID

from frameyard.task.v1.task_events_pb2 import TaskCreated
from nats.aio.client import Client
from yard.runtime.bus import Event, Subscription, subscribe
from yard.runtime.consumer import Consumer
from yard.runtime.db import Database, Transaction
from yard.runtime.handling import HandlingOptions
from yard.runtime.outbox import Relay

QUICK = HandlingOptions(first_delay_s=0.005, longest_delay_s=0.05, max_tries=3)
STOP_TIMEOUT_S = 10.0


class Engine(Protocol):
    async def run(self) -> None: ...

    def stop(self) -> None: ...


@asynccontextmanager
async def running(*engines: Engine) -> AsyncIterator[None]:
    """Runs them for the length of the block, and stops them in order."""
    tasks = [asyncio.create_task(engine.run()) for engine in engines]
    try:
        yield
    finally:
        for engine, task in zip(engines, tasks, strict=True):
            engine.stop()
            await asyncio.wait_for(task, STOP_TIMEOUT_S)


@asynccontextmanager
async def killable(engine: Engine) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Runs it; what the block gets ends it as its process would be: without a last word."""
    task = asyncio.create_task(engine.run())

    async def kill() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    try:
        yield kill
    finally:
        await kill()


async def emit(database: Database, key: str, *, name: str = "") -> UUID:
    """One change of `key`, committed."""
    async with database.transaction() as tx:
        return await tx.emit(TaskCreated(task_id=1, name=name), key=key)


async def record(tx: Transaction, event: Event[TaskCreated]) -> None:
    """A handler that notes what it saw."""
    await tx.execute(
        "INSERT INTO effect (key, version, event) VALUES ($1, $2, $3)", event.key, event.version, event.id
    )


RECORD = subscribe(TaskCreated, record, name="record")


async def effects(database: Database, key: str | None = None) -> list[tuple[str, int]]:
    """(key, version) in the order of handling."""
    rows = await database.fetch(
        "SELECT key, version FROM effect WHERE $1::text IS NULL OR key = $1 ORDER BY place", key
    )
    return [(row["key"], row["version"]) for row in rows]


def consumer(database: Database, nc: Client, *subscriptions: Subscription, **options: float) -> Consumer:
    """Of the service `probe`, with short delays."""
    chosen = HandlingOptions(**{"first_delay_s": 0.005, "longest_delay_s": 0.05, "max_tries": 3, **options})  # type: ignore[arg-type]
    return Consumer(database, nc, "probe", subscriptions or (RECORD,), chosen)


def relay(database: Database, nc: Client) -> Relay:
    """Of the service `probe`."""
    return Relay(database, nc, "probe")
