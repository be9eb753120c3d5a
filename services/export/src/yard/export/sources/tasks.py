"""Tasks and jobs as subjects of exports, and who may see them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from frameyard.export.v1.export_service_pb2 import CreateExportRequest
from frameyard.task.v1 import job_pb2, job_service_pb2, task_pb2, task_service_pb2
from yard.annotations.labels import LabelSchema
from yard.export.domain import Segment, Subject
from yard.export.intakes.label_messages import labels_of
from yard.export.sources.channels import Channels
from yard.runtime import errors
from yard.runtime.rpc import translated

PAGE = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def visible_task(
    channels: Channels, authorization: str, *, task_id: int = 0, job_id: int = 0
) -> task_pb2.Task:
    """The task, read in the name of the caller: NotFound unless the caller may see what is named.

    PermissionDenied for a whole task of which the caller sees single jobs only.
    """
    metadata = (("authorization", authorization),)
    with translated():
        if job_id:
            request = job_service_pb2.GetJobRequest(id=job_id)
            answer = await channels.jobs_for_caller.GetJob(request, metadata=metadata)
            task_id = answer.job.task_id
        found = await channels.tasks_for_caller.GetTask(
            task_service_pb2.GetTaskRequest(id=task_id), metadata=metadata
        )
        if not job_id and found.task.size:
            # Who works on some of its jobs sees the task too, but not all that an archive of it holds.
            wanted = task_service_pb2.GetMediaGrantRequest(task_id=task_id)
            await channels.tasks_for_caller.GetMediaGrant(wanted, metadata=metadata)
    return found.task


async def subject_of(channels: Channels, request: CreateExportRequest) -> Subject:
    """The task or job as it is now, read as the service itself; its deleted frames are not asked for."""
    return (await subject_and_revision(channels, request))[0]


async def subject_and_revision(channels: Channels, request: CreateExportRequest) -> tuple[Subject, int]:
    """The same with the revision of its annotations."""
    with translated():
        job = None
        task_id = request.task_id
        if request.job_id:
            job = (await channels.jobs.GetJob(job_service_pb2.GetJobRequest(id=request.job_id))).job
            task_id = job.task_id
        task = (await channels.tasks.GetTask(task_service_pb2.GetTaskRequest(id=task_id))).task
        jobs = [job] if job is not None else await jobs_of(channels, task_id=task_id)
    if not task.size:
        raise errors.FailedPrecondition(f"task {task_id} has no frames yet", reason="TASK_NOT_READY")
    subject = _subject(task, tuple(map(_segment, jobs)), labels_of(task.labels))
    if job is None:
        return subject, task.revision
    name = job.assignee.username
    first, last = job.frames.first, job.frames.last
    return replace(subject, job_id=job.id, assignee=name, first=first, last=last), job.revision


async def subjects_in(channels: Channels, project_id: int, labels: LabelSchema) -> list[tuple[Subject, int]]:
    """The tasks of a project that have frames, by id, with the revisions of their annotations."""
    segments: dict[int, list[Segment]] = {}
    for job in await jobs_of(channels, project_id=project_id):
        segments.setdefault(job.task_id, []).append(_segment(job))
    found = [
        (_subject(task, tuple(segments[task.id]), labels), task.revision)
        async for task in tasks_of(channels, project_id)
        if task.size and task.id in segments
    ]
    return sorted(found, key=lambda each: each[0].task_id)


async def tasks_of(channels: Channels, project_id: int) -> AsyncIterator[task_pb2.Task]:
    """The tasks of a project, by age."""
    token = ""
    while True:
        request = task_service_pb2.ListTasksRequest(
            project_id=project_id,
            order=task_service_pb2.TASK_ORDER_OLDEST_FIRST,
            page_size=PAGE,
            page_token=token,
        )
        page = await channels.tasks.ListTasks(request)
        for task in page.tasks:
            yield task
        token = page.next_page_token
        if not token:
            return


async def jobs_of(channels: Channels, *, task_id: int = 0, project_id: int = 0) -> list[job_pb2.Job]:
    """The jobs of a task, or of all tasks of a project, by segment."""
    jobs: list[job_pb2.Job] = []
    token = ""
    while True:
        page = await channels.jobs.ListJobs(
            job_service_pb2.ListJobsRequest(
                task_id=task_id, project_id=project_id, page_size=PAGE, page_token=token
            )
        )
        jobs += page.jobs
        token = page.next_page_token
        if not token:
            return sorted(jobs, key=lambda job: job.segment)


def _subject(task: task_pb2.Task, segments: tuple[Segment, ...], labels: LabelSchema) -> Subject:
    is_video = task.mode == task_pb2.TASK_MODE_INTERPOLATION
    return Subject(
        task_id=task.id,
        job_id=0,
        name=task.name,
        mode="interpolation" if is_video else "annotation",
        subset=task.subset,
        issue_tracker=task.issue_tracker,
        owner=task.owner.username,
        assignee=task.assignee.username,
        created=time_of(task.create_time.ToMicroseconds()),
        updated=time_of(task.update_time.ToMicroseconds()),
        overlap=task.overlap,
        start_frame=task.data.start_frame,
        frame_step=task.data.frame_step or 1,
        first=0,
        last=task.size - 1,
        width=task.width,
        height=task.height,
        segments=segments,
        labels=labels,
        media_id=task.media_id,
    )


def time_of(microseconds: int) -> datetime:
    """A time as the contract has it."""
    return EPOCH + timedelta(microseconds=microseconds)


def _segment(job: job_pb2.Job) -> Segment:
    return Segment(job_id=job.id, first=job.frames.first, last=job.frames.last)
