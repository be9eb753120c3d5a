import asyncio

from yard.runtime import migrate
from yard.runtime.app import schema
from yard.runtime.db import Database
from yard.testkit.fixtures import DatabaseUrl

NONE = "yard.testkit.no_migrations"


async def tables(url: str) -> set[str]:
    database = await Database.connect(url, max_size=1)
    rows = await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    await database.close()
    return {row["tablename"] for row in rows}


async def test_an_empty_database_gets_everything_once(database_url: DatabaseUrl) -> None:
    url = database_url("probe", migrations="")
    assert not await schema.is_current(url, NONE)
    await migrate.upgrade(url, NONE)
    assert {"outbox", "inbox", "work", "operation", "dead_letter", "request_record"} <= await tables(url)
    assert await schema.is_current(url, NONE)
    before = await tables(url)
    await migrate.upgrade(url, NONE)
    assert await tables(url) == before


async def test_replicas_may_start_together(database_url: DatabaseUrl) -> None:
    url = database_url("probe", migrations="")
    await asyncio.gather(*(migrate.upgrade(url, NONE) for _ in range(3)))
    assert await schema.is_current(url, NONE)


async def test_a_child_process_changes_what_is_old(database_url: DatabaseUrl) -> None:
    url = database_url("probe", migrations="")
    await schema.ensure(url, NONE)
    assert await schema.is_current(url, NONE)
    assert schema.newest(schema.RUNTIME) == "0003"
    assert schema.newest(NONE) is None


async def test_a_service_has_revisions_of_its_own(database_url: DatabaseUrl) -> None:
    url = database_url("probe", migrations="")
    await migrate.upgrade(url, "yard.identity.migrations")
    assert await schema.is_current(url, "yard.identity.migrations")
    assert not await schema.is_current(url, NONE)
    assert "outbox" in await tables(url)
