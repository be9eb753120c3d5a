import pytest
from frameyard.task.v1.task_events_pb2 import TaskCreated
from yard.runtime import housekeeping
from yard.runtime.db import Database


@pytest.fixture
async def old_rows(database: Database) -> None:
    """Of each kind: old ones, young ones, and old ones that are not done."""
    for age, is_done in ((20, True), (1, True), (20, False)):
        async with database.transaction() as tx:
            await tx.emit(TaskCreated(name=f"{age}"), key="a")
            await tx.enqueue(TaskCreated(), kind="probe")
        await database.execute(
            "UPDATE outbox SET published_at = now() - make_interval(days => $1)"
            " WHERE published_at IS NULL AND $2",
            age,
            is_done,
        )
        await database.execute(
            "UPDATE work SET finished_at = now() - make_interval(days => $1), state = 'done'"
            " WHERE state = 'queued' AND $2",
            age,
            is_done,
        )
    await database.execute(
        """
        INSERT INTO inbox (handler, event_id, handled_at)
        SELECT 'h', gen_random_uuid(), now() - make_interval(days => age)
        FROM unnest('{1, 14, 16}'::int[]) AS age
        """
    )


async def counts(database: Database) -> dict[str, int]:
    tables = ("outbox", "work", "inbox")
    return {table: await database.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


async def test_only_what_is_done_and_old_goes(database: Database, old_rows: None) -> None:
    assert await housekeeping.purge(database) == 3
    assert await counts(database) == {"outbox": 2, "work": 2, "inbox": 2}
    assert await housekeeping.purge(database) == 0


async def test_very_many_rows_go_in_short_transactions(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "CHUNK", 100)
    await database.execute(
        """
        INSERT INTO inbox (handler, event_id, handled_at)
        SELECT 'h', gen_random_uuid(), now() - interval '16 days'
        FROM generate_series(1, 350)
        """
    )
    assert await housekeeping.purge(database) == 350
