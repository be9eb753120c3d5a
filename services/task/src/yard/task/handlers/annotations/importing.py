"""Objects that come as columnar batches: put on the disk as they come, then written in one step."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1.history_service_pb2 import REVISION_KIND_IMPORT
from yard.annotations.batch import ObjectKind
from yard.annotations.errors import LARGEST_REPORT
from yard.annotations.validation import Rules
from yard.runtime import auth, errors, idempotency, ids
from yard.runtime.auth import Principal
from yard.runtime.db import Transaction
from yard.task.domain import history as past
from yard.task.domain.annotation_plans import Counts, Table
from yard.task.domain.annotation_shares import Shares
from yard.task.handlers.annotations import drafts
from yard.task.handlers.annotations.concluding import Done, conclude
from yard.task.handlers.annotations.context import Annotations
from yard.task.handlers.annotations.drafts import Seen
from yard.task.handlers.annotations.intake import Intake
from yard.task.handlers.annotations.saving import check_revision, refused
from yard.task.handlers.annotations.scopes import Scope, check_may_write, locked
from yard.task.handlers.history.limits import limits_of
from yard.task.store import history
from yard.task.store import labels as label_store
from yard.task.store.annotations import packed, reading, writing
from yard.task.store.annotations.reading import Selection

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

Requests = AsyncIterator[messages.ImportAnnotationsRequest]


async def import_annotations(
    annotations: Annotations, requests: Requests
) -> messages.ImportAnnotationsResponse:
    """Appends what comes, or puts it in place of all that is there."""
    header = await _header(requests)
    _check_as_stored(header)
    with auth.acting_as(_author(header.user_id)):
        return await _import(annotations, header, requests)


def _author(user_id: int) -> Principal:
    """The caller; or, for a service that has checked their rights, whom it names: they become the author."""
    caller = auth.current()
    if user_id and not caller.is_service:
        raise errors.PermissionDenied("only services may name another author", reason="NOT_A_SERVICE")
    if not 0 <= user_id < 2**63:
        raise errors.invalid("header.user_id", f"must be 0 or more, got {user_id}")
    return replace(caller, user_id=user_id) if user_id else caller


def _check_as_stored(header: messages.ImportHeader) -> None:
    if header.as_stored and not auth.current().is_service:
        raise errors.PermissionDenied("only services may bring objects as stored", reason="NOT_A_SERVICE")
    if header.as_stored and not header.target.job_id:
        raise errors.invalid("header.as_stored", "is for the objects of one job")


def _check_may_write(scope: Scope, job_ids: frozenset[int] | None = None) -> None:
    """As for every save; the rights of a named author were checked by the service that names them."""
    caller = auth.current()
    if not (caller.is_service and caller.user_id):
        check_may_write(scope, job_ids)


async def _import(
    annotations: Annotations, header: messages.ImportHeader, requests: Requests
) -> messages.ImportAnnotationsResponse:
    seen = await drafts.see(annotations, header.target)
    _check_may_write(seen.scope, _jobs_to_replace(header, seen.scope))
    if header.check_only:
        return messages.ImportAnnotationsResponse(revision=seen.scope.revision)
    with _intake(annotations, seen, as_stored=header.as_stored) as intake:
        digest = await _receive(annotations, header, requests, intake)
        async with annotations.tasks.db.transaction() as tx:

            async def run() -> messages.ImportAnnotationsResponse:
                return messages.ImportAnnotationsResponse(
                    revision=await _write(annotations, tx, header, seen, intake),
                    tags=intake.given[ObjectKind.TAG],
                    shapes=intake.given[ObjectKind.SHAPE],
                    tracks=intake.given[ObjectKind.TRACK],
                )

            return await idempotency.once(
                tx, header.request_id, header, messages.ImportAnnotationsResponse, run, digest=digest
            )


async def _header(requests: Requests) -> messages.ImportHeader:
    async for request in requests:
        if request.WhichOneof("part") == "header":
            return request.header
        break
    raise errors.invalid("header", "the first message must have it")


def _intake(annotations: Annotations, seen: Seen, *, as_stored: bool) -> Intake:
    schema, window = seen.schema, seen.scope.window

    async def rules_for(frames: Iterable[int]) -> Rules:
        size_of = await drafts.sizes(annotations, seen.scope.task, frames)
        rules = Rules(schema=schema, first=window.first, last=window.last, frame_size=size_of)
        return replace(rules, stored=lambda item: (item,)) if as_stored else rules

    async def reserve(table: Table, count: int) -> list[int]:
        return await writing.reserve(annotations.tasks.db, table, count)

    shares = Shares(sites=seen.scope.sites, new_origin=lambda: str(ids.uuid7()), keeps_origins=as_stored)
    return Intake(task_id=seen.scope.task.id, shares=shares, rules_for=rules_for, reserve=reserve)


async def _receive(
    annotations: Annotations, header: messages.ImportHeader, requests: Requests, intake: Intake
) -> bytes:
    """Takes all batches; returns what tells the whole stream from others."""
    settings = annotations.tasks.settings
    digest = hashlib.sha256(header.SerializeToString(deterministic=True))
    rows = size = 0
    async for request in requests:
        if request.WhichOneof("part") != "batch":
            raise errors.invalid("header", "only the first message may have it")
        rows, size = rows + max(0, request.batch.count), size + request.ByteSize()
        if rows > settings.import_max_objects:
            raise errors.ResourceExhausted(
                f"an import has at most {settings.import_max_objects} objects and keyframes",
                reason="IMPORT_TOO_LARGE",
            )
        if size > settings.import_max_bytes:
            raise errors.ResourceExhausted(
                f"an import has at most {settings.import_max_bytes} bytes", reason="IMPORT_TOO_LARGE"
            )
        if header.request_id:
            digest.update(request.batch.SerializeToString(deterministic=True))
        await intake.take(request.batch)
    await intake.finish()
    return digest.digest()


async def _write(
    annotations: Annotations, tx: Transaction, header: messages.ImportHeader, seen: Seen, intake: Intake
) -> int:
    """Writes all rows, if they still fit; returns the revision after that."""
    task_id = seen.scope.task.id
    await writing.hold(tx, task_id, sorted(intake.label_ids))
    scope = await locked(tx, header.target)
    _check_may_write(scope)
    check_revision(header, scope.revision)
    if scope.sites != seen.scope.sites or await label_store.labels_of(tx, scope.task) != seen.labels:
        raise errors.Conflict("labels or jobs were changed meanwhile", reason="LABELS_CHANGED")
    if intake.faults:
        raise refused(intake.faults[:LARGEST_REPORT])
    written = intake.written()
    replaced = await _replaced(tx, header, scope)
    _check_may_write(scope, _jobs_to_replace(header, scope) or frozenset(written))
    done = {
        job_id: _done(written.get(job_id, {}), replaced.get(job_id, 0))
        for job_id in written.keys() | replaced
    }
    if not done:
        return scope.revision
    revision = await conclude(annotations.tasks, tx, scope, done, kind=REVISION_KIND_IMPORT)
    for job in scope.jobs:
        if job.id in replaced:
            await _keep(annotations, tx, task_id, job.id, job.revision + 1)
    if replaced:
        await writing.delete_of_jobs(tx, task_id, sorted(replaced))
    for kind, file in intake.files.items():
        await writing.copy_in(tx, kind, file.pieces())
    return revision


def _jobs_to_replace(header: messages.ImportHeader, scope: Scope) -> frozenset[int] | None:
    """All of them, also those in which nothing is; None where objects stay."""
    if header.mode != messages.IMPORT_MODE_REPLACE:
        return None
    return frozenset(job.id for job in scope.jobs)


async def _replaced(tx: Transaction, header: messages.ImportHeader, scope: Scope) -> dict[int, int]:
    """Objects that go, by job; jobs that have none are absent."""
    jobs = _jobs_to_replace(header, scope)
    return await writing.counts_of_jobs(tx, scope.task.id, sorted(jobs)) if jobs else {}


def _done(written: Mapping[Table, "NDArray[int64]"], deleted: int) -> Done:
    created = sum(map(len, written.values()))
    touched = past.Touched(created=written)  # type: ignore[arg-type]
    return Done(counts=Counts(created=created, deleted=deleted), kept=past.Kept(ids=past.packed_ids(touched)))


async def _keep(annotations: Annotations, tx: Transaction, task_id: int, job_id: int, number: int) -> None:
    """Adds all objects of a job to the history of the save that is about to remove them."""
    selection, limits = Selection(task_id=task_id, job_id=job_id), limits_of(annotations.tasks.settings)
    part = 0
    for pages in (packed.tag_batches, packed.shape_batches):
        async for batch in pages(tx, selection):
            await history.add_parts(tx, job_id, number, [(part, past.packed_batches([batch]))], limits)
            part += 1
    async for tracks in reading.track_pages(tx, selection):
        for content in past.packed_parts(past.set_of(tracks)):
            await history.add_parts(tx, job_id, number, [(part, content)], limits)
            part += 1
