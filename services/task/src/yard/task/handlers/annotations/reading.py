"""Reading the objects of a job, or those of a task's jobs merged on overlap."""

import asyncio

from frameyard.annotation.v1 import annotation_service_pb2 as messages
from yard.annotations.defaults import Defaults
from yard.annotations.labels import LabelSchema
from yard.annotations.merge import MergeReport
from yard.runtime import errors
from yard.runtime.rpc.options import MESSAGE_BYTES
from yard.task.domain.annotation_selection import Wanted
from yard.task.handlers.annotations import messages as conversion
from yard.task.handlers.annotations.context import Annotations
from yard.task.handlers.annotations.merging import TaskObjects
from yard.task.handlers.annotations.scopes import Scope, scope_of
from yard.task.store import labels as label_store
from yard.task.store.annotations import reading
from yard.task.store.annotations.reading import LAST_FRAME, Selection


async def get_annotations(
    annotations: Annotations, request: messages.GetAnnotationsRequest
) -> messages.GetAnnotationsResponse:
    """Reads what is wanted; whoever wants more than one message holds has to stream it."""
    wanted = wanted_of(request)
    async with annotations.tasks.db.transaction() as tx:
        await reading.hold_snapshot(tx)
        scope = await scope_of(tx, request.target)
        labels = await label_store.labels_of(tx, scope.task)
        if scope.is_job:
            found = await reading.annotations_of(tx, selection_of(scope, wanted))
        else:
            found = await reading.annotations_of(tx, Selection(task_id=scope.task.id))
    objects = TaskObjects(scope=scope, labels=labels, annotations=found)
    response = await asyncio.to_thread(_response, objects, wanted)
    if response.ByteSize() > MESSAGE_BYTES:
        raise errors.ResourceExhausted("too many objects for one answer: stream them", reason="STREAM_THEM")
    return response


def wanted_of(request: messages.GetAnnotationsRequest | messages.StreamAnnotationsRequest) -> Wanted:
    """Which objects a request selects; InvalidArgument for frames that are none."""
    labels = frozenset(request.label_ids)
    if not request.HasField("frames"):
        return Wanted(first=0, last=LAST_FRAME, label_ids=labels)
    first, last = request.frames.first, request.frames.last
    if first < 0:
        raise errors.invalid("frames.first", f"must be 0 or more, got {first}")
    if last < first:
        raise errors.invalid("frames.last", f"must not be before the first, got {last}")
    return Wanted(first=min(first, LAST_FRAME), last=min(last, LAST_FRAME), label_ids=labels)


def selection_of(scope: Scope, wanted: Wanted) -> Selection:
    """The rows among which these are."""
    return Selection(
        task_id=scope.task.id,
        job_id=scope.job_id,
        first=wanted.first,
        last=wanted.last,
        label_ids=tuple(wanted.label_ids),
    )


def _response(objects: TaskObjects, wanted: Wanted) -> messages.GetAnnotationsResponse:
    scope, defaults = objects.scope, Defaults(LabelSchema(objects.labels))
    merged = None if scope.is_job else objects.merged()
    found = objects.annotations if merged is None else merged.annotations
    return messages.GetAnnotationsResponse(
        annotations=conversion.write(defaults.of_set(wanted.of(found))),
        revision=scope.revision,
        merge=None if merged is None else _report(merged.report),
    )


def _report(report: MergeReport) -> messages.MergeReport:
    return messages.MergeReport(
        merged_shapes=report.merged_shapes,
        merged_tracks=report.merged_tracks,
        merged_tags=report.merged_tags,
        joined_origins=report.joined_origins,
    )
