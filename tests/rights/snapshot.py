"""All that is kept: rows of every service and objects in the bucket, to see what calls have changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yard.runtime.db import Database
from yard.testkit import eventually

from tests.rights.platform import Platform

# Says only which process consumes events now.
_OF_NO_CALL: Final = frozenset({"consumer_lease"})

Snapshot = Mapping[str, tuple[int, str]]


async def quiet(platform: Platform) -> Snapshot:
    """What is there once nothing is under way: two looks see the same, and all events have left."""
    found = await _look(platform)

    async def settled() -> Snapshot:
        nonlocal found
        before, found = found, await _look(platform)
        assert before == found
        for service in platform.running:
            assert await platform.db(service).fetchval(_IS_IDLE)
        return found

    return await eventually(settled, timeout_s=30)


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """Where something has changed, a line each."""
    return [
        f"refused calls have changed {place}: {before.get(place)} became {after.get(place)}"
        for place in sorted(before.keys() | after.keys())
        if before.get(place) != after.get(place)
    ]


async def _look(platform: Platform) -> Snapshot:
    found: dict[str, tuple[int, str]] = {}
    for service in platform.running:
        found |= await _tables(service, platform.db(service))
    objects = [stat async for stat in platform.blobs.list("")]
    return {**found, **{f"object {stat.key}": (stat.size, stat.etag) for stat in objects}}


async def _tables(service: str, db: Database) -> dict[str, tuple[int, str]]:
    tables = await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    names = {row["tablename"] for row in tables} - _OF_NO_CALL
    return {f"{service}.{name}": await _digest(db, name) for name in names}


async def _digest(db: Database, table: str) -> tuple[int, str]:
    """Rows, and a hash of what is in them."""
    row = await db.fetchrow(
        f"""
        SELECT count(*) AS rows, coalesce(md5(string_agg(found.text, '' ORDER BY found.text)), '') AS digest
        FROM (SELECT t::text AS text FROM "{table}" AS t) AS found
        """
    )
    assert row is not None
    return row["rows"], row["digest"]


_IS_IDLE: Final = """
SELECT NOT EXISTS (SELECT FROM outbox WHERE sequence IS NULL)
    AND NOT EXISTS (SELECT FROM work WHERE state IN ('queued', 'running'))
"""
