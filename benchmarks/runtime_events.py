"""Events from commit to effect: through outbox, relay, broker and inbox, beside the plainest pipeline."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol

import nats.errors
from frameyard.task.v1.task_events_pb2 import TaskCreated
from nats.aio.client import Client
from nats.aio.msg import Msg
from yard.runtime import clock
from yard.runtime.bus import Event, subscribe
from yard.runtime.consumer import Consumer
from yard.runtime.db import Database, Transaction
from yard.runtime.outbox import Relay
from yard.testkit import eventually

SERVICE: Final = "probe"
PLAIN: Final = "PLAIN"
KEYS: Final = 50
WRITERS: Final = 16
EVENTS: Final = 2_000
RATE: Final = 200
PACED_S: Final = 4
PATIENCE_S: Final = 120.0
FETCH: Final = 256
FETCH_S: Final = 1.0

# Noted where a change is made and where it is handled, in rows that nobody updates afterwards.
_TABLES: Final = (
    "CREATE TABLE {0}_change (number bigint PRIMARY KEY)",
    "CREATE TABLE {0}_effect (number bigint NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the commit of a change to the commit of its effect."""

    p50: float
    p99: float


class Pipeline(Protocol):
    """Changes that become effects; `name` is that of its tables."""

    name: str
    database: Database

    async def change(self, number: int) -> None:
        """Commits one change and lets it go."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Carries changes on."""


class Ours:
    """The runtime's."""

    name = "ours"

    def __init__(self, database: Database, client: Client) -> None:
        self.database = database
        self._client = client

    async def change(self, number: int) -> None:
        """Row and event in one transaction."""
        async with self.database.transaction() as tx:
            await tx.execute("INSERT INTO ours_change (number) VALUES ($1)", number)
            await tx.emit(TaskCreated(task_id=number), key=str(number % KEYS))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Relay and consumer."""
        handled = subscribe(TaskCreated, _effect, name="bench")
        relay = Relay(self.database, self._client, SERVICE)
        consumer = Consumer(self.database, self._client, SERVICE, [handled])
        tasks = [asyncio.create_task(engine.run()) for engine in (relay, consumer)]
        try:
            yield
        finally:
            consumer.stop()
            relay.stop()
            await asyncio.gather(*tasks)


class Plain:
    """Insert, publish, fetch, insert: nothing is promised should anything of it die."""

    name = "plain"

    def __init__(self, database: Database, client: Client) -> None:
        self.database = database
        self._client = client
        self._js = client.jetstream()

    async def change(self, number: int) -> None:
        """Row, then message."""
        await self.database.execute("INSERT INTO plain_change (number) VALUES ($1)", number)
        await self._js.publish(f"plain.{number % KEYS}", TaskCreated(task_id=number).SerializeToString())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """A consumer that handles what it has fetched all at once."""
        await self._js.add_stream(name=PLAIN, subjects=["plain.>"])
        reader = await self._js.pull_subscribe("plain.>", durable="plain", stream=PLAIN)

        async def consume() -> None:
            while True:
                with suppress(nats.errors.TimeoutError):
                    messages = await reader.fetch(FETCH, timeout=FETCH_S)
                    await asyncio.gather(*(self._handle(message) for message in messages))

        consumer = asyncio.create_task(consume())
        try:
            yield
        finally:
            consumer.cancel()
            await asyncio.gather(consumer, return_exceptions=True)
            # What the cancelled fetch has asked for would go to nobody.
            await self._js.delete_stream(PLAIN)

    async def _handle(self, message: Msg) -> None:
        number = TaskCreated.FromString(message.data).task_id
        await self.database.execute("INSERT INTO plain_effect (number) VALUES ($1)", number)
        await message.ack()


async def prepare(pipeline: Pipeline) -> None:
    """Makes the tables."""
    for statement in _TABLES:
        await pipeline.database.execute(statement.format(pipeline.name))


async def throughput(pipeline: Pipeline) -> float:
    """Events a second, from the first change to the last effect, with several writers."""
    first = await _changes(pipeline)
    async with pipeline.running():
        await _warm(pipeline, first)
        began = clock.monotonic()
        numbers = iter(range(first + KEYS, first + KEYS + EVENTS))
        await asyncio.gather(*(_write(pipeline, numbers) for _ in range(WRITERS)))
        await _handled(pipeline, first + KEYS + EVENTS)
        return EVENTS / (clock.monotonic() - began)


async def latency(pipeline: Pipeline) -> Latency:
    """At RATE changes a second, each on its time whether the others are done or not."""
    first = await _changes(pipeline)
    async with pipeline.running():
        await _warm(pipeline, first)
        began = clock.monotonic()
        changes = []
        for number in range(RATE * PACED_S):
            await asyncio.sleep(max(0.0, began + number / RATE - clock.monotonic()))
            changes.append(asyncio.create_task(pipeline.change(first + KEYS + number)))
        await asyncio.gather(*changes)
        await _handled(pipeline, first + KEYS + RATE * PACED_S)
    row = await pipeline.database.fetchrow(_LATENCY.format(pipeline.name), first + KEYS)
    assert row is not None
    return Latency(p50=row["p50"], p99=row["p99"])


async def _warm(pipeline: Pipeline, first: int) -> None:
    """One event of each key, so that taking over and connecting are not measured."""
    for number in range(first, first + KEYS):
        await pipeline.change(number)
    await _handled(pipeline, first + KEYS)


async def _write(pipeline: Pipeline, numbers: Iterator[int]) -> None:
    for number in numbers:
        await pipeline.change(number)


async def _changes(pipeline: Pipeline) -> int:
    return int(await pipeline.database.fetchval(f"SELECT count(*) FROM {pipeline.name}_change"))  # noqa: S608


async def _handled(pipeline: Pipeline, count: int) -> None:
    """Until that many effects are there in all."""
    sql = f"SELECT count(*) FROM {pipeline.name}_effect"  # noqa: S608 - one of two names

    async def enough() -> bool:
        return bool(await pipeline.database.fetchval(sql) >= count)

    await eventually(enough, timeout_s=PATIENCE_S)


async def _effect(tx: Transaction, event: Event[TaskCreated]) -> None:
    await tx.execute("INSERT INTO ours_effect (number) VALUES ($1)", event.message.task_id)


_LATENCY: Final = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY ms) AS p99
FROM (
    SELECT 1000 * extract(
        epoch FROM pg_xact_commit_timestamp(effect.xmin) - pg_xact_commit_timestamp(change.xmin)
    )::float8 AS ms
    FROM {0}_change AS change
    JOIN {0}_effect AS effect USING (number)
    WHERE number >= $1
) AS passed
"""
