"""What a backup reads of tasks and projects, as the service itself."""

from dataclasses import dataclass

from frameyard.annotation.v1.annotation_service_pb2 import AnnotationTarget, GetDeletedFramesRequest
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from frameyard.task.v1 import project_service_pb2, task_service_pb2
from frameyard.task.v1.job_pb2 import Job
from frameyard.task.v1.project_pb2 import Project
from frameyard.task.v1.task_pb2 import Task
from yard.export.sources.channels import Channels
from yard.export.sources.tasks import jobs_of, tasks_of
from yard.runtime import errors
from yard.runtime.rpc import translated


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeTask:
    """A task with its jobs by segment and its deleted frames; without media it has neither."""

    task: Task
    jobs: tuple[Job, ...] = ()
    deleted: tuple[FrameRange, ...] = ()


async def whole_task(channels: Channels, task_id: int) -> WholeTask:
    """FailedPrecondition while its media is being indexed."""
    task = await task_of(channels, task_id)
    if task.media_state == media_pb2.MEDIA_STATE_INDEXING:
        raise errors.FailedPrecondition(f"the media of task {task_id} is not ready", reason="TASK_NOT_READY")
    if not task.size:
        return WholeTask(task=task)
    target = AnnotationTarget(task_id=task_id)
    with translated():
        jobs = await jobs_of(channels, task_id=task_id)
        deleted = await channels.annotations.GetDeletedFrames(GetDeletedFramesRequest(target=target))
    return WholeTask(task=task, jobs=tuple(jobs), deleted=tuple(deleted.deleted))


async def task_of(channels: Channels, task_id: int) -> Task:
    """The task as it is now."""
    with translated():
        return (await channels.tasks.GetTask(task_service_pb2.GetTaskRequest(id=task_id))).task


async def project_of(channels: Channels, project_id: int) -> Project:
    """The project as it is now."""
    request = project_service_pb2.GetProjectRequest(id=project_id)
    with translated():
        return (await channels.projects.GetProject(request)).project


async def tasks_in(channels: Channels, project_id: int) -> list[int]:
    """Ids of its tasks, ascending."""
    with translated():
        return sorted([task.id async for task in tasks_of(channels, project_id)])
