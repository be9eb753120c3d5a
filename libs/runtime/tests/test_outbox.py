from collections import defaultdict

import pytest
from frameyard.task.v1.task_events_pb2 import TaskCreated
from nats.aio.client import Client
from yard.embedded.servers.nats import Nats
from yard.runtime import bus, outbox
from yard.runtime.db import Database
from yard.testkit import eventually

from libs.runtime.tests.engines import emit, killable, relay, running


async def published(nc: Client) -> list[dict[str, str]]:
    """Headers of everything in the stream, in its order."""
    js = nc.jetstream()
    last = (await js.stream_info(bus.STREAM)).state.last_seq
    return [dict((await js.get_msg(bus.STREAM, sequence)).headers or {}) for sequence in range(1, last + 1)]


async def all_published(database: Database) -> bool:
    return await outbox.backlog(database) == 0


async def emit_and_fail(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.emit(TaskCreated(task_id=2), key="7")
        raise LookupError


async def test_what_was_committed_is_published_once_and_nothing_else(database: Database, nc: Client) -> None:
    async with running(relay(database, nc)):
        event_id = await emit(database, "7")
        with pytest.raises(LookupError):
            await emit_and_fail(database)
        await eventually(lambda: all_published(database))

    (headers,) = await published(nc)
    assert headers["ce-id"] == headers["Nats-Msg-Id"] == str(event_id)
    assert headers["ce-type"] == "frameyard.task.v1.TaskCreated"
    assert (headers["ce-source"], headers["ce-subject"]) == ("/frameyard/probe", "7")
    assert (headers["ce-sequence"], headers["ce-keyversion"]) == ("1", "1")


async def test_sequences_and_versions_have_no_gaps_and_keys_keep_their_order(
    database: Database, nc: Client
) -> None:
    for number in range(60):
        await emit(database, str(number % 3))
    async with running(relay(database, nc)):
        await eventually(lambda: all_published(database))
    versions = defaultdict(list)
    for headers in await published(nc):
        versions[headers["ce-subject"]].append(int(headers["ce-keyversion"]))
    assert versions == {key: list(range(1, 21)) for key in "012"}
    sequences = await database.fetch("SELECT sequence FROM outbox ORDER BY position")
    assert [row["sequence"] for row in sequences] == list(range(1, 61))


async def test_nothing_is_lost_while_the_broker_is_away(
    database: Database, nc: Client, nats_server: Nats
) -> None:
    async with running(relay(database, nc)):
        await emit(database, "a")
        await eventually(lambda: all_published(database))
        nats_server.kill()
        for _ in range(5):
            await emit(database, "a")
        assert await outbox.backlog(database) == 5
        nats_server.start()
        await eventually(lambda: all_published(database), timeout_s=20)
    assert [headers["ce-keyversion"] for headers in await published(nc)] == list("123456")


async def test_a_stream_that_was_lost_is_filled_again(database: Database, nc: Client) -> None:
    async with running(relay(database, nc)):
        for _ in range(3):
            await emit(database, "a")
        await eventually(lambda: all_published(database))
        await nc.jetstream().delete_stream(bus.STREAM)
        await emit(database, "a")
        await eventually(lambda: all_published(database))
    assert [headers["ce-keyversion"] for headers in await published(nc)] == list("1234")


async def test_a_standby_goes_on_where_the_holder_died(database: Database, nc: Client) -> None:
    async with killable(relay(database, nc)) as kill, running(relay(database, nc)):
        await emit(database, "a")
        await eventually(lambda: all_published(database))
        await kill()
        await emit(database, "a")
        await eventually(lambda: all_published(database))
    assert [headers["ce-sequence"] for headers in await published(nc)] == ["1", "2"]


async def test_a_range_is_published_again_on_request(database: Database, nc: Client) -> None:
    async with running(relay(database, nc)):
        for _ in range(3):
            await emit(database, "a")
        await eventually(lambda: all_published(database))
        await nc.jetstream().purge_stream(bus.STREAM)
        first = (await nc.jetstream().stream_info(bus.STREAM)).state.first_seq
        assert await outbox.republish(database, 2, 2) == 1
        await eventually(lambda: all_published(database))
    # The stream remembers ids for ten minutes: it takes nothing twice.
    assert (await nc.jetstream().stream_info(bus.STREAM)).state.first_seq == first
