"""Objects that a change of labels concerns, counted in one pass over each table."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from yard.annotations.labels import Attribute, AttributeInput
from yard.runtime.db import Transaction
from yard.task.domain.label_effects import Counted, Question
from yard.task.store import Reader
from yard.task.store.annotations.usage import LOCK_LABELS, tasks_using
from yard.task.store.annotations.writing import TABLES


async def lock(tx: Transaction, question: Question) -> None:
    """Waits for saves that use the labels and keeps others out: what is counted stays so until the end."""
    if question.label_ids:
        await tx.fetch(LOCK_LABELS, question.label_ids)


async def count(reader: Reader, question: Question) -> dict[int, Counted]:
    """Objects by label; labels of which no object is concerned may be absent."""
    if not question.label_ids:
        return {}
    arguments = (
        await tasks_using(reader, question.label_ids),
        list(_concerns(question)),
        [id_ for ids in question.stripped.values() for id_ in ids],
        [_rule(attribute) for attributes in question.rules.values() for attribute in attributes],
    )
    found: dict[int, Counted] = {}
    for table in TABLES:
        for row in await reader.fetch(_COUNT[table], *arguments):
            label_id, *numbers = row
            fields = ("deleted", "stripped", "misfit_objects", "misfit_values")
            counted = Counted(**dict(zip(fields, numbers, strict=True)))
            found[label_id] = found.get(label_id, Counted()) + counted
    return found


def _concerns(question: Question) -> Iterator[dict[str, Any]]:
    gone = frozenset(question.deleted)
    for label_id in question.label_ids:
        kind = question.kinds.get(label_id)
        yield {
            "label_id": label_id,
            "is_deleted": label_id in gone,
            "is_stripped": label_id in question.stripped,
            "kind": None if kind is None else int(kind),
            "has_rules": label_id in question.rules,
        }


def _rule(attribute: Attribute) -> dict[str, Any]:
    rule = {
        "id": attribute.id,
        "mutable": attribute.mutable,
        "input": int(attribute.input),
        "options": list(attribute.values),
    }
    if attribute.input is AttributeInput.NUMBER:
        low, high, step = (format(Decimal(text), "f") for text in attribute.values)
        rule |= {"low": low, "high": high, "step": step}
    return rule


# The rules of `Attribute.fault_of` as far as they can be broken by a change: lengths were checked before.
_NUMBER: Final = r"""
CASE
    WHEN plain ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?0*[0-9]{1,4})?$' THEN NOT (
        SELECT (number = 0 OR (abs(number) >= 1e-30 AND abs(number) < 1e31))
            AND number BETWEEN rule.low AND rule.high
            AND (number = rule.high OR mod(number - rule.low, rule.step) = 0)
        FROM (SELECT plain::numeric AS number) AS read
    )
    ELSE true
END
"""
_WRONG: Final = rf"""
CASE rule.input
    WHEN {AttributeInput.SELECT:d} THEN value <> ALL (rule.options)
    WHEN {AttributeInput.RADIO:d} THEN value <> ALL (rule.options)
    WHEN {AttributeInput.CHECKBOX:d} THEN CASE
        WHEN cardinality(rule.options) < 2 THEN value NOT IN ('true', 'false')
        ELSE value <> '' AND (
            NOT chosen <@ rule.options
            OR cardinality(chosen) > (SELECT count(DISTINCT option) FROM unnest(chosen) AS option)
        )
    END
    WHEN {AttributeInput.NUMBER:d} THEN {_NUMBER}
    ELSE false
END
"""  # noqa: S608 - literals only


def _has_wrong(source: str, misplaced: str = "false") -> str:
    """Whether one of the values of a row is not allowed, or not in this place."""
    return f"""
        EXISTS (
            SELECT
            FROM unnest({source}.attribute_ids, {source}.attribute_values) AS given (id, value)
            JOIN rule ON rule.id = given.id
            CROSS JOIN LATERAL (
                SELECT string_to_array(value, E'\\n') AS chosen,
                    btrim(replace(value, '_', ''), E' \\t\\n\\r\\f\\v') AS plain
            ) AS parts
            WHERE {misplaced} OR {_WRONG}
        )
    """  # noqa: S608 - literals only


def _keyframe(condition: str) -> str:
    """Whether the track has a keyframe like this."""
    return f"""
        EXISTS (
            SELECT
            FROM keyframe
            WHERE keyframe.task_id = item.task_id AND keyframe.track_id = item.id AND {condition}
        )
    """  # noqa: S608 - literals only


_OF_OTHER_KIND: Final = {
    "tag": "concern.kind <> 9",
    "shape": "item.kind + 1 <> concern.kind",
    "track": _keyframe("keyframe.kind + 1 <> concern.kind"),
}
_STRIPPED: Final = {
    "tag": "item.attribute_ids && $3",
    "shape": "item.attribute_ids && $3",
    "track": f"(item.attribute_ids && $3 OR {_keyframe('keyframe.attribute_ids && $3')})",
}
_WITH_WRONG_VALUES: Final = {
    "tag": _has_wrong("item"),
    "shape": _has_wrong("item"),
    "track": f"""(
        {_has_wrong("item", "rule.mutable")}
        OR {_keyframe(_has_wrong("keyframe", "NOT rule.mutable"))}
    )""",
}

_COUNT: Final = {
    table: f"""
WITH concern AS MATERIALIZED (
    SELECT *
    FROM jsonb_to_recordset($2)
        AS concern (label_id bigint, is_deleted boolean, is_stripped boolean, kind integer, has_rules boolean)
),
rule AS MATERIALIZED (
    SELECT *
    FROM jsonb_to_recordset($4) AS rule (
        id bigint, mutable boolean, input integer, options text[], low numeric, high numeric, step numeric
    )
)
SELECT item.label_id,
    count(*) FILTER (WHERE concern.is_deleted) AS deleted,
    count(*) FILTER (WHERE concern.is_stripped AND {_STRIPPED[table]}) AS stripped,
    count(*) FILTER (WHERE concern.kind IS NOT NULL AND {_OF_OTHER_KIND[table]}) AS misfit_objects,
    count(*) FILTER (WHERE concern.has_rules AND {_WITH_WRONG_VALUES[table]}) AS misfit_values
FROM {table} AS item
JOIN concern ON concern.label_id = item.label_id
WHERE item.task_id = ANY ($1)
GROUP BY item.label_id
"""  # noqa: S608 - literals only
    for table in TABLES
}
