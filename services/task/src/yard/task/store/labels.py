"""Tables label and attribute."""

from collections.abc import Mapping
from typing import Any, Final

from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind, LabelSchema
from yard.runtime.db import Record
from yard.task.domain.rows import Task
from yard.task.store import Reader

# The attributes of a label in their order, as a JSON array.
_ATTRIBUTES: Final = """(
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', attribute.id,
        'name', attribute.name,
        'mutable', attribute.mutable,
        'input', attribute.input,
        'values', attribute."values",
        'default_value', attribute.default_value
    ) ORDER BY attribute.position, attribute.id), '[]')
    FROM attribute
    WHERE attribute.label_id = label.id
)"""

# Labels in their order with their attributes in theirs, as one JSON array; ids and names come in as columns.
_ARRAY: Final = f"""
SELECT coalesce(jsonb_agg(jsonb_build_object(
    'id', label.id,
    'name', label.name,
    'color', label.color,
    'kind', label.kind,
    'attributes', {_ATTRIBUTES}
) ORDER BY label.position, label.id), '[]')
FROM label
"""  # noqa: S608 - literals only

# One a row.
COLUMNS: Final = f"label.id, label.name, label.color, label.kind, {_ATTRIBUTES} AS attributes"

OF_TASK: Final = f"{_ARRAY} WHERE label.task_id = task.id OR label.project_id = task.project_id"
OF_PROJECT: Final = f"{_ARRAY} WHERE label.project_id = project.id"

_LABELS_OF_TASK = f"SELECT ({OF_TASK}) FROM (VALUES ($1::bigint, $2::bigint)) AS task (id, project_id)"  # noqa: S608
_LABELS_OF_PROJECT = f"SELECT ({OF_PROJECT}) FROM (VALUES ($1::bigint)) AS project (id)"  # noqa: S608


def labels_from(array: list[dict[str, Any]]) -> list[Label]:
    """Labels from what OF_TASK and OF_PROJECT give."""
    return list(map(label_from, array))


def label_from(label: Mapping[str, Any] | Record) -> Label:
    """A label from an element of such an array, or from a row with COLUMNS."""
    return Label(
        id=label["id"],
        name=label["name"],
        color=label["color"],
        kind=LabelKind(label["kind"]),
        attributes=tuple(map(_attribute, label["attributes"])),
    )


async def labels_of(reader: Reader, task: Task) -> list[Label]:
    """Labels of the task or of its project, in their order."""
    return labels_from(await reader.fetchval(_LABELS_OF_TASK, task.id, task.project_id))


async def schema_of(reader: Reader, task: Task) -> LabelSchema:
    """The same, to be searched by id."""
    return LabelSchema(await labels_of(reader, task))


async def labels_of_project(reader: Reader, project_id: int) -> list[Label]:
    """Labels of a project, in their order."""
    return labels_from(await reader.fetchval(_LABELS_OF_PROJECT, project_id))


def _attribute(attribute: dict[str, Any]) -> Attribute:
    return Attribute(
        id=attribute["id"],
        name=attribute["name"],
        mutable=attribute["mutable"],
        input=AttributeInput(attribute["input"]),
        values=tuple(attribute["values"]),
        default_value=attribute["default_value"],
    )
