"""Events of services that are not there, put on the bus as their outboxes would."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from nats.aio.client import Client
from nats.aio.msg import Msg
from yard.runtime import bus, clock, ids
from yard.runtime.db import subject_of


@dataclass(slots=True, kw_only=True)
class Facts:
    """A place on the bus; all events that are told from it are numbered in one row."""

    broker: Client
    sequence: int = 0

    async def listen(self, subject: str, hear: Callable[[Msg], Awaitable[None]]) -> None:
        """Gives the messages of a subject to `hear`, from here on."""
        await self.broker.subscribe(subject, cb=hear)
        await self.broker.flush()

    async def publish(self, event: Message, key: int, source: str) -> None:
        """Tells a fact of `source`, once the broker has it."""
        self.sequence += 1
        type_name = event.DESCRIPTOR.full_name
        row: Any = {
            "headers": {},
            "id": ids.uuid7(),
            "type": type_name,
            "key": str(key),
            "created_at": clock.now(),
            "sequence": self.sequence,
            "key_version": self.sequence,
        }
        await self.broker.jetstream().publish(
            subject_of(type_name, str(key)), event.SerializeToString(), headers=bus.headers_of(row, source)
        )


@asynccontextmanager
async def connected(url: str, token: str) -> AsyncIterator[Facts]:
    """On the stream, which is made if need be."""
    broker = await bus.connect(url, token=token)
    await bus.ensure_stream(broker.jetstream())
    yield Facts(broker=broker)
    await broker.close()
