"""Rights to pixels for some minutes."""

from datetime import timedelta
from uuid import UUID

from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from frameyard.task.v1 import task_service_pb2 as messages
from yard.runtime import auth, clock, errors
from yard.runtime.auth.grants import TTL_S
from yard.task.domain import progress, rights
from yard.task.domain.rows import Task
from yard.task.handlers.access import readable_job, readable_task
from yard.task.handlers.context import Tasks
from yard.task.handlers.messages import data_of
from yard.task.store import jobs as job_store


async def get_media_grant(
    tasks: Tasks, request: messages.GetMediaGrantRequest
) -> messages.GetMediaGrantResponse:
    """A grant for the frames of a job, or for all frames of a task."""
    target = request.WhichOneof("target")
    states: tuple[media_pb2.MediaState.ValueType, ...] = (media_pb2.MEDIA_STATE_READY,)
    if target == "job_id":
        job, task = await readable_job(tasks.db, request.job_id)
        frames = FrameRange(first=job.first_frame, last=job.last_frame)
        if rights.is_turn_of(auth.current(), job):
            await _note_open(tasks, job.id)
    elif target == "task_id":
        task = await _whole_task(tasks, request.task_id)
        states = (*states, media_pb2.MEDIA_STATE_FAILED)  # what became of its files can be read
        frames = FrameRange(first=0, last=max(0, task.size - 1))
    else:
        raise errors.invalid("target", "must name a task or a job")
    return _granted(tasks, task, _media_id(task, *states), frames)


async def _whole_task(tasks: Tasks, task_id: int) -> Task:
    task = await readable_task(tasks.db, task_id)
    if not rights.sees_whole_task(auth.current(), task):
        raise errors.PermissionDenied(f"of task {task_id} you see single jobs only: ask for one of them")
    return task


def _media_id(task: Task, *states: media_pb2.MediaState.ValueType) -> UUID:
    if task.media_state not in states or task.media_id is None:
        raise errors.FailedPrecondition(f"task {task.id} has no frames yet", reason="MEDIA_NOT_READY")
    return task.media_id


def _granted(tasks: Tasks, task: Task, media_id: UUID, frames: FrameRange) -> messages.GetMediaGrantResponse:
    user_id = auth.current().user_id
    response = messages.GetMediaGrantResponse(media_id=str(media_id), frames=frames, data=data_of(task))
    response.expire_time.FromDatetime(clock.now() + timedelta(seconds=TTL_S))
    grant = auth.MediaGrant(media_id=media_id, first=frames.first, last=frames.last, user_id=user_id)
    response.grant = tasks.runtime.grants.sign(grant)
    return response


async def _note_open(tasks: Tasks, job_id: int) -> None:
    """Whose turn it is opens the job by asking for its pixels: a sign of activity."""
    async with tasks.db.transaction() as tx:
        job, _ = await readable_job(tx, job_id, lock=True)
        await job_store.update_job(tx, progress.active(job, clock.now()))
