"""Bringing an earlier state of a job back, as a save like any other."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from frameyard.annotation.v1 import annotation_pb2
from frameyard.annotation.v1 import history_service_pb2 as messages
from frameyard.annotation.v1.annotation_service_pb2 import AnnotationTarget
from yard.annotations.model import AnnotationSet
from yard.task.domain import history
from yard.task.domain.annotation_changes import Changes
from yard.task.domain.annotation_plans import Plan, Table
from yard.task.domain.history import TABLES, Object
from yard.task.domain.past import Key
from yard.task.handlers.annotations import saving
from yard.task.handlers.annotations.context import Annotations
from yard.task.handlers.annotations.drafts import Draft, Seen
from yard.task.handlers.annotations.scopes import Scope, scope_of
from yard.task.handlers.history.states import States
from yard.task.store.annotations import reading, writing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """What leads from the present to the state; `taken` are ids of it that other jobs use by now."""

    states: States
    wanted: Mapping[Key, Object]
    present: Mapping[Key, Object]
    taken: frozenset[Key]
    left_out: int


async def restore_revision(
    annotations: Annotations, request: messages.RestoreRevisionRequest
) -> messages.RestoreRevisionResponse:
    """Objects keep or get back the ids that they had."""
    left_out: dict[int, int] = {}

    async def make() -> Draft:
        draft, count = await _draft(annotations, request)
        left_out[id(draft)] = count
        return draft

    def answer(draft: Draft, revision: int) -> messages.RestoreRevisionResponse:
        return messages.RestoreRevisionResponse(revision=revision, left_out=left_out[id(draft)])

    return await saving.save(annotations, request, messages.RestoreRevisionResponse, make, answer)


async def _draft(annotations: Annotations, request: messages.RestoreRevisionRequest) -> tuple[Draft, int]:
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
    return await _drafted(annotations, scope, way, request.revision), way.left_out


async def _drafted(annotations: Annotations, scope: Scope, way: _Way, revision: int) -> Draft:
    """The way as a save, which holds as long as nobody else has saved."""
    taken: dict[Table, int] = {table: sum(key[0] == table for key in way.taken) for table in TABLES}
    fresh = {
        table: await writing.reserve(annotations.tasks.db, table, count) for table, count in taken.items()
    }

    def make() -> Draft:
        plan = _plan(way, fresh)
        traces = plan.traces()
        return Draft(
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

    return await asyncio.to_thread(make)


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
