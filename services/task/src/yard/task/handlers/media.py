"""Media of tasks: asked for, indexed or failed, no longer wanted."""

from dataclasses import replace
from uuid import UUID

from frameyard.media.v1 import media_pb2
from frameyard.media.v1.media_events_pb2 import MediaFailed, MediaIndexed
from frameyard.task.v1 import task_pb2
from frameyard.task.v1 import task_service_pb2 as messages
from frameyard.task.v1.task_events_pb2 import MediaRequestCancelled, MediaRequested, TaskReady
from yard.runtime import auth, errors, ids, operations
from yard.runtime.bus import Event
from yard.runtime.db import Transaction
from yard.runtime.operations import Operation
from yard.task.domain import data_spec, segments
from yard.task.domain.progress import Counts
from yard.task.domain.rows import Task
from yard.task.domain.segments import SegmentPlan
from yard.task.handlers import progress
from yard.task.handlers.access import changeable_task
from yard.task.handlers.context import ATTACH_MEDIA, SERVICE_NAME, Tasks
from yard.task.handlers.messages import job_to_proto
from yard.task.store import job_views
from yard.task.store import jobs as job_store
from yard.task.store import tasks as store

MOST_JOBS_TOLD = 1_000


async def attach_media(tasks: Tasks, request: messages.AttachMediaRequest) -> messages.AttachMediaResponse:
    """Asks for the media of a task; the operation ends when people can work."""
    await changeable_task(tasks.db, request.task_id)
    errors.refuse(list(data_spec.violations(request.data)))
    async with tasks.db.transaction() as tx:
        task = await changeable_task(tx, request.task_id, lock=True)
        if task.media_state not in (media_pb2.MEDIA_STATE_UNSPECIFIED, media_pb2.MEDIA_STATE_FAILED):
            raise errors.FailedPrecondition(f"task {task.id} has its media already", reason="MEDIA_ATTACHED")
        operation = await _request(tasks, tx, task, request.data)
    return messages.AttachMediaResponse(operation=operations.to_proto(SERVICE_NAME, operation))


async def finish_media(tasks: Tasks, tx: Transaction, event: Event[MediaIndexed]) -> None:
    """Splits the frames into jobs: people can work."""
    media = event.message.media
    task = await _waiting(tx, media.task_id, media.id)
    if task is None or task.media_operation is None:
        return
    is_video = media.kind == media_pb2.MEDIA_KIND_VIDEO
    mode = task_pb2.TASK_MODE_INTERPOLATION if is_video else task_pb2.TASK_MODE_ANNOTATION
    plan = segments.plan(media.size, task.wanted_segment_size, task.wanted_overlap, mode)
    if wrong := segments.too_many(plan):
        await _fail(tasks, tx, task, errors.InvalidArgument(violations=[wrong]))
        await _tell_unwanted(tx, task)
        return
    # The operation before the task: as everybody locks who ends one.
    counts = f"taken {media.taken_count}, skipped {media.skipped_count}"
    if not await tasks.operations.complete(tx, task.media_operation, media, counts):
        return
    await store.task_of_any(tx, task.id, lock=True)
    await store.update_media(tx, replace(_with_media(task, media, plan), mode=mode))
    await _make_jobs(tx, task, plan)


async def fail_media(tasks: Tasks, tx: Transaction, event: Event[MediaFailed]) -> None:
    """Tells why there is no media; the task can be given another."""
    failed = event.message
    task = await _waiting(tx, failed.task_id, failed.media_id)
    if task is not None:
        await _fail(tasks, tx, task, errors.from_status(failed.error))


async def cancel_media(tasks: Tasks, tx: Transaction, operation: Operation) -> None:
    """The operation was cancelled: the task is as before it, and the media not wanted any more."""
    task_id = int(operation.target.removeprefix("tasks/"))
    task = await store.task_of_any(tx, task_id, lock=True)
    if task is None or task.media_operation != operation.id:
        return
    await _tell_unwanted(tx, task)
    unset = media_pb2.MEDIA_STATE_UNSPECIFIED
    await store.update_media(tx, replace(task, media_state=unset, media_id=None, media_operation=None))


async def _request(tasks: Tasks, tx: Transaction, task: Task, data: media_pb2.DataSpec) -> Operation:
    principal = auth.current()
    operation_id = await tasks.operations.create(
        tx, kind=ATTACH_MEDIA, target=f"tasks/{task.id}", owner=principal.subject
    )
    media_id = ids.uuid7()
    wanted = replace(
        task,
        media_state=media_pb2.MEDIA_STATE_INDEXING,
        media_id=media_id,
        media_operation=operation_id,
        media_error=None,
    )
    await store.update_media(tx, wanted)
    event = MediaRequested(
        media_id=str(media_id),
        task_id=task.id,
        user_id=principal.user_id,
        data=data,
        operation=tasks.operations.name(operation_id),
    )
    await tx.emit(event, key=str(task.id))
    operation = await tasks.operations.find(tx, operation_id)
    assert operation is not None
    return operation


async def _waiting(tx: Transaction, task_id: int, media_id: str) -> Task | None:
    """The task, if it waits for just this media; late news of other media are no business of anybody."""
    task = await store.task_of_any(tx, task_id)
    if task is None or task.media_state != media_pb2.MEDIA_STATE_INDEXING:
        return None
    return task if task.media_id == UUID(media_id) else None


async def _fail(tasks: Tasks, tx: Transaction, task: Task, error: errors.YardError) -> None:
    assert task.media_operation is not None
    if not await tasks.operations.fail(tx, task.media_operation, error):
        return
    await store.task_of_any(tx, task.id, lock=True)
    status: bytes = errors.to_status(error).SerializeToString()
    failed = replace(task, media_state=media_pb2.MEDIA_STATE_FAILED, media_error=status)
    await store.update_media(tx, failed)


async def _tell_unwanted(tx: Transaction, task: Task) -> None:
    event = MediaRequestCancelled(media_id=str(task.media_id), task_id=task.id)
    await tx.emit(event, key=str(task.id))


def _with_media(task: Task, media: media_pb2.Media, plan: SegmentPlan) -> Task:
    return replace(
        task,
        segment_size=plan.segment_size,
        overlap=plan.overlap,
        media_state=media_pb2.MEDIA_STATE_READY,
        size=media.size,
        width=media.width,
        height=media.height,
        data=media.data.SerializeToString(),
        plan=media.plan.SerializeToString(),
        media_warnings=_warnings(media),
    )


def _warnings(media: media_pb2.Media) -> list[str]:
    warnings = list(media.warnings)
    if media.skipped_count:
        first = f", the first {media.skipped[0].name}: {media.skipped[0].reason}" if media.skipped else ""
        noun = "file was" if media.skipped_count == 1 else "files were"
        warnings.append(f"{media.skipped_count} {noun} left out{first}")
    return warnings


async def _make_jobs(tx: Transaction, task: Task, plan: SegmentPlan) -> None:
    await job_store.insert_jobs(tx, task.id, plan.ranges())
    await progress.jobs_changed(tx, task.id, Counts(total=plan.count, annotation=plan.count))
    jobs = await job_views.first_of_task(tx, task.id, MOST_JOBS_TOLD)
    ready = TaskReady(
        task_id=task.id, media_id=str(task.media_id), size=plan.size, jobs=map(job_to_proto, jobs)
    )
    await tx.emit(ready, key=str(task.id))
