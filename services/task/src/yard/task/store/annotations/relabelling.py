"""Objects of a task that get other labels and attributes, one statement a table."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from yard.runtime.db import Transaction
from yard.task.store import Reader
from yard.task.store.annotations.usage import Deleted
from yard.task.store.annotations.writing import TABLES

# A million objects take some ten seconds.
_TIMEOUT_S: Final = 3600.0


async def labels_in_use(reader: Reader, task_id: int, label_ids: Iterable[int]) -> set[int]:
    """Those of the labels that objects of the task have."""
    return {row["label_id"] for row in await reader.fetch(_IN_USE, task_id, list(label_ids))}


async def relabel(
    tx: Transaction, task_id: int, labels: Mapping[int, int], attributes: Mapping[int, int]
) -> list[Deleted]:
    """Puts new ids, given by old ones, into all objects of the locked jobs; tells of each that has some."""
    objects: Counter[int] = Counter()
    of_attributes = list(attributes), list(attributes.values())
    for table in TABLES:
        of_labels = list(labels), list(labels.values())
        rows = await tx.fetch(_RELABEL[table], task_id, *of_attributes, *of_labels, timeout_s=_TIMEOUT_S)
        objects.update({row["job_id"]: row["objects"] for row in rows})
    if attributes:
        await tx.fetch(_RELABEL_KEYFRAMES, task_id, *of_attributes, timeout_s=_TIMEOUT_S)
    return [
        Deleted(task_id=task_id, job_id=job_id, updated=count) for job_id, count in sorted(objects.items())
    ]


_IN_USE: Final = " UNION ".join(
    f"SELECT label_id FROM {table} WHERE task_id = $1 AND label_id = ANY ($2)"  # noqa: S608 - literals only
    for table in TABLES
)

# Most objects have the same attributes as others: each list of ids is worked out once. Ids keep their places,
# as values stand at the same ones.
_FITTED: Final = """
fitted AS MATERIALIZED (
    SELECT given.ids,
        ARRAY(
            SELECT coalesce(step.new_id, item.id)
            FROM unnest(given.ids) WITH ORDINALITY AS item (id, place)
            LEFT JOIN unnest($2::bigint[], $3::bigint[]) AS step (old_id, new_id) ON step.old_id = item.id
            ORDER BY item.place
        ) AS new_ids
    FROM (SELECT DISTINCT attribute_ids AS ids FROM {table} WHERE task_id = $1) AS given
)
"""

_RELABEL: Final = {
    table: f"""
WITH {_FITTED.format(table=table)}, done AS (
    UPDATE {table}
    SET label_id = step.new_id, attribute_ids = fitted.new_ids
    FROM fitted, unnest($4::bigint[], $5::bigint[]) AS step (old_id, new_id)
    WHERE {table}.task_id = $1 AND {table}.label_id = step.old_id AND {table}.attribute_ids = fitted.ids
    RETURNING {table}.job_id
)
SELECT job_id, count(*) AS objects
FROM done
GROUP BY job_id
"""  # noqa: S608 - literals only
    for table in TABLES
}

_RELABEL_KEYFRAMES: Final = f"""
WITH {_FITTED.format(table="keyframe")}
UPDATE keyframe
SET attribute_ids = fitted.new_ids
FROM fitted
WHERE keyframe.task_id = $1 AND keyframe.attribute_ids = fitted.ids AND fitted.ids <> fitted.new_ids
"""  # noqa: S608 - literals only
