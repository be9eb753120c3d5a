"""Saves of nothing but new shapes in one job, the most frequent large ones, worked out as columns.

They answer as all others do. Whatever is out of the ordinary, faults too, is left to `drafts`.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from frameyard.annotation.v1 import annotation_pb2
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1.history_service_pb2 import REVISION_KIND_PATCH, REVISION_KIND_PUT
from yard.annotations.batch import Batch, ObjectKind
from yard.annotations.defaults import Defaults
from yard.annotations.model import AnnotationSet, Attributes
from yard.annotations.screening import screened
from yard.annotations.validation import Rules
from yard.runtime.db import Transaction
from yard.task.domain import history
from yard.task.domain.annotation_plans import Counts, Trace
from yard.task.handlers.annotations import drafts, shape_columns
from yard.task.handlers.annotations.context import Annotations
from yard.task.handlers.annotations.drafts import Draft, Seen
from yard.task.handlers.annotations.scopes import Scope
from yard.task.store.annotations import binary, reading, writing
from yard.task.store.annotations.writing import Write

if TYPE_CHECKING:
    from frameyard.annotation.v1.history_service_pb2 import RevisionKind

# Fewer are done sooner one by one.
FEW: Final = 20


async def draft_put(annotations: Annotations, request: messages.PutAnnotationsRequest) -> Draft | None:
    """New shapes in a job that holds nothing; None if it is not that."""
    if not _is_ordinary(request.target, request.annotations):
        return None
    is_empty = False

    async def look(tx: Transaction, scope: Scope) -> AnnotationSet:
        nonlocal is_empty
        is_empty = await reading.is_empty(tx, scope.task.id, scope.jobs[0].id)
        return AnnotationSet()

    seen = await drafts.see(annotations, request.target, look)
    if not is_empty:
        return None
    return await _draft(annotations, seen, request.annotations, kind=REVISION_KIND_PUT, is_bound=True)


async def draft_patch(annotations: Annotations, request: messages.PatchAnnotationsRequest) -> Draft | None:
    """New shapes in a job; None if it is not that."""
    is_more = bool(request.update.ByteSize() or request.delete.ByteSize())
    if is_more or not _is_ordinary(request.target, request.create):
        return None
    seen = await drafts.see_again(annotations, request.target)
    return await _draft(annotations, seen, request.create, kind=REVISION_KIND_PATCH, is_bound=False)


def _is_ordinary(target: messages.AnnotationTarget, given: annotation_pb2.AnnotationSet) -> bool:
    is_of_job = target.WhichOneof("target") == "job_id"
    return is_of_job and len(given.shapes) > FEW and not given.tags and not given.tracks


async def _draft(
    annotations: Annotations,
    seen: Seen,
    given: annotation_pb2.AnnotationSet,
    *,
    kind: "RevisionKind.ValueType",
    is_bound: bool,
) -> Draft | None:
    task, job_id = seen.scope.task, seen.scope.jobs[0].id
    batches = await asyncio.to_thread(_columns, given.shapes, job_id)
    if batches is None:
        return None
    frames = {frame for batch in batches for frame in np.frombuffer(batch.frame, "<i4").tolist()}
    rules = drafts.rules_of(seen, await drafts.sizes(annotations, task, frames))
    good = await asyncio.to_thread(_checked, batches, rules)
    if good is None:
        return None
    ids = await writing.reserve(annotations.tasks.db, "shape", len(given.shapes))

    def make() -> Draft:
        answer = _answer(given, ids, job_id, seen.defaults)
        _place(answer, batches, good)
        trace = Trace(
            counts=Counts(created=len(ids)),
            removed=AnnotationSet(),
            written={"tag": (), "shape": ids, "track": ()},
        )
        drafts.check_size(answer)
        return Draft(
            seen=seen,
            is_bound=is_bound,
            faults=[],
            traces={job_id: trace},
            kept={job_id: history.kept(trace)},
            kind=kind,
            label_ids=sorted({shape.label_id for shape in given.shapes}),
            write=Write(task_id=task.id, packed=_packed(good, task.id, ids)),
            answer=answer,
        )

    return await asyncio.to_thread(make)


def _columns(shapes: Sequence[annotation_pb2.Shape], job_id: int) -> list[Batch] | None:
    batches = shape_columns.batches(shapes, job_id)
    return None if batches is None else list(batches)


def _checked(batches: Sequence[Batch], rules: Rules) -> list[Batch] | None:
    """The batches as they are to be stored; None if something is wrong."""
    good = []
    for batch in batches:
        found = screened(batch, rules, str)
        if found.faults:
            return None
        good.append(found.batch)
    return good


def _packed(batches: Sequence[Batch], task_id: int, ids: Sequence[int]) -> dict[ObjectKind, bytes]:
    pieces, begin = [binary.HEADER], 0
    for batch in batches:
        pieces.append(binary.copy_rows(batch, task_id=task_id, id=ids[begin : begin + batch.count]))
        begin += batch.count
    return {ObjectKind.SHAPE: b"".join(pieces)}


def _answer(
    given: annotation_pb2.AnnotationSet, ids: Sequence[int], job_id: int, defaults: Defaults
) -> annotation_pb2.AnnotationSet:
    """What came, with ids and all values."""
    answer = annotation_pb2.AnnotationSet(shapes=given.shapes)
    values = {label_id: _values(defaults.values(label_id)) for label_id in {s.label_id for s in given.shapes}}
    for shape, id_ in zip(answer.shapes, ids, strict=True):
        shape.id, shape.job_id = id_, job_id
        if not shape.source:
            shape.source = annotation_pb2.SOURCE_MANUAL
        if missing := values[shape.label_id]:
            present = {value.attribute_id for value in shape.attributes}
            shape.attributes.extend(value for value in missing if value.attribute_id not in present)
    return answer


def _values(attributes: Attributes) -> list[annotation_pb2.AttributeValue]:
    return [annotation_pb2.AttributeValue(attribute_id=key, value=text) for key, text in attributes.items()]


def _place(answer: annotation_pb2.AnnotationSet, batches: Sequence[Batch], good: Sequence[Batch]) -> None:
    """Tells the points that were clamped as they are stored."""
    begin = 0
    for old, new in zip(batches, good, strict=True):
        if new is not old:
            offsets = np.frombuffer(new.points_offset, "<i8").tolist()
            points = np.frombuffer(new.points, "<f8").tolist()
            for row, shape in enumerate(answer.shapes[begin : begin + new.count]):
                shape.points[:] = points[offsets[row] : offsets[row + 1]]
        begin += new.count
