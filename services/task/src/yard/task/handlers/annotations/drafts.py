"""A save that is worked out before its transaction: what is wrong with it, else all rows and the answer.

Checking, comparing and converting take time, and sizes of frames come from the bucket. So all of it is done
on a snapshot, without a lock, and the transaction only asks whether the snapshot still holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from frameyard.annotation.v1 import annotation_pb2
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1.history_service_pb2 import REVISION_KIND_PATCH, REVISION_KIND_PUT
from frameyard.common.v1 import common_pb2
from frameyard.task.v1 import task_pb2
from yard.annotations.defaults import Defaults
from yard.annotations.errors import Fault
from yard.annotations.labels import Label, LabelSchema
from yard.annotations.model import AnnotationSet
from yard.annotations.validation import FrameSize, Rules
from yard.runtime import errors, ids
from yard.runtime.blobs import BlobRef
from yard.runtime.db import Transaction
from yard.runtime.rpc.options import MESSAGE_BYTES
from yard.task.domain import annotation_plans as plans
from yard.task.domain import history
from yard.task.domain.annotation_plans import Plan, Step, Trace
from yard.task.domain.history import Kept
from yard.task.domain.rows import Task
from yard.task.handlers.annotations import messages as conversion
from yard.task.handlers.annotations.context import Annotations
from yard.task.handlers.annotations.keeping import Stored
from yard.task.handlers.annotations.scopes import Scope, check_has_frames, scope_of
from yard.task.store import labels as label_store
from yard.task.store.annotations import reading, writing
from yard.task.store.annotations.reading import Selection
from yard.task.store.annotations.writing import Write

if TYPE_CHECKING:
    from frameyard.annotation.v1.history_service_pb2 import RevisionKind

# What the answer holds besides the objects.
_ENVELOPE_BYTES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The snapshot that a draft is made on; `stored` are the rows that the save may touch."""

    scope: Scope
    labels: list[Label]
    stored: AnnotationSet

    @property
    def schema(self) -> LabelSchema:
        """The labels, to be searched by id."""
        return LabelSchema(self.labels)

    @property
    def defaults(self) -> Defaults:
        """Of the labels."""
        return Defaults(self.schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A save that only has to be written, unless it has faults.

    If it `is_bound`, it holds for the revisions that were seen only.
    """

    seen: Seen
    is_bound: bool
    faults: list[Fault]
    traces: dict[int, Trace]
    """What is done to each job in which something changes; see `counts` of each."""
    kept: dict[int, Kept]
    """The same as the history keeps it."""
    kind: RevisionKind.ValueType
    label_ids: list[int]
    write: Write
    answer: annotation_pb2.AnnotationSet
    restored: int = 0
    """Of a restore: the revision that is brought back."""


async def draft_put(annotations: Annotations, request: messages.PutAnnotationsRequest) -> Draft:
    """New objects in place of all others."""

    async def whole(tx: Transaction, scope: Scope) -> AnnotationSet:
        return await reading.annotations_of(tx, Selection(task_id=scope.task.id, job_id=scope.job_id))

    seen = await see(annotations, request.target, whole)
    given = await asyncio.to_thread(conversion.read, request.annotations, "annotations")
    size_of = await sizes(annotations, seen.scope.task, conversion.frames_of(given.annotations))

    def plan() -> Plan:
        rules = replace(rules_of(seen, size_of), stored=Stored(seen).alike)
        wanted = conversion.check(given, rules)
        if given.faults:
            return Plan()
        return plans.replacing(wanted, seen.stored, seen.scope.sites, _origin, seen.defaults)

    made = await asyncio.to_thread(plan)
    return await _drafted(annotations, seen, made, given.faults, kind=REVISION_KIND_PUT, is_bound=True)


async def draft_patch(annotations: Annotations, request: messages.PatchAnnotationsRequest) -> Draft:
    """Objects created, updated and deleted."""
    create = await asyncio.to_thread(conversion.read, request.create, "create")
    update = await asyncio.to_thread(conversion.read, request.update, "update")
    # Only ids of these are read; whatever else they hold has no faults.
    delete = conversion.read_ids(request.delete)
    given = Step(create=create.annotations, update=update.annotations, delete=delete)

    async def named(tx: Transaction, scope: Scope) -> AnnotationSet:
        ids_ = given.tags.ids, given.shapes.ids, given.tracks.ids
        found = await reading.objects_of(tx, scope.task.id, *ids_)
        if scope.is_job or not len(found):
            return found
        # What is one object of the task is changed as one, also where only the overlap made it one.
        return await reading.surroundings_of(tx, scope.task.id, [job.id for job in scope.jobs], found)

    if given.needs_rows:
        seen = await see(annotations, request.target, named)
    else:
        seen = await see_again(annotations, request.target)
    frames = conversion.frames_of(create.annotations) | conversion.frames_of(update.annotations)
    size_of = await sizes(annotations, seen.scope.task, frames)

    def plan() -> tuple[Plan, list[Fault]]:
        stored, rules = Stored(seen), rules_of(seen, size_of)
        step = Step(
            create=conversion.check(create, rules),
            update=conversion.check(update, replace(rules, stored=stored.of_id)),
            delete=delete,
        )
        rows = stored.rows
        faults = create.faults + update.faults + rows.faults(given)
        if faults:
            return Plan(), faults
        return plans.patching(step, rows, seen.scope.sites, _origin, seen.defaults), faults

    made, faults = await asyncio.to_thread(plan)
    return await _drafted(
        annotations, seen, made, faults, kind=REVISION_KIND_PATCH, is_bound=given.needs_rows
    )


async def _nothing(tx: Transaction, scope: Scope) -> AnnotationSet:
    return AnnotationSet()


async def see(
    annotations: Annotations,
    target: messages.AnnotationTarget,
    rows: Callable[[Transaction, Scope], Awaitable[AnnotationSet]] = _nothing,
) -> Seen:
    """A snapshot with the rows that a save may touch; FailedPrecondition while there are no frames."""
    async with annotations.tasks.db.transaction() as tx:
        await reading.hold_snapshot(tx)
        scope = await scope_of(tx, target)
        check_has_frames(scope)
        labels = await label_store.labels_of(tx, scope.task)
        return Seen(scope=scope, labels=labels, stored=await rows(tx, scope))


async def see_again(annotations: Annotations, target: messages.AnnotationTarget) -> Seen:
    """A snapshot without rows, for a job perhaps one from before.

    Whoever writes checks rights, and that nothing has changed that a draft rests on, in any case.
    """
    if target.WhichOneof("target") != "job_id":
        return await see(annotations, target)
    seen = annotations.seen.get(target.job_id)
    if seen is None:
        seen = await see(annotations, target)
        annotations.seen.put(target.job_id, seen)
    return seen


async def sizes(annotations: Annotations, task: Task, frames: Iterable[int]) -> FrameSize:
    """Sizes of the frames that have geometry: a video has one, those of images are in the plan."""
    if task.mode == task_pb2.TASK_MODE_INTERPOLATION:
        size = (task.width, task.height) if task.width and task.height else None
        return lambda _: size
    if task.plan is None:
        return lambda _: None
    plan = BlobRef.from_proto(common_pb2.BlobRef.FromString(task.plan))
    return (await annotations.frame_sizes.of(plan, frames)).get


def rules_of(seen: Seen, size_of: FrameSize) -> Rules:
    """What objects of the snapshot are checked against."""
    window = seen.scope.window
    return Rules(schema=seen.schema, first=window.first, last=window.last, frame_size=size_of)


async def _drafted(
    annotations: Annotations,
    seen: Seen,
    plan: Plan,
    faults: list[Fault],
    *,
    kind: RevisionKind.ValueType,
    is_bound: bool,
) -> Draft:
    """Gives ids to the new rows and makes all that will be written."""
    reserved = {table: await annotations.ids.take(table, count) for table, count in plan.new_rows.items()}

    def make() -> tuple[Write, annotation_pb2.AnnotationSet, dict[int, Trace], dict[int, Kept]]:
        answer = conversion.write(seen.defaults.of_set(plan.numbered(reserved)))
        write = writing.write_of(seen.scope.task.id, plan.removed_ids, plan.inserted)
        traces = plan.traces()
        return write, answer, traces, {job_id: history.kept(trace) for job_id, trace in traces.items()}

    write, answer, traces, kept = await asyncio.to_thread(make)
    check_size(answer)
    return Draft(
        seen=seen,
        is_bound=is_bound,
        faults=faults,
        traces=traces,
        kept=kept,
        kind=kind,
        label_ids=plan.label_ids(),
        write=write,
        answer=answer,
    )


def check_size(answer: annotation_pb2.AnnotationSet) -> None:
    """ResourceExhausted for an answer that no message holds."""
    if answer.ByteSize() > MESSAGE_BYTES - _ENVELOPE_BYTES:
        raise errors.ResourceExhausted("too many objects for one save: save some at a time")


def _origin() -> str:
    return str(ids.uuid7())
