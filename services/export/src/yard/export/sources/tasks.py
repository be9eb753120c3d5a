"""Tasks and jobs as subjects of exports, and who may see them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from frameyard.export.v1.export_service_pb2 import CreateExportRequest
from frameyard.task.v1 import job_pb2, job_service_pb2, label_pb2, task_pb2, task_service_pb2
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind, LabelSchema
from yard.export.domain import Segment, Subject
from yard.export.sources.channels import Channels, translated
from yard.runtime import errors

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
    """The subject as it is now, read as the service itself."""
    with translated():
        job = None
        task_id = request.task_id
        if request.job_id:
            job = (await channels.jobs.GetJob(job_service_pb2.GetJobRequest(id=request.job_id))).job
            task_id = job.task_id
        task = (await channels.tasks.GetTask(task_service_pb2.GetTaskRequest(id=task_id))).task
        jobs = [job] if job is not None else await _jobs(channels, task_id)
    if not task.size:
        raise errors.FailedPrecondition(f"task {task_id} has no frames yet")
    subject = _subject(task, tuple(map(_segment, jobs)))
    if job is None:
        return subject
    return replace(
        subject,
        job_id=job.id,
        assignee=job.assignee.username,
        first=job.frames.first,
        last=job.frames.last,
    )


async def _jobs(channels: Channels, task_id: int) -> list[job_pb2.Job]:
    jobs: list[job_pb2.Job] = []
    token = ""
    while True:
        page = await channels.jobs.ListJobs(
            job_service_pb2.ListJobsRequest(task_id=task_id, page_size=PAGE, page_token=token)
        )
        jobs += page.jobs
        token = page.next_page_token
        if not token:
            return sorted(jobs, key=lambda job: job.segment)


def _subject(task: task_pb2.Task, segments: tuple[Segment, ...]) -> Subject:
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
        created=_time(task.create_time.ToMicroseconds()),
        updated=_time(task.update_time.ToMicroseconds()),
        overlap=task.overlap,
        start_frame=task.data.start_frame,
        frame_step=task.data.frame_step or 1,
        first=0,
        last=task.size - 1,
        width=task.width,
        height=task.height,
        segments=segments,
        labels=LabelSchema(map(_label, task.labels)),
        media_id=task.media_id,
    )


def _time(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _segment(job: job_pb2.Job) -> Segment:
    return Segment(job_id=job.id, first=job.frames.first, last=job.frames.last)


def _label(label: label_pb2.Label) -> Label:
    return Label(
        id=label.id,
        name=label.name,
        color=label.color,
        kind=LabelKind(label.kind or LabelKind.ANY),
        attributes=tuple(map(_attribute, label.attributes)),
    )


def _attribute(attribute: label_pb2.Attribute) -> Attribute:
    return Attribute(
        id=attribute.id,
        name=attribute.name,
        mutable=attribute.mutable,
        input=AttributeInput(attribute.input),
        values=tuple(attribute.values),
        default_value=attribute.default_value if attribute.HasField("default_value") else None,
    )
