"""Saves of a job or a task, and the states that they led to."""

import asyncio
from datetime import datetime
from typing import TypeVar

from frameyard.annotation.v1 import history_service_pb2 as messages
from frameyard.annotation.v1.annotation_service_pb2 import AnnotationTarget
from frameyard.common.v1.common_pb2 import PersonRef
from google.protobuf.message import Message
from yard.annotations.defaults import Defaults
from yard.annotations.model import AnnotationSet
from yard.runtime import errors, paging
from yard.runtime.db import Transaction
from yard.runtime.rpc.options import MESSAGE_BYTES
from yard.task.domain import past as rules
from yard.task.domain.history import set_of
from yard.task.domain.past import Difference, Past, keyed
from yard.task.handlers.annotations import messages as conversion
from yard.task.handlers.annotations.context import Annotations
from yard.task.handlers.annotations.scopes import scope_of
from yard.task.handlers.history.states import States
from yard.task.handlers.messages import timestamp
from yard.task.store import history as store
from yard.task.store.annotations import reading
from yard.task.store.annotations.reading import Selection
from yard.task.store.history import RevisionView, Search

M = TypeVar("M", bound=Message)


async def list_revisions(
    annotations: Annotations, request: messages.ListRevisionsRequest
) -> messages.ListRevisionsResponse:
    """One page, newest first."""
    size = paging.size(request.page_size)
    after = _after(request)
    async with annotations.tasks.db.transaction() as tx:
        await reading.hold_snapshot(tx)
        scope = await scope_of(tx, request.target)
        search = Search(task_id=scope.task.id, job_id=scope.job_id, limit=size + 1, after=after)
        found = await store.page(tx, search)
    token = paging.encode(_place(found[size - 1]), request) if len(found) > size else ""
    return messages.ListRevisionsResponse(revisions=map(_revision, found[:size]), next_page_token=token)


async def get_revision(
    annotations: Annotations, request: messages.GetRevisionRequest
) -> messages.GetRevisionResponse:
    """The objects of a job after a save."""
    async with annotations.tasks.db.transaction() as tx:
        states = await _states(tx, request.job_id)
        await states.check_readable(request.revision)
        past = await states.past(request.revision)
        selection = Selection(task_id=states.job.task_id, job_id=states.job.id)
        present = await reading.annotations_of(tx, selection)
    return _fitting(await asyncio.to_thread(_state, past, present, states.defaults))


async def diff_revisions(
    annotations: Annotations, request: messages.DiffRevisionsRequest
) -> messages.DiffRevisionsResponse:
    """What differs: only objects that a save between the two has touched are looked at."""
    async with annotations.tasks.db.transaction() as tx:
        states = await _states(tx, request.job_id)
        to_revision = request.to_revision if request.HasField("to_revision") else states.job.revision
        await states.check_readable(request.from_revision, "from_revision")
        await states.check_readable(to_revision, "to_revision")
        older, newer = sorted((request.from_revision, to_revision))
        before = await states.past(older, newer)
        after = await states.past(newer, asked=before.keys)
        present = await states.present(before.keys - after.keys)
    first, second = before.objects, after.objects | present
    if request.from_revision > to_revision:
        first, second = second, first
    of_all = states.defaults.of

    def differing() -> messages.DiffRevisionsResponse:
        filled = ({key: of_all(item) for key, item in objects.items()} for objects in (first, second))
        return _difference(rules.difference(*filled))

    return _fitting(await asyncio.to_thread(differing))


async def _states(tx: Transaction, job_id: int) -> States:
    await reading.hold_snapshot(tx)
    return await States.of(tx, await scope_of(tx, AnnotationTarget(job_id=job_id)))


def _state(past: Past, present: AnnotationSet, defaults: Defaults) -> messages.GetRevisionResponse:
    untouched = (item for key, item in keyed(present) if key not in past.keys)
    objects = set_of([*untouched, *past.objects.values()])
    return messages.GetRevisionResponse(annotations=conversion.write(defaults.of_set(objects).in_order()))


def _difference(found: Difference) -> messages.DiffRevisionsResponse:
    return messages.DiffRevisionsResponse(
        created=conversion.write(found.created),
        updated_before=conversion.write(found.before),
        updated_after=conversion.write(found.after),
        deleted=conversion.write(found.deleted),
    )


def _fitting(response: M) -> M:
    if response.ByteSize() > MESSAGE_BYTES:
        raise errors.ResourceExhausted("too many objects for one answer")
    return response


def _revision(view: RevisionView) -> messages.Revision:
    return messages.Revision(
        job_id=view.job_id,
        revision=view.number,
        kind=messages.RevisionKind.ValueType(view.kind),
        user=PersonRef(id=view.user_id, username=view.username) if view.user_id else None,
        create_time=timestamp(view.saved_at),
        created=view.created,
        updated=view.updated,
        deleted=view.deleted,
        restored_revision=view.restored,
        is_readable=view.is_readable,
    )


def _place(view: RevisionView) -> list[str | int]:
    return [view.saved_at.isoformat(), view.job_id, view.number]


def _after(request: messages.ListRevisionsRequest) -> tuple[datetime, int, int] | None:
    values = paging.decode(request.page_token, request)
    if values is None:
        return None
    try:
        moment, job_id, number = values
        place = datetime.fromisoformat(moment), _whole(job_id), _whole(number)
    except (ValueError, TypeError):
        raise paging.foreign_token() from None
    return place


def _whole(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(value)
    return value
