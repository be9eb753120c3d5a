"""One active holder of a duty per service: a session advisory lock on a connection of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from yard.runtime.db import Connection, Database

_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || '/' || $1, 0))"


@asynccontextmanager
async def held(database: Database, name: str) -> AsyncIterator[Connection | None]:
    """The connection that holds the lock, or None if another session has it.

    The lock lasts as long as the connection: statements that must only run in the holder run on it, and fail
    when the server has given the lock to somebody else.
    """
    async with database.dedicated() as connection:
        has_lock = await connection.fetchval(_TRY_LOCK, name)
        yield connection if has_lock else None
