import asyncio

import pytest
from frameyard.task.v1.task_events_pb2 import TaskCreated, TaskDeleted
from nats.aio.client import Client
from yard.embedded.servers.nats import Nats
from yard.runtime import errors
from yard.runtime.db import Database
from yard.runtime.live import LiveEvents

from libs.runtime.tests.engines import emit, relay, running

TYPES = {"frameyard.task.v1.TaskCreated": TaskCreated}


async def test_events_of_one_key_and_of_named_types_come_as_they_pass(
    database: Database, nc: Client, nats_server: Nats
) -> None:
    live = LiveEvents(nats_server.url, token=nats_server.token)
    async with running(relay(database, nc)), live.of_key("7", TYPES) as events:
        await nc.publish("frameyard.event.task.TaskCreated.7", b"no event")
        await emit(database, "8")
        async with database.transaction() as tx:
            await tx.emit(TaskDeleted(task_id=7), key="7")
        wanted = await emit(database, "7")
        found = await asyncio.wait_for(anext(events), 30)
    assert (found.id, found.key, type(found.message)) == (wanted, "7", TaskCreated)
    await live.close()


async def test_without_a_broker_it_says_so() -> None:
    live = LiveEvents("nats://127.0.0.1:1")
    with pytest.raises(errors.Unavailable):
        async with live.of_key("7", TYPES):
            raise AssertionError
    await live.close()
