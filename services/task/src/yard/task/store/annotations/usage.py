"""Objects that use labels and attributes: how many there are, and what becomes of them when those go.

Counting locks the labels, which waits for saves that use them and keeps others out until the end of the
transaction: what was counted is what is deleted afterwards.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from sys import byteorder
from typing import TYPE_CHECKING, Final

from frameyard.annotation.v1.annotation_events_pb2 import AnnotationsChanged
from frameyard.annotation.v1.history_service_pb2 import REVISION_KIND_LABELS
from yard.runtime import clock
from yard.runtime.db import Transaction
from yard.task.domain.annotation_plans import Table
from yard.task.domain.history import Kept, Touched, packed_ids
from yard.task.store import Reader, history
from yard.task.store.annotations.writing import TABLES, revision_of
from yard.task.store.history import Limits, Saved

if TYPE_CHECKING:
    from frameyard.annotation.v1.history_service_pb2 import RevisionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """Objects of one job that were deleted, or that got other values or labels."""

    task_id: int
    job_id: int
    deleted: int = 0
    updated: int = 0
    lost: Mapping[Table, Sequence[int]] = field(default_factory=dict)
    """Ids of those that were deleted."""


async def count_by_label(reader: Reader, label_ids: Sequence[int]) -> dict[int, int]:
    """Objects by label; labels that none has are absent."""
    await reader.fetch(LOCK_LABELS, label_ids)
    rows = await reader.fetch(_COUNT_LABELS, label_ids, await tasks_using(reader, label_ids))
    return {row["label_id"]: row["objects"] for row in rows}


async def count_by_attribute(reader: Reader, attribute_ids: Sequence[int]) -> dict[int, int]:
    """Objects that give a value, by attribute; a track counts once, whatever its keyframes give."""
    label_ids = await _labels(reader, attribute_ids)
    await reader.fetch(LOCK_LABELS, label_ids)
    rows = await reader.fetch(
        _COUNT_ATTRIBUTES, label_ids, await tasks_using(reader, label_ids), attribute_ids
    )
    return {row["attribute_id"]: row["objects"] for row in rows}


async def delete_of_labels(tx: Transaction, label_ids: Sequence[int], *, user_id: int = 0) -> list[Deleted]:
    """Deletes all objects with these labels and tells of each job that had some; call it before they go."""
    tasks = await _lock_jobs(tx, label_ids)
    lost: dict[tuple[int, int], dict[Table, Sequence[int]]] = {}
    await tx.execute(_DELETE_KEYFRAMES, tasks, label_ids)
    for table in TABLES:
        for row in await tx.fetch(_DELETE[table], tasks, label_ids):
            packed = array("q", row["ids"])
            if byteorder == "little":
                packed.byteswap()
            lost.setdefault((row["task_id"], row["job_id"]), {})[table] = packed
    changed = [
        Deleted(task_id=place[0], job_id=place[1], deleted=sum(map(len, ids.values())), lost=ids)
        for place, ids in sorted(lost.items())
    ]
    await tell(tx, changed, user_id, REVISION_KIND_LABELS)
    return changed


async def delete_of_attributes(
    tx: Transaction, attribute_ids: Sequence[int], *, user_id: int = 0
) -> list[Deleted]:
    """Takes the values of these attributes from all objects; call it before they go."""
    label_ids = await _labels(tx, attribute_ids)
    tasks = await _lock_jobs(tx, label_ids)
    objects: dict[tuple[int, int], set[tuple[str, int]]] = {}
    for table, statement in _STRIP.items():
        for row in await tx.fetch(statement, tasks, label_ids, attribute_ids):
            objects.setdefault((row["task_id"], row["job_id"]), set()).add((table, row["id"]))
    for row in await tx.fetch(_STRIP_KEYFRAMES, tasks, label_ids, attribute_ids):
        objects.setdefault((row["task_id"], row["job_id"]), set()).add(("track", row["id"]))
    changed = [
        Deleted(task_id=place[0], job_id=place[1], updated=len(items))
        for place, items in sorted(objects.items())
    ]
    await tell(tx, changed, user_id, REVISION_KIND_LABELS)
    return changed


async def tell(
    tx: Transaction, changed: Sequence[Deleted], user_id: int, kind: RevisionKind.ValueType
) -> None:
    """One more revision a job and the event of it; nobody has worked, so no time counts."""
    now = clock.now()
    jobs = [one.job_id for one in changed]
    revisions = {row["id"]: row["revision"] for row in await tx.fetch(_RAISE_JOBS, jobs, now)}
    await tx.execute(_TOUCH_TASKS, sorted({one.task_id for one in changed}), now)
    task_revisions = {task_id: await revision_of(tx, task_id) for task_id in {one.task_id for one in changed}}
    for one in changed:
        event = AnnotationsChanged(
            task_id=one.task_id,
            job_id=one.job_id,
            revision=revisions[one.job_id],
            task_revision=task_revisions[one.task_id],
            user_id=user_id,
            updated=one.updated,
            deleted=one.deleted,
        )
        await tx.emit(event, key=str(one.task_id))
    # What had a label that is gone cannot come back, so that nothing but its ids is kept.
    saves = [
        Saved(
            task_id=one.task_id,
            job_id=one.job_id,
            number=revisions[one.job_id],
            kind=kind,
            user_id=user_id,
            created=0,
            updated=one.updated,
            deleted=one.deleted,
            kept=Kept(ids=packed_ids(Touched(lost=one.lost))),
        )
        for one in changed
    ]
    await history.record(tx, saves, Limits())


async def _labels(reader: Reader, attribute_ids: Sequence[int]) -> list[int]:
    rows = await reader.fetch(
        "SELECT DISTINCT label_id FROM attribute WHERE id = ANY ($1) ORDER BY label_id", attribute_ids
    )
    return [row["label_id"] for row in rows]


async def tasks_using(reader: Reader, label_ids: Sequence[int]) -> list[int]:
    """Tasks that may use the labels, hidden ones too; with them only their partitions are read."""
    return [row["id"] for row in await reader.fetch(_TASKS, label_ids)]


async def _lock_jobs(tx: Transaction, label_ids: Sequence[int]) -> list[int]:
    tasks = await tasks_using(tx, label_ids)
    await tx.fetch("SELECT FROM job WHERE task_id = ANY ($1) ORDER BY id FOR UPDATE", tasks)
    return tasks


LOCK_LABELS: Final = "SELECT FROM label WHERE id = ANY ($1) ORDER BY id FOR UPDATE"

_TASKS: Final = """
SELECT id
FROM task
WHERE id IN (SELECT task_id FROM label WHERE id = ANY ($1))
    OR project_id IN (SELECT project_id FROM label WHERE id = ANY ($1))
ORDER BY id
"""

_ALL: Final = " UNION ALL ".join(
    f"SELECT task_id, id, label_id, attribute_ids, '{table}' AS kind FROM {table} "  # noqa: S608
    "WHERE task_id = ANY ($2) AND label_id = ANY ($1)"
    for table in TABLES
)

_COUNT_LABELS: Final = f"""
SELECT label_id, count(*) AS objects
FROM ({_ALL}) AS object
GROUP BY label_id
"""  # noqa: S608 - literals only

_COUNT_ATTRIBUTES: Final = f"""
SELECT attribute_id, count(DISTINCT (kind, id)) AS objects
FROM (
    SELECT kind, id, attribute_ids
    FROM ({_ALL}) AS object
    UNION ALL
    SELECT 'track', track.id, keyframe.attribute_ids
    FROM track
    JOIN keyframe ON keyframe.task_id = track.task_id AND keyframe.track_id = track.id
    WHERE track.task_id = ANY ($2) AND track.label_id = ANY ($1)
) AS given
CROSS JOIN LATERAL unnest(attribute_ids) AS attribute_id
WHERE attribute_id = ANY ($3)
GROUP BY attribute_id
"""  # noqa: S608 - literals only

_DELETE: Final = {
    table: f"""
WITH gone AS (
    DELETE FROM {table}
    WHERE task_id = ANY ($1) AND label_id = ANY ($2)
    RETURNING task_id, job_id, id
)
SELECT task_id, job_id, string_agg(int8send(id), '') AS ids
FROM gone
GROUP BY task_id, job_id
"""  # noqa: S608 - literals only
    for table in TABLES
}

_DELETE_KEYFRAMES: Final = """
DELETE FROM keyframe
USING track
WHERE track.task_id = ANY ($1)
    AND track.label_id = ANY ($2)
    AND keyframe.task_id = track.task_id
    AND keyframe.track_id = track.id
"""

# The values that stay, at the places of their ids.
_KEPT: Final = """
SET attribute_ids = ARRAY(
        SELECT key
        FROM unnest({table}.attribute_ids, {table}.attribute_values)
            WITH ORDINALITY AS pair (key, value, place)
        WHERE key <> ALL ($3)
        ORDER BY place
    ),
    attribute_values = ARRAY(
        SELECT value
        FROM unnest({table}.attribute_ids, {table}.attribute_values)
            WITH ORDINALITY AS pair (key, value, place)
        WHERE key <> ALL ($3)
        ORDER BY place
    )
"""

_STRIP: Final = {
    table: f"""
UPDATE {table}
{_KEPT.format(table=table)}
WHERE task_id = ANY ($1) AND label_id = ANY ($2) AND attribute_ids && $3
RETURNING task_id, job_id, id
"""
    for table in TABLES
}

_STRIP_KEYFRAMES: Final = f"""
UPDATE keyframe
{_KEPT.format(table="keyframe")}
FROM track
WHERE track.task_id = ANY ($1)
    AND track.label_id = ANY ($2)
    AND keyframe.task_id = track.task_id
    AND keyframe.track_id = track.id
    AND keyframe.attribute_ids && $3
RETURNING track.task_id, track.job_id, track.id
"""

_RAISE_JOBS: Final = """
UPDATE job
SET revision = revision + 1, updated_at = $2
WHERE id = ANY ($1)
RETURNING id, revision
"""

_TOUCH_TASKS: Final = """
UPDATE task
SET updated_at = $2,
    sync_status = CASE WHEN sync_status IN (3, 4) THEN 1 ELSE sync_status END
WHERE id = ANY ($1)
"""
