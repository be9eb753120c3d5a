"""Frames that nobody is to annotate."""

from collections.abc import Iterable, Sequence

from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1.annotation_events_pb2 import DeletedFramesChanged
from frameyard.common.v1.common_pb2 import FrameRange
from yard.runtime import auth, errors
from yard.runtime.db import Transaction
from yard.runtime.errors import Violation
from yard.task.domain.frame_runs import Run, joined, overlap, within, without
from yard.task.handlers.annotations.scopes import Scope, check_has_frames, check_may_write, scope_of
from yard.task.handlers.context import Tasks
from yard.task.store import Reader
from yard.task.store import deleted_frames as store
from yard.task.store import tasks as task_store

MOST_RUNS = 10_000
_MOST_VIOLATIONS = 100


async def get_deleted_frames(
    tasks: Tasks, request: messages.GetDeletedFramesRequest
) -> messages.GetDeletedFramesResponse:
    """The deleted frames of a job or a task."""
    scope = await scope_of(tasks.db, request.target)
    return messages.GetDeletedFramesResponse(deleted=await _deleted(tasks.db, scope))


async def update_deleted_frames(
    tasks: Tasks, request: messages.UpdateDeletedFramesRequest
) -> messages.UpdateDeletedFramesResponse:
    """Deletes some frames and brings others back."""
    scope = await scope_of(tasks.db, request.target)
    check_has_frames(scope)
    _check_may_write(scope)
    errors.refuse(_violations(scope, request))
    async with tasks.db.transaction() as tx:
        await store.hold(tx, scope.task.id)
        scope = await scope_of(tx, request.target)
        _check_may_write(scope)
        if await _change(tx, scope.task.id, _runs(request.delete), _runs(request.restore)):
            await task_store.touch(tx, scope.task.id)
            await _tell(tx, scope.task.id)
        return messages.UpdateDeletedFramesResponse(deleted=await _deleted(tx, scope))


async def _change(tx: Transaction, task_id: int, delete: Sequence[Run], restore: Sequence[Run]) -> bool:
    """Whether something is different afterwards; only the runs around the named frames are touched."""
    named = [*delete, *restore]
    if not named:
        return False
    # A run that ends just before the first of them, or begins just behind the last, may grow with it.
    first, last = min(run[0] for run in named) - 1, max(run[1] for run in named) + 1
    before = await store.runs_of(tx, task_id, first, last)
    after = without(joined([*before, *delete]), restore)
    if after == before:
        return False
    await store.replace(tx, task_id, before, after)
    return True


async def _deleted(reader: Reader, scope: Scope) -> list[FrameRange]:
    window = scope.window
    runs = await store.runs_of(reader, scope.task.id, window.first, window.last)
    return [FrameRange(first=first, last=last) for first, last in within(runs, window.first, window.last)]


async def _tell(tx: Transaction, task_id: int) -> None:
    event = DeletedFramesChanged(
        task_id=task_id, deleted=await store.count(tx, task_id), user_id=auth.current().user_id
    )
    await tx.emit(event, key=str(task_id))


def _check_may_write(scope: Scope) -> None:
    check_may_write(scope, frozenset(job.id for job in scope.jobs))


def _runs(ranges: Iterable[FrameRange]) -> list[Run]:
    return joined((each.first, each.last) for each in ranges)


def _violations(scope: Scope, request: messages.UpdateDeletedFramesRequest) -> list[Violation]:
    found = [
        *_wrong_ranges(scope, "delete", request.delete),
        *_wrong_ranges(scope, "restore", request.restore),
    ]
    if not found and overlap(_runs(request.delete), _runs(request.restore)):
        found.append(Violation("restore", "must not name frames that are to be deleted"))
    return found


def _wrong_ranges(scope: Scope, field: str, ranges: Sequence[FrameRange]) -> list[Violation]:
    if len(ranges) > MOST_RUNS:
        return [Violation(field, f"must be at most {MOST_RUNS} runs, got {len(ranges)}")]
    first, last = scope.window.first, scope.window.last
    wrong = (
        (number, each) for number, each in enumerate(ranges) if not first <= each.first <= each.last <= last
    )
    return [
        Violation(
            f"{field}[{number}]",
            f"must lie in {first} to {last} and not end before it begins, got {each.first} to {each.last}",
        )
        for number, each in wrong
    ][:_MOST_VIOLATIONS]
