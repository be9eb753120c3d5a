"""Tables revision and revision_part: written by saves, forgotten from the oldest on."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from yard.runtime.db import Database, Record, Transaction
from yard.task.domain.history import Kept
from yard.task.domain.past import Succession
from yard.task.store import Reader

# Where a task is over its bytes this share of them is forgotten, so that not every save has to.
_ROOM: Final = 8
# Parts that are held at once while a state is read, by what saves say that they take.
WINDOW_BYTES: Final = 4 * 1024 * 1024
_PARTS_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is kept of one job; 0 is no limit."""

    most_revisions: int = 0
    most_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A save of a locked job; `restored` is the revision that it brought back."""

    task_id: int
    job_id: int
    number: int
    kind: int
    user_id: int
    created: int
    updated: int
    deleted: int
    kept: Kept
    restored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionView:
    """A revision as people see it."""

    job_id: int
    number: int
    kind: int
    user_id: int
    username: str
    created: int
    updated: int
    deleted: int
    restored: int
    saved_at: datetime
    is_readable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A revision as the way back sees it."""

    number: int
    ids: bytes
    size_bytes: int
    saved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which revisions a list shows: of a task or of one job of it; `after` is the place of the last one."""

    task_id: int
    job_id: int | None
    limit: int
    after: tuple[datetime, int, int] | None = field(default=None)


async def record(tx: Transaction, saves: Sequence[Saved], limits: Limits) -> None:
    """Notes the saves, in one statement, and forgets what is over the limits."""
    parts = [(save, number, part) for save in saves for number, part in enumerate(save.kept.parts)]
    rows = await tx.fetch(
        _RECORD,
        [save.job_id for save in saves],
        [save.number for save in saves],
        [save.task_id for save in saves],
        [save.kind for save in saves],
        [save.user_id for save in saves],
        [save.created for save in saves],
        [save.updated for save in saves],
        [save.deleted for save in saves],
        [save.restored for save in saves],
        [save.kept.ids for save in saves],
        [save.kept.size_bytes for save in saves],
        [save.job_id for save, _, _ in parts],
        [save.number for save, _, _ in parts],
        [number for _, number, _ in parts],
        [part for _, _, part in parts],
        limits.most_revisions,
    )
    for row in rows:
        if limits.most_bytes and row["history_bytes"] > limits.most_bytes:
            await forget_bytes(tx, row["id"], limits.most_bytes)


async def add_parts(
    tx: Transaction, job_id: int, number: int, parts: Iterable[tuple[int, bytes]], limits: Limits
) -> None:
    """Adds parts with their numbers to a save that is noted already: for those that are too many at once."""
    size = 0
    for place, content in parts:
        await tx.execute(_ADD_PART, job_id, number, place, content)
        size += len(content)
    bytes_: int = await tx.fetchval(_ADD_BYTES, job_id, number, size)
    if limits.most_bytes and bytes_ > limits.most_bytes:
        await forget_bytes(tx, job_id, limits.most_bytes)


async def forget_bytes(tx: Transaction, job_id: int, most_bytes: int) -> None:
    """Empties the oldest saves of a locked job until the others leave some room; their rows stay."""
    number = await tx.fetchval(_TOO_MANY_BYTES, job_id, most_bytes - most_bytes // _ROOM)
    if number is not None:
        await tx.execute("DELETE FROM revision_part WHERE job_id = $1 AND number <= $2", job_id, number)
        await tx.execute(_EMPTY, job_id, number)


async def forget_until(tx: Transaction, job_id: int, number: int) -> None:
    """Removes the saves of a locked job up to this one."""
    await tx.execute(_REMOVE, job_id, number)


async def over_limits(db: Database, limits: Limits, count: int) -> list[tuple[int, int]]:
    """Some jobs that have more than the limits allow, since they were lowered, with their revisions."""
    rows = await db.fetch(_OVER_LIMITS, limits.most_revisions, limits.most_bytes, count)
    return [(row["id"], row["revision"]) for row in rows]


async def older_than(db: Database, before: datetime, count: int) -> dict[int, int]:
    """Some jobs with saves from before then, with the last of them that was found."""
    rows = await db.fetch(_OLDER, before, count)
    return {row["job_id"]: row["number"] for row in rows}


async def page(reader: Reader, search: Search) -> list[RevisionView]:
    """Revisions, newest first."""
    arguments: list[Any] = [search.task_id, search.limit]
    wheres = ["revision.task_id = $1"]
    if search.job_id is not None:
        arguments.append(search.job_id)
        wheres.append(f"revision.job_id = ${len(arguments)}")
    if search.after is not None:
        wheres.append(_after(search, arguments))
    order = "number DESC" if search.job_id is not None else "saved_at DESC, job_id DESC, number DESC"
    rows = await reader.fetch(_PAGE.format(where=" AND ".join(wheres), order=order), *arguments)
    return [RevisionView(**dict(row)) for row in rows]


async def floor_of(reader: Reader, job_id: int) -> int:
    """The oldest revision whose state can be read."""
    floor: int = await reader.fetchval("SELECT history_floor FROM job WHERE id = $1", job_id)
    return floor


async def steps_after(reader: Reader, job_id: int, after: int, until: int) -> AsyncIterator[list[Step]]:
    """Revisions in their order, so many at a time as their parts may be held at once."""
    while rows := await reader.fetch(_STEPS, job_id, after, until, WINDOW_BYTES):
        yield [Step(**dict(row)) for row in rows]
        after = rows[-1]["number"]


async def parts_of(reader: Reader, job_id: int, steps: Sequence[Step]) -> AsyncIterator[list[Record]]:
    """Rows of number, part, content and time of these revisions, in their order; some at a time."""
    wanted = [step.number for step in steps if step.size_bytes]
    if not wanted:
        return
    # A window of several saves fits into memory, a single one that does not is read a few parts at a time.
    limit = _PARTS_AT_ONCE if len(steps) == 1 else 2**31 - 1
    place = (wanted[0], -1)
    while rows := await reader.fetch(_PARTS, job_id, *place, wanted[-1], limit):
        yield rows
        if len(rows) < limit:
            return
        place = (rows[-1]["number"], rows[-1]["part"])


async def successions_of(reader: Reader, task_id: int) -> list[Succession]:
    """What took the place of labels and attributes of a task."""
    rows = await reader.fetch(
        """
        SELECT is_attribute, old_id, new_id, moved_at
        FROM label_succession
        WHERE task_id = $1
        """,
        task_id,
    )
    return [Succession(**dict(row)) for row in rows]


def _after(search: Search, arguments: list[Any]) -> str:
    assert search.after is not None
    saved_at, job_id, number = search.after
    if search.job_id is not None:
        arguments.append(number)
        return f"revision.number < ${len(arguments)}"
    arguments.extend((saved_at, job_id, number))
    first = len(arguments) - 2
    place = f"(${first}::timestamptz, ${first + 1}::bigint, ${first + 2}::bigint)"
    return f"(revision.saved_at, revision.job_id, revision.number) < {place}"


_RECORD: Final = """
WITH saved AS (
    INSERT INTO revision (
        job_id, number, task_id, kind, user_id, created, updated, deleted, restored, ids, size_bytes
    )
    SELECT *
    FROM unnest(
        $1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[], $5::bigint[], $6::int[], $7::int[],
        $8::int[], $9::bigint[], $10::bytea[], $11::bigint[]
    )
    RETURNING job_id, number, size_bytes
), parts AS (
    INSERT INTO revision_part (job_id, number, part, content)
    SELECT *
    FROM unnest($12::bigint[], $13::bigint[], $14::int[], $15::bytea[])
), gone AS (
    DELETE FROM revision
    USING saved
    WHERE $16::bigint > 0
        AND revision.job_id = saved.job_id
        AND revision.number <= saved.number - $16
    RETURNING revision.job_id, revision.size_bytes
)
UPDATE job
SET history_bytes = history_bytes + saved.size_bytes - coalesce(
        (SELECT sum(gone.size_bytes) FROM gone WHERE gone.job_id = job.id)::bigint, 0
    ),
    history_floor = CASE WHEN $16 > 0 THEN greatest(history_floor, saved.number - $16) ELSE history_floor END
FROM saved
WHERE job.id = saved.job_id
RETURNING job.id, job.history_bytes
"""

_ADD_PART: Final = "INSERT INTO revision_part (job_id, number, part, content) VALUES ($1, $2, $3, $4)"

_ADD_BYTES: Final = """
WITH grown AS (
    UPDATE revision SET size_bytes = size_bytes + $3 WHERE job_id = $1 AND number = $2
)
UPDATE job SET history_bytes = history_bytes + $3 WHERE id = $1 RETURNING history_bytes
"""

# The newest save that is too much together with those after it.
_TOO_MANY_BYTES: Final = """
SELECT max(number)
FROM (
    SELECT number, sum(size_bytes) OVER (ORDER BY number DESC) AS total
    FROM revision
    WHERE job_id = $1
) AS sums
WHERE total > $2
"""

_EMPTY: Final = """
WITH emptied AS (
    UPDATE revision AS after
    SET ids = '', size_bytes = 0
    FROM revision AS before
    WHERE after.job_id = $1
        AND after.number <= $2
        AND after.size_bytes > 0
        AND before.job_id = after.job_id
        AND before.number = after.number
    RETURNING before.size_bytes
)
UPDATE job
SET history_bytes = history_bytes - coalesce((SELECT sum(size_bytes) FROM emptied)::bigint, 0),
    history_floor = greatest(history_floor, $2)
WHERE id = $1
"""

_REMOVE: Final = """
WITH gone AS (
    DELETE FROM revision WHERE job_id = $1 AND number <= $2 RETURNING size_bytes
)
UPDATE job
SET history_bytes = history_bytes - coalesce((SELECT sum(size_bytes) FROM gone)::bigint, 0),
    history_floor = greatest(history_floor, $2)
WHERE id = $1
"""

_OVER_LIMITS: Final = """
SELECT id, revision
FROM job
WHERE ($1::bigint > 0 AND history_floor < revision - $1) OR ($2::bigint > 0 AND history_bytes > $2)
LIMIT $3
"""

_OLDER: Final = """
SELECT job_id, max(number) AS number
FROM (SELECT job_id, number FROM revision WHERE saved_at < $1 ORDER BY saved_at LIMIT $2) AS old
GROUP BY job_id
ORDER BY job_id
"""

_PAGE: Final = """
SELECT revision.job_id, number, kind, user_id, coalesce(person.username, '') AS username, created, updated,
    deleted, restored, saved_at, number >= job.history_floor AS is_readable
FROM revision
JOIN job ON job.id = revision.job_id
LEFT JOIN person ON person.id = revision.user_id
WHERE {where}
ORDER BY {order}
LIMIT $2
"""

# The first one, and those after it that fit into the window with it.
_STEPS: Final = """
SELECT number, ids, size_bytes, saved_at
FROM (
    SELECT number, ids, size_bytes, saved_at,
        sum(size_bytes) OVER (ORDER BY number) AS total,
        row_number() OVER (ORDER BY number) AS place
    FROM revision
    WHERE job_id = $1 AND number > $2 AND number <= $3
) AS sums
WHERE total <= $4 OR place = 1
ORDER BY number
LIMIT 500
"""

_PARTS: Final = """
SELECT number, part, content, saved_at
FROM revision_part
JOIN revision USING (job_id, number)
WHERE job_id = $1 AND (number, part) > ($2, $3) AND number <= $4
ORDER BY number, part
LIMIT $5
"""
