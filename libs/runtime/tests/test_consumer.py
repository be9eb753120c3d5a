import asyncio
from uuid import UUID

import pytest
from frameyard.task.v1.task_events_pb2 import TaskCreated, TaskDeleted
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError
from yard.embedded.servers.nats import Nats
from yard.embedded.servers.postgres import Postgres
from yard.runtime import bus, dead_letters, errors
from yard.runtime.bus import Event, subscribe
from yard.runtime.consumer_session import Lanes
from yard.runtime.db import Database, Transaction
from yard.testkit import eventually

from libs.runtime.tests.engines import RECORD, consumer, effects, emit, killable, record, relay, running


async def handled(database: Database, count: int) -> list[tuple[str, int]]:
    async def enough() -> bool:
        return len(await effects(database)) >= count

    await eventually(enough, timeout_s=20)
    return await effects(database)


async def unacknowledged(nc: Client) -> int:
    found = await nc.jetstream().consumer_info(bus.STREAM, "probe")
    return (found.num_ack_pending or 0) + (found.num_pending or 0)


async def test_an_event_goes_from_commit_to_effect_once(database: Database, nc: Client) -> None:
    seen: list[Event[TaskCreated]] = []

    async def note(tx: Transaction, event: Event[TaskCreated]) -> None:
        seen.append(event)
        await record(tx, event)

    subscription = subscribe(TaskCreated, note)
    async with running(relay(database, nc), consumer(database, nc, subscription)):
        event_id = await emit(database, "7", name="a task")
        assert await handled(database, 1) == [("7", 1)]

    (event,) = seen
    assert (event.id, event.key, event.version, event.sequence) == (event_id, "7", 1, 1)
    assert (event.type, event.source) == ("frameyard.task.v1.TaskCreated", "/frameyard/probe")
    assert event.message == TaskCreated(task_id=1, name="a task")


async def test_a_message_that_comes_twice_has_one_effect(database: Database, nc: Client) -> None:
    async with running(relay(database, nc)):
        await emit(database, "7")
        await eventually(lambda: _is_published(database))
    message = await nc.jetstream().get_msg(bus.STREAM, 1)
    headers = {name: value for name, value in (message.headers or {}).items() if name != "Nats-Msg-Id"}
    await nc.jetstream().publish(str(message.subject), message.data or b"", headers=headers)
    async with running(consumer(database, nc)):
        await handled(database, 1)
        await eventually(lambda: _is_acknowledged(nc))
    assert await effects(database) == [("7", 1)]


async def test_two_handlers_of_one_event_both_run(database: Database, nc: Client) -> None:
    again = subscribe(TaskCreated, record, name="again")
    async with running(relay(database, nc), consumer(database, nc, RECORD, again)):
        await emit(database, "7")
        assert await handled(database, 2) == [("7", 1), ("7", 1)]


async def test_a_key_that_waits_holds_up_its_own_events_only(database: Database, nc: Client) -> None:
    may_go_on = asyncio.Event()

    async def wait_for_a(tx: Transaction, event: Event[TaskCreated]) -> None:
        if event.key == "a":
            await may_go_on.wait()
        await record(tx, event)

    async with running(relay(database, nc), consumer(database, nc, subscribe(TaskCreated, wait_for_a))):
        for key in ("a", "a", "b", "b"):
            await emit(database, key)
        assert await handled(database, 2) == [("b", 1), ("b", 2)]
        may_go_on.set()
        assert (await handled(database, 4))[2:] == [("a", 1), ("a", 2)]


async def test_a_failed_try_leaves_nothing_and_is_repeated(database: Database, nc: Client) -> None:
    tries = 0

    async def fail_twice(tx: Transaction, event: Event[TaskCreated]) -> None:
        nonlocal tries
        tries += 1
        await record(tx, event)
        if tries < 3:
            raise errors.Internal("not yet")

    async with running(relay(database, nc), consumer(database, nc, subscribe(TaskCreated, fail_twice))):
        await emit(database, "7")
        assert await handled(database, 1) == [("7", 1)]
    assert tries == 3


async def test_poison_is_buried_and_the_others_go_on(database: Database, nc: Client) -> None:
    is_repaired = False

    async def refuse_b(tx: Transaction, event: Event[TaskCreated]) -> None:
        if event.message.name == "bad" and not is_repaired:
            raise ValueError("cannot do this one")
        await record(tx, event)

    subscription = subscribe(TaskCreated, refuse_b, name="refuse")
    async with running(relay(database, nc), consumer(database, nc, subscription)):
        event_id = await emit(database, "b", name="bad")
        await emit(database, "b")
        await emit(database, "c")
        assert sorted(await handled(database, 2)) == [("b", 2), ("c", 1)]
        await eventually(lambda: _is_acknowledged(nc))

    (letter,) = await dead_letters.list_open(database)
    assert (letter.handler, letter.event_id, letter.reason) == ("refuse", event_id, "ValueError")
    assert letter.tries == 3
    assert "cannot do this one" in letter.first_error
    (outcome,) = await dead_letters.redrive(database, [subscription], [letter.id])
    assert "cannot do this one" in outcome.error
    is_repaired = True
    (outcome,) = await dead_letters.redrive(database, [subscription], [letter.id])
    assert outcome.error == ""
    assert (await effects(database, "b")) == [("b", 2), ("b", 1)]
    assert await dead_letters.list_open(database) == []


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        ({}, b"", "POISON"),
        ({"ce-id": str(UUID(int=1)), "ce-type": "frameyard.task.v9.TaskCreated"}, b"", "POISON"),
        ({"ce-id": str(UUID(int=1)), "ce-type": "frameyard.task.v1.TaskCreated"}, b"\xff", "POISON"),
    ],
    ids=["no headers", "unknown type", "not a message"],
)
async def test_what_cannot_be_read_is_buried_at_once(
    database: Database, nc: Client, headers: dict[str, str], body: bytes, reason: str
) -> None:
    await bus.ensure_stream(nc.jetstream())
    await nc.jetstream().publish("frameyard.event.task.TaskCreated.7", body, headers=headers)
    async with running(relay(database, nc), consumer(database, nc)):
        await emit(database, "7")
        assert await handled(database, 1) == [("7", 1)]
        await eventually(lambda: _is_acknowledged(nc))
    (letter,) = await dead_letters.list_open(database)
    assert (letter.reason, letter.tries, letter.body) == (reason, 1, body)


async def test_a_handler_that_hangs_is_cut_and_buried(database: Database, nc: Client) -> None:
    async def hang(tx: Transaction, event: Event[TaskCreated]) -> None:
        await asyncio.Event().wait()

    slow = consumer(database, nc, subscribe(TaskCreated, hang, name="hang"), handler_timeout_s=0.05)
    async with running(relay(database, nc), slow):
        await emit(database, "7")
        (letter,) = await eventually(lambda: dead_letters.list_open(database))
    assert (letter.handler, letter.reason) == ("hang", "TimeoutError")


async def test_an_outage_behind_the_handler_counts_no_tries(database: Database, nc: Client) -> None:
    tries = 0

    async def lean_on_another(tx: Transaction, event: Event[TaskCreated]) -> None:
        nonlocal tries
        tries += 1
        if tries < 10:
            raise errors.Unavailable("the store is down")
        await record(tx, event)

    async with running(relay(database, nc), consumer(database, nc, subscribe(TaskCreated, lean_on_another))):
        await emit(database, "7")
        assert await handled(database, 1) == [("7", 1)]


async def test_too_many_dead_letters_in_a_row_stop_the_consumer(database: Database, nc: Client) -> None:
    async def refuse(tx: Transaction, event: Event[TaskCreated]) -> None:
        raise errors.Poison("no")

    stuck = consumer(database, nc, subscribe(TaskCreated, refuse), dead_letter_limit=3, lanes=1)
    async with running(relay(database, nc), stuck):
        for number in range(40):
            await emit(database, str(number))
        await eventually(lambda: stuck.is_halted)
        await eventually(lambda: _is_published(database))
    assert 3 <= len(await dead_letters.list_open(database)) < 40


async def test_the_next_holder_gets_at_once_what_the_dead_one_had(database: Database, nc: Client) -> None:
    begun = asyncio.Event()

    async def hang(tx: Transaction, event: Event[TaskCreated]) -> None:
        begun.set()
        await asyncio.Event().wait()

    dying = consumer(database, nc, subscribe(TaskCreated, hang, name="record"), ack_wait_s=600)
    async with running(relay(database, nc)), killable(dying) as kill:
        for key in ("a", "a", "b"):
            await emit(database, key)
        await begun.wait()
        await kill()
        async with running(consumer(database, nc)):
            assert sorted(await handled(database, 3)) == [("a", 1), ("a", 2), ("b", 1)]


async def test_no_lane_begins_while_they_are_ended(nc: Client) -> None:
    begun: list[str] = []

    async def hang(message: Msg) -> bool:
        begun.append(message.subject)
        try:
            await asyncio.Event().wait()
        finally:
            lanes.put(Msg(_client=nc, subject="event.b"))
        return True

    lanes = Lanes(hang, lambda fault: None)
    lanes.put(Msg(_client=nc, subject="event.a"))
    await eventually(lambda: begun)
    await lanes.end(at_once=True)
    await nc.flush()
    assert begun == ["event.a"]


async def test_a_holder_that_was_overtaken_has_no_effect(database: Database, nc: Client) -> None:
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def wait_once(tx: Transaction, event: Event[TaskCreated]) -> None:
        if not begun.is_set():
            begun.set()
            await may_go_on.wait()
            raise errors.Internal("try again under the old epoch")
        await record(tx, event)

    async with running(relay(database, nc), consumer(database, nc, subscribe(TaskCreated, wait_once))):
        await emit(database, "a")
        await begun.wait()
        await database.execute("UPDATE consumer_lease SET epoch = epoch + 1")
        may_go_on.set()
        assert await handled(database, 1) == [("a", 1)]
    assert await database.fetchval("SELECT epoch FROM consumer_lease") == 3


async def test_a_new_subscription_reads_what_is_kept(database: Database, nc: Client) -> None:
    async def note(tx: Transaction, event: Event[TaskDeleted]) -> None:
        await tx.execute("INSERT INTO effect (key, version) VALUES ('deleted', 0)")

    async with running(relay(database, nc), consumer(database, nc)):
        async with database.transaction() as tx:
            await tx.emit(TaskDeleted(task_id=1), key="7")
        await emit(database, "7")
        await handled(database, 1)
    async with running(consumer(database, nc, RECORD, subscribe(TaskDeleted, note))):
        assert await handled(database, 2) == [("7", 2), ("deleted", 0)]


async def test_it_begins_again_behind_what_is_done(database: Database, nc: Client) -> None:
    async with running(relay(database, nc), consumer(database, nc)):
        for _ in range(5):
            await emit(database, "a")
        await handled(database, 5)
        await eventually(lambda: _is_acknowledged(nc))
    async with running(consumer(database, nc)):
        await eventually(lambda: _starts_at(nc, 6))


async def test_a_stop_waits_for_the_handler_that_runs(database: Database, nc: Client) -> None:
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def wait(tx: Transaction, event: Event[TaskCreated]) -> None:
        begun.set()
        await may_go_on.wait()
        await record(tx, event)

    stopped = consumer(database, nc, subscribe(TaskCreated, wait))
    async with running(relay(database, nc), stopped):
        for _ in range(3):
            await emit(database, "a")
        await begun.wait()
        stopped.stop()
        may_go_on.set()
    assert await effects(database) == [("a", 1)]


async def test_a_long_handler_keeps_its_message(database: Database, nc: Client) -> None:
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def wait(tx: Transaction, event: Event[TaskCreated]) -> None:
        begun.set()
        await may_go_on.wait()
        await record(tx, event)

    async def is_told_again() -> bool:
        found = await nc.jetstream().consumer_info(bus.STREAM, "probe")
        assert found.delivered is not None
        assert found.delivered.consumer_seq == 1
        return progress.is_set()

    progress = asyncio.Event()

    async def heard(_: object) -> None:
        progress.set()

    slow = consumer(database, nc, subscribe(TaskCreated, wait), ack_wait_s=0.3)
    spy = await nc.subscribe("$JS.ACK.EVENTS.probe.>", cb=heard)
    async with running(relay(database, nc), slow):
        await emit(database, "a")
        await begun.wait()
        await eventually(is_told_again)
        may_go_on.set()
        assert await handled(database, 1) == [("a", 1)]
    await spy.unsubscribe()


async def test_it_goes_on_after_the_broker_was_killed(
    database: Database, nc: Client, nats_server: Nats
) -> None:
    async with running(relay(database, nc), consumer(database, nc)):
        await emit(database, "a")
        await handled(database, 1)
        nats_server.kill()
        await emit(database, "a")
        nats_server.start()
        await emit(database, "a")
        assert await handled(database, 3) == [("a", 1), ("a", 2), ("a", 3)]


async def test_it_goes_on_after_the_database_was_killed(
    database: Database, nc: Client, postgres_server: Postgres
) -> None:
    async with running(relay(database, nc), consumer(database, nc)):
        await emit(database, "a")
        await handled(database, 1)
        postgres_server.kill()
        postgres_server.start()
        await eventually(lambda: _emitted(database))
        assert await handled(database, 2) == [("a", 1), ("a", 2)]


async def test_it_goes_on_after_the_stream_was_deleted(database: Database, nc: Client) -> None:
    async with running(relay(database, nc), consumer(database, nc)):
        await emit(database, "a")
        await handled(database, 1)
        await nc.jetstream().delete_stream(bus.STREAM)
        await emit(database, "a")
        assert await handled(database, 2) == [("a", 1), ("a", 2)]


async def _emitted(database: Database) -> bool:
    try:
        await emit(database, "a")
    except errors.Unavailable:
        return False
    return True


async def _is_published(database: Database) -> bool:
    return not await database.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL")


async def _is_acknowledged(nc: Client) -> bool:
    return await unacknowledged(nc) == 0


async def _starts_at(nc: Client, sequence: int) -> bool:
    """Who takes over deletes the consumer and makes it again: in between there is none."""
    try:
        found = await nc.jetstream().consumer_info(bus.STREAM, "probe")
    except NotFoundError:
        return False
    return bool(found.config.opt_start_seq == sequence)
