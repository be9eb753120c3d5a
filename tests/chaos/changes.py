"""Changes that are made, published and handled while everything around them dies."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from frameyard.task.v1.task_events_pb2 import TaskCreated
from yard.runtime import errors
from yard.runtime.bus import Event, Subscription, subscribe
from yard.runtime.db import Database, Transaction
from yard.testkit import eventually

T = TypeVar("T")

SERVICE: Final = "probe"
POISON: Final = "poison"
START_S: Final = 60.0

# change: what was done; effect: what the handler did, in its order; repair: whether it can do poison.
TABLES: Final = """
CREATE TABLE change (
    number bigint PRIMARY KEY,
    event_id uuid NOT NULL
);
CREATE TABLE effect (
    place bigint GENERATED ALWAYS AS IDENTITY,
    number bigint NOT NULL,
    event_id uuid NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL
);
CREATE TABLE repair (is_done boolean);
"""


async def patiently(connect: Callable[[], Awaitable[T]]) -> T:
    """What a service does at its start: servers that are starting too are waited for."""

    async def attempt() -> T | None:
        try:
            return await connect()
        except errors.Unavailable:
            return None

    connected = await eventually(attempt, timeout_s=START_S)
    assert connected is not None
    return connected


async def make(database: Database, number: int, keys: int, *, name: str = "") -> None:
    """Change `number` and its event in one transaction; nothing if it was made before."""
    async with database.transaction() as tx:
        if await tx.fetchval("SELECT true FROM change WHERE number = $1", number):
            return
        event_id = await tx.emit(TaskCreated(task_id=number, name=name), key=str(number % keys))
        await tx.execute("INSERT INTO change (number, event_id) VALUES ($1, $2)", number, event_id)


async def _handle(tx: Transaction, event: Event[TaskCreated]) -> None:
    if event.message.name == POISON and not await tx.fetchval("SELECT is_done FROM repair"):
        raise ValueError("this one cannot be handled")
    await tx.execute(
        "INSERT INTO effect (number, event_id, key, version) VALUES ($1, $2, $3, $4)",
        event.message.task_id,
        event.id,
        event.key,
        event.version,
    )


SUBSCRIPTION: Final[Subscription] = subscribe(TaskCreated, _handle, name="chaos")
