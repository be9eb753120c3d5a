"""Objects written by COPY, with ids that are reserved in one block before it."""

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from yard.annotations.batch import ObjectKind
from yard.annotations.model import AnnotationSet
from yard.runtime.db import Database, Transaction
from yard.task.domain.annotation_plans import Table
from yard.task.store.annotations import binary, rows
from yard.task.store.annotations.rows import Row

TABLES: Final[tuple[Table, ...]] = ("tag", "shape", "track")
# COPY takes one round trip more, and less time for each row.
MOST_INSERTED: Final = 20
_BLOCK: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Rows to delete by table and id, then rows to copy in."""

    task_id: int
    deleted: dict[Table, list[int]] = field(default_factory=dict)
    tags: Sequence[Row] = ()
    shapes: Sequence[Row] = ()
    tracks: Sequence[Row] = ()
    keyframes: Sequence[Row] = ()
    packed: Mapping[ObjectKind, bytes] = field(default_factory=dict)
    """Rows that `binary` has made, behind its header."""


def write_of(task_id: int, deleted: dict[Table, list[int]], inserted: AnnotationSet) -> Write:
    """What puts the objects, which have their ids, in place of those that are deleted."""
    return Write(
        task_id=task_id,
        deleted=deleted,
        tags=list(rows.tag_rows(task_id, inserted.tags)),
        shapes=list(rows.shape_rows(task_id, inserted.shapes)),
        tracks=list(rows.track_rows(task_id, inserted.tracks)),
        keyframes=list(rows.keyframe_rows(task_id, inserted.tracks)),
    )


class Ids:
    """New ids; those of small saves come from blocks, so that not each of them asks for its own."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._free: dict[Table, deque[int]] = {table: deque() for table in TABLES}

    async def take(self, table: Table, count: int) -> list[int]:
        """So many, ascending."""
        if count > _BLOCK:
            return await reserve(self._db, table, count)
        free = self._free[table]
        if len(free) < count:
            free += await reserve(self._db, table, _BLOCK)
        return sorted(free.popleft() for _ in range(count))


async def reserve(db: Database, table: Table, count: int) -> list[int]:
    """So many new ids, ascending; those that are never used are lost, which is no harm."""
    if not count:
        return []
    ids: list[int] = await db.fetchval(_RESERVE, f"{table}_id", count)
    return ids


async def apply(tx: Transaction, write: Write) -> None:
    """Deletes and inserts, one statement a table each."""
    for table, ids in write.deleted.items():
        if ids:
            await delete(tx, table, write.task_id, ids)
    copies = (
        ("tag", write.tags, rows.TAG_COLUMNS),
        ("shape", write.shapes, rows.SHAPE_COLUMNS),
        ("track", write.tracks, rows.TRACK_COLUMNS),
        ("keyframe", write.keyframes, rows.KEYFRAME_COLUMNS),
    )
    for name, records, columns in copies:
        if len(records) > MOST_INSERTED:
            await tx.copy_records(name, records, ("task_id", *columns))
        elif records:
            await tx.executemany(_INSERT[name], records)
    for kind, content in write.packed.items():
        await copy_in(tx, kind, _single(content))


async def _single(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def delete(tx: Transaction, table: Table, task_id: int, ids: Sequence[int]) -> None:
    """Deletes objects by id; tracks with their keyframes."""
    await tx.execute(f"DELETE FROM {table} WHERE task_id = $1 AND id = ANY ($2)", task_id, ids)  # noqa: S608
    if table == "track":
        await tx.execute("DELETE FROM keyframe WHERE task_id = $1 AND track_id = ANY ($2)", task_id, ids)


async def copy_in(tx: Transaction, kind: ObjectKind, rows_: AsyncIterator[bytes]) -> None:
    """Copies rows in that `binary` has made, of which the first piece begins with the header."""

    async def content() -> AsyncIterator[bytes]:
        async for piece in rows_:
            yield piece
        yield binary.TRAILER

    await tx.copy_binary(kind.name.lower(), content(), binary.COLUMNS[kind])


async def counts_of_jobs(tx: Transaction, task_id: int, job_ids: Sequence[int]) -> dict[int, int]:
    """Objects that these jobs of a task hold; jobs that have none are absent."""
    return {row["job_id"]: row["objects"] for row in await tx.fetch(_COUNT, task_id, job_ids)}


async def delete_of_jobs(tx: Transaction, task_id: int, job_ids: Sequence[int]) -> None:
    """Deletes all objects of these jobs of a task."""
    await tx.execute(_DELETE_KEYFRAMES, task_id, job_ids)
    for table in TABLES:
        await tx.execute(f"DELETE FROM {table} WHERE task_id = $1 AND job_id = ANY ($2)", task_id, job_ids)  # noqa: S608


async def hold(tx: Transaction, task_id: int, label_ids: Sequence[int], job_id: int = 0) -> None:
    """Keeps task and labels from being deleted until the end, as foreign keys would for each object.

    Locks are taken in the order task, labels, jobs, here as where labels are changed; a job that is named is
    locked too. Each statement sees what was committed while the one before it waited.
    """
    statements = [f"SELECT FROM task WHERE id = {task_id:d} FOR KEY SHARE"]
    if label_ids:
        numbers = ", ".join(f"{id_:d}" for id_ in sorted(set(label_ids)))
        statements.append(f"SELECT FROM label WHERE id IN ({numbers}) ORDER BY id FOR KEY SHARE")
    if job_id:
        statements.append(f"SELECT FROM job WHERE id = {job_id:d} FOR UPDATE")
    # One round trip: only a script without arguments may have several statements.
    await tx.execute("; ".join(statements))


async def revision_of(tx: Transaction, task_id: int) -> int:
    """Revision of a task: the sum of its jobs'."""
    total: int = await tx.fetchval(
        "SELECT coalesce(sum(revision), 0)::bigint FROM job WHERE task_id = $1", task_id
    )
    return total


_RESERVE = "SELECT array_agg(nextval($1::regclass)) FROM generate_series(1, $2::bigint)"

_COUNT: Final = """
SELECT job_id, count(*) AS objects
FROM (
    SELECT job_id FROM tag WHERE task_id = $1 AND job_id = ANY ($2)
    UNION ALL
    SELECT job_id FROM shape WHERE task_id = $1 AND job_id = ANY ($2)
    UNION ALL
    SELECT job_id FROM track WHERE task_id = $1 AND job_id = ANY ($2)
) AS object
GROUP BY job_id
"""

_DELETE_KEYFRAMES: Final = """
DELETE FROM keyframe
WHERE task_id = $1 AND track_id IN (SELECT id FROM track WHERE task_id = $1 AND job_id = ANY ($2))
"""


def _insert(table: str, columns: Sequence[str]) -> str:
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - literals only


_INSERT: Final = {
    "tag": _insert("tag", ("task_id", *rows.TAG_COLUMNS)),
    "shape": _insert("shape", ("task_id", *rows.SHAPE_COLUMNS)),
    "track": _insert("track", ("task_id", *rows.TRACK_COLUMNS)),
    "keyframe": _insert("keyframe", ("task_id", *rows.KEYFRAME_COLUMNS)),
}
