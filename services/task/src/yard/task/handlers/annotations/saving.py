"""Saves: replacing all objects of a job or a task, and changing some."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1.history_service_pb2 import RestoreRevisionRequest
from google.protobuf.message import Message
from yard.annotations.errors import Fault
from yard.runtime import clock, errors, idempotency
from yard.runtime.db import Transaction, UniqueViolation
from yard.task.domain import progress
from yard.task.handlers.annotations import drafts, fresh
from yard.task.handlers.annotations.concluding import Done, conclude
from yard.task.handlers.annotations.context import Annotations
from yard.task.handlers.annotations.drafts import Draft
from yard.task.handlers.annotations.scopes import Scope, check_may_write, locked, scope_of
from yard.task.store import jobs as job_store
from yard.task.store import labels as label_store
from yard.task.store.annotations import writing

Request = messages.PutAnnotationsRequest | messages.PatchAnnotationsRequest | RestoreRevisionRequest
A = TypeVar("A", bound=Message)

# Each try is lost only to a save of somebody else that was not.
TRIES: Final = 5


class _OutdatedError(Exception):
    """What the draft was made on has changed."""


async def put_annotations(
    annotations: Annotations, request: messages.PutAnnotationsRequest
) -> messages.PutAnnotationsResponse:
    """Replaces all objects; those that are the same as before keep their ids."""

    def answer(draft: Draft, revision: int) -> messages.PutAnnotationsResponse:
        return messages.PutAnnotationsResponse(annotations=draft.answer, revision=revision)

    async def make() -> Draft:
        draft = await fresh.draft_put(annotations, request)
        return draft or await drafts.draft_put(annotations, request)

    return await save(annotations, request, messages.PutAnnotationsResponse, make, answer)


async def patch_annotations(
    annotations: Annotations, request: messages.PatchAnnotationsRequest
) -> messages.PatchAnnotationsResponse:
    """Creates, updates and deletes objects in one step."""

    def answer(draft: Draft, revision: int) -> messages.PatchAnnotationsResponse:
        return messages.PatchAnnotationsResponse(created=draft.answer, revision=revision)

    async def make() -> Draft:
        draft = await fresh.draft_patch(annotations, request)
        return draft or await drafts.draft_patch(annotations, request)

    return await save(annotations, request, messages.PatchAnnotationsResponse, make, answer)


async def save(
    annotations: Annotations,
    request: Request,
    response_type: type[A],
    make: Callable[[], Awaitable[Draft]],
    answer: Callable[[Draft, int], A],
) -> A:
    """Writes what `make` drafts, once for each request id; drafts again where others saved in between."""
    for _ in range(TRIES):
        draft = await make()
        try:
            return await _settle(annotations, request, response_type, draft, answer)
        except (_OutdatedError, UniqueViolation):
            # Two jobs may bring back one object at the same time: the second finds its id taken.
            if draft.seen.scope.is_job:
                annotations.seen.drop(draft.seen.scope.jobs[0].id)
    raise errors.Conflict("others save faster than this could be worked out", reason="REVISION_CHANGED")


async def _settle(
    annotations: Annotations,
    request: Request,
    response_type: type[A],
    draft: Draft,
    answer: Callable[[Draft, int], A],
) -> A:
    """Answers a repeated request from the record, else writes the draft."""
    async with annotations.tasks.db.transaction() as tx:

        async def run() -> A:
            return answer(draft, await _write(annotations, tx, request, draft))

        return await idempotency.once(tx, request.request_id, request, response_type, run)


async def _write(annotations: Annotations, tx: Transaction, request: Request, draft: Draft) -> int:
    """Writes the draft if it still fits; returns the revision after it."""
    task_id = draft.seen.scope.task.id
    target = _target(request)
    await writing.hold(tx, task_id, draft.label_ids, target.job_id)
    scope = await (scope_of(tx, target) if target.job_id else locked(tx, target))
    check_may_write(scope)
    check_revision(request, scope.revision)
    await _check_current(tx, draft, scope)
    if draft.faults:
        raise refused(draft.faults)
    check_may_write(scope, _jobs_to_write(request, draft, scope))
    if not draft.traces:
        await _note_activity(tx, scope)
        return scope.revision
    await writing.apply(tx, draft.write)
    done = {
        job_id: Done(counts=trace.counts, kept=draft.kept[job_id]) for job_id, trace in draft.traces.items()
    }
    return await conclude(annotations.tasks, tx, scope, done, kind=draft.kind, restored=draft.restored)


def _target(request: Request) -> messages.AnnotationTarget:
    if isinstance(request, RestoreRevisionRequest):
        return messages.AnnotationTarget(job_id=request.job_id)
    return request.target


def refused(faults: list[Fault]) -> errors.InvalidArgument:
    """The error that names the faults."""
    return errors.InvalidArgument(
        violations=[errors.Violation(fault.field, fault.description) for fault in faults]
    )


def check_revision(request: Request | messages.ImportHeader, revision: int) -> None:
    """Conflict if the change is based on another revision than the present one."""
    if request.HasField("base_revision") and request.base_revision != revision:
        raise errors.Conflict(
            f"the change is based on revision {request.base_revision}, the present one is {revision}",
            reason="REVISION_CHANGED",
            metadata={"revision": str(revision)},
        )


async def _check_current(tx: Transaction, draft: Draft, scope: Scope) -> None:
    seen = draft.seen.scope
    if draft.is_bound and scope.revisions != seen.revisions:
        raise _OutdatedError
    if (scope.sites, scope.pictures) != (seen.sites, seen.pictures):
        raise _OutdatedError
    if await label_store.labels_of(tx, scope.task) != draft.seen.labels:
        raise _OutdatedError


def _jobs_to_write(request: Request, draft: Draft, scope: Scope) -> frozenset[int]:
    """Replacing everything concerns all jobs, also those in which nothing changes."""
    if isinstance(request, messages.PutAnnotationsRequest):
        return frozenset(job.id for job in scope.jobs)
    return frozenset(draft.traces)


async def _note_activity(tx: Transaction, scope: Scope) -> None:
    """A save that changes nothing is a sign of work all the same."""
    if scope.is_job:
        await job_store.update_job(tx, progress.active(scope.jobs[0], clock.now()))
