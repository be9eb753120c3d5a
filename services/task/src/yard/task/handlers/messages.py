"""What is stored as the API and the events show it."""

from datetime import UTC, datetime, timedelta

from frameyard.common.v1.common_pb2 import FrameRange, PersonRef
from frameyard.media.v1.media_pb2 import DataParameters
from frameyard.task.v1 import job_pb2, label_pb2, project_pb2, task_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import status_pb2
from yard.annotations.labels import Attribute, Label
from yard.task.domain.progress import Counts
from yard.task.domain.rows import Task
from yard.task.store.job_views import JobView
from yard.task.store.projects import ProjectView
from yard.task.store.task_views import TaskView

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def project_to_proto(view: ProjectView) -> project_pb2.Project:
    """A project."""
    project = view.project
    return project_pb2.Project(
        id=project.id,
        name=project.name,
        owner=person(project.owner_id, view.owner_name),
        assignee=person(project.assignee_id, view.assignee_name),
        issue_tracker=project.issue_tracker,
        labels=map(label_to_proto, view.labels),
        task_count=view.task_count,
        jobs=counts_to_proto(view.jobs),
        status=view.jobs.status,
        subsets=view.subsets,
        preview_task_id=view.preview_task_id,
        create_time=timestamp(project.created_at),
        update_time=timestamp(project.updated_at),
    )


def task_to_proto(view: TaskView, operation: str) -> task_pb2.Task:
    """A task; `operation` is the name of what attaches its media, "" if nothing does."""
    task = view.task
    message = task_pb2.Task(
        id=task.id,
        name=task.name,
        project_id=task.project_id or 0,
        project_name=view.project_name,
        owner=person(task.owner_id, view.owner_name),
        assignee=person(task.assignee_id, view.assignee_name),
        issue_tracker=task.issue_tracker,
        subset=task.subset,
        labels=map(label_to_proto, view.labels),
        status=task.status,
        jobs=counts_to_proto(counts_of(task)),
        sync_status=task.sync_status,
        sync_message=task.sync_message,
        revision=view.revision,
        create_time=timestamp(task.created_at),
        update_time=timestamp(task.updated_at),
    )
    _show_media(message, task, operation)
    if task.repository_location:
        message.repository.location = task.repository_location
        message.repository.use_lfs = task.repository_use_lfs
        message.repository.format = task.repository_format
    return message


def show_deletion(
    message: task_pb2.Task | project_pb2.Project, deleted_at: datetime | None, purge_after: timedelta
) -> None:
    """Says when something was deleted and will be gone for good, if it was."""
    if deleted_at is not None:
        message.delete_time.CopyFrom(timestamp(deleted_at))
        message.purge_time.CopyFrom(timestamp(deleted_at + purge_after))


def job_to_proto(view: JobView) -> job_pb2.Job:
    """A job."""
    job = view.job
    return job_pb2.Job(
        id=job.id,
        task_id=job.task_id,
        task_name=view.task_name,
        project_id=view.project_id,
        segment=job.segment,
        frames=FrameRange(first=job.first_frame, last=job.last_frame),
        assignee=person(job.assignee_id, view.assignee_name),
        reviewer=person(job.reviewer_id, view.reviewer_name),
        stage=job.stage,
        state=job.state,
        status=job.status,
        start_time=None if job.started_at is None else timestamp(job.started_at),
        work_duration=_duration(job.work_s),
        revision=job.revision,
        create_time=timestamp(job.created_at),
        update_time=timestamp(job.updated_at),
        issue_count=view.issue_count,
    )


def counts_to_proto(counts: Counts) -> job_pb2.JobCounts:
    """Numbers of jobs."""
    return job_pb2.JobCounts(
        total=counts.total,
        annotation=counts.annotation,
        validation=counts.validation,
        completed=counts.completed,
    )


def counts_of(task: Task) -> Counts:
    """Numbers of the task's jobs."""
    return Counts(
        total=task.jobs_total,
        annotation=task.jobs_annotation,
        validation=task.jobs_validation,
        completed=task.jobs_completed,
    )


def data_of(task: Task) -> DataParameters | None:
    """The data parameters in force, None until the media is ready."""
    return None if task.data is None else DataParameters.FromString(task.data)


def _show_media(message: task_pb2.Task, task: Task, operation: str) -> None:
    message.segment_size = task.segment_size
    message.overlap = task.overlap
    message.mode = task.mode
    message.media_state = task.media_state
    message.media_id = str(task.media_id or "")
    message.media_operation = operation
    message.size = task.size
    message.width = task.width
    message.height = task.height
    message.media_warnings.extend(task.media_warnings)
    data = data_of(task)
    if data is not None:
        message.data.CopyFrom(data)
    if task.media_error is not None:
        message.media_error.CopyFrom(status_pb2.Status.FromString(task.media_error))


def person(person_id: int | None, username: str) -> PersonRef | None:
    """Somebody, or nobody."""
    return None if person_id is None else PersonRef(id=person_id, username=username)


def label_to_proto(label: Label) -> label_pb2.Label:
    """A label."""
    return label_pb2.Label(
        id=label.id,
        name=label.name,
        color=label.color,
        kind=label_pb2.LabelKind.ValueType(label.kind),
        attributes=map(_attribute, label.attributes),
    )


def _attribute(attribute: Attribute) -> label_pb2.Attribute:
    return label_pb2.Attribute(
        id=attribute.id,
        name=attribute.name,
        mutable=attribute.mutable,
        input=label_pb2.AttributeInput.ValueType(attribute.input),
        values=attribute.values,
        default_value=attribute.default_value,
    )


def timestamp(moment: datetime) -> Timestamp:
    """A moment."""
    # FromDatetime takes almost three times as long, and every answer has several of these.
    seconds, microseconds = divmod((moment - _EPOCH) // _MICROSECOND, 1_000_000)
    return Timestamp(seconds=seconds, nanos=microseconds * 1_000)


def _duration(seconds: float) -> Duration:
    message = Duration()
    message.FromMicroseconds(round(seconds * 1_000_000))
    return message
