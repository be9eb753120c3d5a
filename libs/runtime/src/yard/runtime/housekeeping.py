"""What is kept for how long, and its removal."""

from yard.runtime.db import Database

CHUNK = 5_000

# The inbox outlives the outbox and the stream: whatever can still be published again is still recognised.
_RULES = (
    ("outbox", "position", "published_at < now() - interval '14 days'"),
    ("inbox", "ctid", "handled_at < now() - interval '15 days'"),
    ("work", "id", "finished_at < now() - interval '14 days'"),
    ("request_record", "ctid", "created_at < now() - interval '7 days'"),
)


async def purge(database: Database) -> int:
    """Remove what is past its time, in short transactions; returns the number of rows."""
    return sum([await _purge_table(database, *rule) for rule in _RULES])


async def _purge_table(database: Database, table: str, row: str, condition: str) -> int:
    total = removed = 0
    while not total or removed == CHUNK:
        removed = int((await database.execute(_statement(table, row, condition), CHUNK)).split()[-1])
        total += removed
        if not removed:
            break
    return total


def _statement(table: str, row: str, condition: str) -> str:
    # Only the literals above come in.
    return (
        f"DELETE FROM {table} WHERE {row} = ANY (ARRAY(SELECT {row} FROM {table} WHERE {condition} LIMIT $1))"  # noqa: S608
    )
