"""Bringing an earlier state of a job back, as a save like any other."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from frameyard.annotation.v1 import annotation_pb2
from frameyard.annotation.v1 import history_service_pb2 as messages
from frameyard.annotation.v1.annotation_service_pb2 import AnnotationTarget
from yard.annotations.errors import AnnotationError
from yard.annotations.labels import Label, LabelSchema
from yard.annotations.model import AnnotationSet
from yard.annotations.validation import Rules, validated
from yard.task.domain import history
from yard.task.domain.annotation_changes import Changes
from yard.task.domain.annotation_plans import Plan, Table
from yard.task.domain.history import TABLES, Object
from yard.task.domain.past import Key, keyed
from yard.task.handlers.annotations import saving
from yard.task.handlers.annotations.context import Annotations
from yard.task.handlers.annotations.drafts import Draft, Seen
from yard.task.handlers.annotations.scopes import Scope, scope_of
from yard.task.handlers.history.states import States
from yard.task.store.annotations import reading, writing
from yard.task.store.annotations.reading import LAST_FRAME


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """What leads from the present to the state; `taken` are ids of it that other jobs use by now."""

    states: States
    wanted: Mapping[Key, Object]
    present: Mapping[Key, Object]
    taken: frozenset[Key]
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Restored:
    """A save, and what is to be told of it besides the revision."""

    draft: Draft
    left_out: int
    misfits: int


async def restore_revision(
    annotations: Annotations, request: messages.RestoreRevisionRequest
) -> messages.RestoreRevisionResponse:
    """Objects keep or get back the ids that they had."""
    found: dict[int, _Restored] = {}

    async def make() -> Draft:
        restored = await _restored(annotations, request)
        found[id(restored.draft)] = restored
        return restored.draft

    def answer(draft: Draft, revision: int) -> messages.RestoreRevisionResponse:
        restored = found[id(draft)]
        return messages.RestoreRevisionResponse(
            revision=revision, left_out=restored.left_out, misfits=restored.misfits
        )

    return await saving.save(annotations, request, messages.RestoreRevisionResponse, make, answer)


async def _restored(annotations: Annotations, request: messages.RestoreRevisionRequest) -> _Restored:
    async with annotations.tasks.db.transaction() as tx:
        await reading.hold_snapshot(tx)
        scope = await scope_of(tx, AnnotationTarget(job_id=request.job_id))
        states = await States.of(tx, scope)
        await states.check_readable(request.revision)
        past = await states.past(request.revision)
        held = await states.held(past.keys)
    job_id = states.job.id
    way = _Way(
        states=states,
        wanted=past.objects,
        present={key: item for key, item in held.items() if item.job_id == job_id},
        taken=frozenset(key for key, item in held.items() if item.job_id != job_id),
        left_out=past.left_out,
    )
    return await _drafted(annotations, scope, way, request.revision)


async def _drafted(annotations: Annotations, scope: Scope, way: _Way, revision: int) -> _Restored:
    """The way as a save, which holds as long as nobody else has saved."""
    taken: dict[Table, int] = {table: sum(key[0] == table for key in way.taken) for table in TABLES}
    fresh = {
        table: await writing.reserve(annotations.tasks.db, table, count) for table, count in taken.items()
    }

    def make() -> _Restored:
        plan = _plan(way, fresh)
        traces = plan.traces()
        draft = Draft(
            seen=Seen(scope=scope, labels=way.states.labels, stored=AnnotationSet()),
            is_bound=True,
            faults=[],
            traces=traces,
            kept={job_id: history.kept(trace) for job_id, trace in traces.items()},
            kind=messages.REVISION_KIND_RESTORE,
            label_ids=plan.label_ids(),
            write=writing.write_of(scope.task.id, plan.removed_ids, plan.inserted),
            answer=annotation_pb2.AnnotationSet(),
            restored=revision,
        )
        rules = _rules(way.states.labels)
        misfits = sum(not _fits(item, rules) for _, item in keyed(plan.inserted))
        return _Restored(draft=draft, left_out=way.left_out, misfits=misfits)

    return await asyncio.to_thread(make)


def _rules(labels: Sequence[Label]) -> Rules:
    """Only labels may have changed since the objects were found good."""
    return Rules(schema=LabelSchema(labels), first=0, last=LAST_FRAME, frame_size=lambda _: None)


def _fits(item: Object, rules: Rules) -> bool:
    try:
        validated(history.set_of([item]), rules)
    except AnnotationError:
        return False
    return True


def _plan(way: _Way, fresh: Mapping[Table, Sequence[int]]) -> Plan:
    changes: dict[Table, Changes[Any]] = {table: Changes() for table in TABLES}
    unused = {table: iter(ids) for table, ids in fresh.items()}
    for key, item in way.wanted.items():
        table, _ = key
        if key in way.taken:
            changes[table].created.append(replace(item, id=next(unused[table])))
        elif key not in way.present:
            changes[table].created.append(item)
        elif way.present[key] != item:
            changes[table].updated.append((way.present[key], item))
    for key, item in way.present.items():
        if key not in way.wanted:
            changes[key[0]].deleted.append(item)
    return Plan(tags=changes["tag"], shapes=changes["shape"], tracks=changes["track"])
