import asyncio

import asyncpg
import pytest
from frameyard.task.v1.task_events_pb2 import TaskCreated
from google.protobuf.duration_pb2 import Duration
from yard.embedded.servers.postgres import Postgres
from yard.runtime import errors
from yard.runtime.db import OUTBOX, WORK, Database, Transaction, UniqueViolation, subject_of
from yard.testkit import eventually
from yard.testkit.fixtures import DatabaseUrl


async def effect_count(database: Database) -> int:
    return int(await database.fetchval("SELECT count(*) FROM effect"))


async def write(tx: Transaction, key: str) -> None:
    await tx.execute("INSERT INTO effect (key) VALUES ($1)", key)


async def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    async with database.transaction() as tx:
        await write(tx, "kept")
    with pytest.raises(LookupError):
        await write_event_and_work_then_fail(database)
    assert [row["key"] for row in await database.fetch("SELECT key FROM effect")] == ["kept"]
    for table in ("outbox", "work", "key_version"):
        assert await database.fetchval(f"SELECT count(*) FROM {table}") == 0


async def write_event_and_work_then_fail(database: Database) -> None:
    async with database.transaction() as tx:
        await write(tx, "lost")
        await tx.emit(TaskCreated(task_id=1), key="1")
        await tx.enqueue(TaskCreated(task_id=1), kind="probe")
        raise LookupError


async def test_emit_numbers_the_events_of_each_key(database: Database) -> None:
    async with database.transaction() as tx:
        for key in ("a", "b", "a"):
            await tx.emit(TaskCreated(task_id=7), key=key)
    rows = await database.fetch("SELECT key, key_version, type, subject, body FROM outbox ORDER BY position")
    assert [(row["key"], row["key_version"]) for row in rows] == [("a", 1), ("b", 1), ("a", 2)]
    assert {row["type"] for row in rows} == {"frameyard.task.v1.TaskCreated"}
    assert rows[0]["subject"] == "frameyard.event.task.TaskCreated.a"
    assert TaskCreated.FromString(rows[0]["body"]) == TaskCreated(task_id=7)


async def test_versions_of_a_key_are_in_commit_order(database: Database) -> None:
    """The second writer waits for the first, however late that one commits."""
    first_has_emitted, may_commit = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with database.transaction() as tx:
            await tx.emit(TaskCreated(name="first"), key="a")
            first_has_emitted.set()
            await may_commit.wait()

    async def second() -> None:
        await first_has_emitted.wait()
        async with database.transaction() as tx:
            await tx.emit(TaskCreated(name="second"), key="a")

    async def second_waits() -> bool:
        return bool(
            await database.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        )

    tasks = [asyncio.create_task(first()), asyncio.create_task(second())]
    await eventually(second_waits)
    may_commit.set()
    await asyncio.gather(*tasks)
    rows = await database.fetch("SELECT body FROM outbox ORDER BY key_version")
    assert [TaskCreated.FromString(row["body"]).name for row in rows] == ["first", "second"]


@pytest.mark.parametrize("key", ["", "a.b", "a*", "a b", ">", "ü", "a" * 41])
async def test_a_key_that_would_break_the_subject_is_refused(database: Database, key: str) -> None:
    with pytest.raises(errors.Internal, match="event key"):
        async with database.transaction() as tx:
            await tx.emit(TaskCreated(), key=key)


def test_only_our_events_have_a_subject() -> None:
    with pytest.raises(errors.Internal, match=r"google\.protobuf\.Duration"):
        subject_of(Duration.DESCRIPTOR.full_name, "1")


async def test_unfinished_work_with_a_unique_key_exists_once(database: Database) -> None:
    async def enqueue(unique: str | None = "media/1") -> str:
        async with database.transaction() as tx:
            return str(await tx.enqueue(TaskCreated(), kind="probe", unique=unique))

    first = await enqueue()
    assert await enqueue() == first
    await database.execute("UPDATE work SET state = 'running'")
    assert await enqueue() == first
    await database.execute("UPDATE work SET state = 'done'")
    assert await enqueue() != first
    assert await enqueue("media/2") != await enqueue(None) != await enqueue(None)
    assert await database.fetchval("SELECT count(*) FROM work") == 5


async def test_two_at_once_enqueue_one_row(database: Database) -> None:
    async def enqueue() -> str:
        async with database.transaction() as tx:
            return str(await tx.enqueue(TaskCreated(), kind="probe", unique="media/1"))

    assert len(set(await asyncio.gather(*(enqueue() for _ in range(8))))) == 1


async def write_twice(tx: Transaction) -> None:
    async with tx.savepoint():
        await write(tx, "undone")
        await tx.execute("INSERT INTO outbox_counter DEFAULT VALUES")


async def test_documents_copies_and_savepoints(database: Database) -> None:
    document = {"text": "ä", "list": [1, None, True]}
    assert await database.fetchval("SELECT $1::jsonb", document) == document
    async with database.transaction() as tx:
        await tx.copy_records("effect", [(str(n), n) for n in range(200)], ["key", "version"])
        await tx.executemany("INSERT INTO effect (key) VALUES ($1)", [("x",), ("y",)])
        with pytest.raises(UniqueViolation):
            await write_twice(tx)
        await write(tx, "z")
    assert await effect_count(database) == 203


async def test_a_lost_server_is_unavailable_and_comes_back(
    database: Database, postgres_server: Postgres
) -> None:
    async def lose_the_server(fault: Exception | None) -> None:
        async with database.transaction() as tx:
            await write(tx, "lost")
            postgres_server.kill()
            if fault is not None:
                raise fault
            # A backend notices that its postmaster is gone when it waits: until then it may even commit.
            await tx.fetchval("SELECT pg_sleep(30)")

    with pytest.raises(errors.Unavailable) as caught:
        await lose_the_server(None)
    assert caught.value.reason == "DATABASE_UNAVAILABLE"
    with pytest.raises(errors.Unavailable):
        await Database.connect(database._url)
    postgres_server.start()
    await eventually(lambda: answers(database))

    # The error of the body says more than the failing rollback.
    with pytest.raises(KeyError):
        await lose_the_server(KeyError("why"))
    postgres_server.start()
    await eventually(lambda: answers(database))
    assert await effect_count(database) == 0


async def answers(database: Database) -> bool:
    try:
        return bool(await database.fetchval("SELECT 1"))
    except errors.Unavailable:
        return False


async def test_an_error_of_the_body_keeps_its_cause(database: Database) -> None:
    fault = TimeoutError("of the body")
    with pytest.raises(TimeoutError) as caught:
        async with database.transaction():
            raise fault
    assert caught.value is fault
    assert fault.__cause__ is not fault


async def test_a_deadlock_is_a_conflict(database: Database) -> None:
    await database.execute("INSERT INTO effect (key) VALUES ('a'), ('b')")
    both_hold_one = asyncio.Barrier(2)

    async def swap(first: str, second: str) -> None:
        async with database.transaction() as tx:
            await tx.execute("UPDATE effect SET version = 1 WHERE key = $1", first)
            await both_hold_one.wait()
            await tx.execute("UPDATE effect SET version = 2 WHERE key = $1", second)

    results = await asyncio.gather(swap("a", "b"), swap("b", "a"), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [errors.Conflict]


async def test_a_wrong_call_of_the_driver_is_no_outage(database: Database) -> None:
    with pytest.raises(asyncpg.InterfaceError):
        await database.fetch("SELECT $1::int", 1, 2)


async def test_wake_ups_reach_other_processes_after_the_commit(
    database: Database, database_url: DatabaseUrl
) -> None:
    elsewhere = await Database.connect(database._url)
    other_schema = await Database.connect(database_url("probe"))
    async with (
        elsewhere.signals.listening("probe") as ready,
        elsewhere.signals.listening(OUTBOX) as events,
        elsewhere.signals.listening(WORK) as work,
        other_schema.signals.listening(OUTBOX) as foreign,
    ):
        # Once it listens it hears; before, a wake-up may be lost, and costs a poll.
        await eventually(lambda: hears(database, "probe", ready))
        async with database.transaction() as tx:
            await tx.emit(TaskCreated(), key="a")
            assert not events.is_set()
        await asyncio.wait_for(events.wait(), 30)
        assert not work.is_set()
        assert not foreign.is_set()
    await elsewhere.close()
    await other_schema.close()


def hears(database: Database, name: str, event: asyncio.Event) -> bool:
    database.signals.wake([name])
    return event.is_set()


async def test_listeners_are_woken_after_an_outage(database: Database) -> None:
    async with database.signals.listening("probe") as event:
        await eventually(lambda: is_listening(database))
        event.clear()
        await database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND query ILIKE '%listen%' AND datname = current_database()"
        )
        await asyncio.wait_for(event.wait(), 5)
        await eventually(lambda: is_listening(database))


async def is_listening(database: Database) -> bool:
    return bool(
        await database.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND query ILIKE 'listen%'"
        )
    )


async def test_session_state_stays_on_its_own_connection(database: Database) -> None:
    async with database.dedicated() as connection:
        await connection.execute("SELECT pg_advisory_lock(7)")
        assert await database.fetchval("SELECT pg_try_advisory_lock(7)") is False
    await eventually(lambda: is_free(database))


async def is_free(database: Database) -> bool:
    async with database.transaction() as tx:
        return bool(await tx.fetchval("SELECT pg_try_advisory_xact_lock(7)"))
