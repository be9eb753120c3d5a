"""Changes of labels and attributes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from yard.annotations.labels import Attribute, Label
from yard.runtime.db import Transaction
from yard.task.domain.label_changes import LabelPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """What labels belong to: one of both."""

    project_id: int | None = None
    task_id: int | None = None


async def lock(tx: Transaction, owner: Owner) -> None:
    """Changes of the labels of one owner come one after the other."""
    key = f"labels/{owner.project_id}/{owner.task_id}"
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)


async def insert(tx: Transaction, owner: Owner, labels: Sequence[Label]) -> None:
    """Adds labels behind those that are there, in their order."""
    rows = await tx.fetch(
        """
        INSERT INTO label (project_id, task_id, position, name, color, kind)
        SELECT $1::bigint, $2::bigint, last.position + new.number, new.name, new.color, new.kind
        FROM unnest($3::text[], $4::text[], $5::smallint[])
            WITH ORDINALITY AS new (name, color, kind, number),
            (
                SELECT coalesce(max(position), -1) AS position
                FROM label
                WHERE project_id = $1 OR task_id = $2
            ) AS last
        ORDER BY new.number
        RETURNING id, name
        """,
        owner.project_id,
        owner.task_id,
        [label.name for label in labels],
        [label.color for label in labels],
        [int(label.kind) for label in labels],
    )
    ids = {row["name"]: row["id"] for row in rows}
    await _insert_attributes(
        tx, [(ids[label.name], attribute) for label in labels for attribute in label.attributes]
    )


async def apply(tx: Transaction, owner: Owner, plan: LabelPlan) -> None:
    """Carries out a checked change."""
    await tx.execute("DELETE FROM label WHERE id = ANY($1::bigint[])", plan.deleted_labels)
    await tx.execute("DELETE FROM attribute WHERE id = ANY($1::bigint[])", plan.deleted_attributes)
    await tx.executemany(
        "UPDATE label SET name = $2, color = $3, kind = $4 WHERE id = $1",
        [(label.id, label.name, label.color, int(label.kind)) for label in plan.changed],
    )
    attributes = [(label.id, attribute) for label in plan.changed for attribute in label.attributes]
    await _update_attributes(tx, [attribute for _, attribute in attributes if attribute.id])
    await _insert_attributes(tx, [pair for pair in attributes if not pair[1].id])
    await insert(tx, owner, plan.added)


async def _update_attributes(tx: Transaction, attributes: Iterable[Attribute]) -> None:
    await tx.executemany(
        """
        UPDATE attribute
        SET name = $2, mutable = $3, input = $4, "values" = $5, default_value = $6
        WHERE id = $1
        """,
        [(attribute.id, *_columns(attribute)) for attribute in attributes],
    )


async def _insert_attributes(tx: Transaction, attributes: Iterable[tuple[int, Attribute]]) -> None:
    """Adds attributes to labels by their ids, behind those that are there."""
    await tx.executemany(
        """
        INSERT INTO attribute (label_id, position, name, mutable, input, "values", default_value)
        SELECT
            $1::bigint,
            coalesce(max(position) + 1, 0),
            $2::text, $3::boolean, $4::smallint, $5::text[], $6::text
        FROM attribute
        WHERE label_id = $1
        """,
        [(label_id, *_columns(attribute)) for label_id, attribute in attributes],
    )


def _columns(attribute: Attribute) -> tuple[Any, ...]:
    return (
        attribute.name,
        attribute.mutable,
        int(attribute.input),
        list(attribute.values),
        attribute.default_value,
    )
