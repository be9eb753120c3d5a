"""Labels as the JSON text that people copy."""

import asyncio

from frameyard.task.v1 import label_service_pb2 as messages
from yard.annotations import raw_labels
from yard.annotations.errors import AnnotationError
from yard.annotations.labels import Label
from yard.runtime import errors
from yard.runtime.errors import InvalidArgument, Violation
from yard.task.domain.labels import MOST_LABELS, colored
from yard.task.handlers.access import readable_project, readable_task
from yard.task.handlers.context import Tasks
from yard.task.handlers.messages import label_to_proto
from yard.task.store.labels import labels_of, labels_of_project

LONGEST_TEXT = 4 * 1024 * 1024


async def parse_labels(request: messages.ParseLabelsRequest) -> messages.ParseLabelsResponse:
    """The labels of a text; InvalidArgument names every fault by its place in it."""
    if len(request.text.encode()) > LONGEST_TEXT:
        raise errors.invalid("text", f"must have at most {LONGEST_TEXT} bytes")
    try:
        parsed = await asyncio.to_thread(raw_labels.parse, request.text)
    except AnnotationError as fault:
        found = [Violation(f"text{each.field}", each.description) for each in fault.faults]
        raise InvalidArgument(violations=found) from fault
    if len(parsed.labels) > MOST_LABELS:
        raise errors.invalid("text", f"has {len(parsed.labels)} labels, at most {MOST_LABELS} are possible")
    return messages.ParseLabelsResponse(
        labels=map(label_to_proto, _with_colors(parsed.labels)), unknown_keys=parsed.unknown_keys
    )


def _with_colors(labels: list[Label]) -> list[Label]:
    """Labels that are there already keep the colours that they have, so they are left without."""
    given = colored(labels)
    return [label if label.id else color for label, color in zip(labels, given, strict=True)]


async def format_labels(tasks: Tasks, request: messages.FormatLabelsRequest) -> messages.FormatLabelsResponse:
    """The text of the labels of a task or a project."""
    labels = await _labels_of(tasks, request)
    text = raw_labels.written(labels, with_ids=not request.without_ids)
    return messages.FormatLabelsResponse(text=text)


async def _labels_of(tasks: Tasks, request: messages.FormatLabelsRequest) -> list[Label]:
    match request.WhichOneof("owner"):
        case "task_id":
            return await labels_of(tasks.db, await readable_task(tasks.db, request.task_id))
        case "project_id":
            project = await readable_project(tasks.db, request.project_id)
            return await labels_of_project(tasks.db, project.id)
        case _:
            raise errors.invalid("owner", "must name a task or a project")
