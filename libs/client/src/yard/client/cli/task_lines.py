"""A task in words."""

from collections.abc import Iterator

from frameyard.media.v1 import media_pb2
from frameyard.task.v1 import job_pb2, task_pb2, task_service_pb2
from yard.client.cli import labels
from yard.client.cli.listing import day
from yard.client.cli.parameters import Choice, word

MODE = Choice(task_pb2.TaskMode, "TASK_MODE_")


def row_of(task: task_pb2.Task) -> tuple[object, ...]:
    """Id, name, project, assignee, media, frames, jobs, status, repository; end of a deleted one."""
    jobs = task.jobs
    gone = (day(task.purge_time),) if task.HasField("delete_time") else ()
    about = task.id, task.name, task.project_name, task.assignee.username, _media_state(task)
    return *about, task.size, jobs.total, jobs.completed, _status(task), sync_word(task.sync_status), *gone


def file_row(result: media_pb2.FileResult) -> tuple[object, ...]:
    """Name (or URL), outcome, frames, bytes, reason."""
    outcome = word(media_pb2.FileOutcome, "FILE_OUTCOME_", result.outcome)
    return result.url or result.name, outcome, result.frame_count, result.size_bytes, result.reason


def lines_of(task: task_pb2.Task) -> list[str]:
    """All that a person wants to know of it."""
    return [
        f"task {task.id}: {task.name}",
        f"owner: {task.owner.username}; assignee: {task.assignee.username or 'nobody'}",
        *_belongings(task),
        *_media(task),
        *_jobs(task),
        *labels.lines_of(task.labels),
    ]


def plan_lines(plan: task_service_pb2.CreateTaskResponse) -> list[str]:
    """What would be made, and the jobs of it."""
    jobs = [
        f"  job {each.number}: frames {each.frames.first} to {each.frames.last}" for each in plan.segments
    ]
    head = [f"{len(jobs)} jobs, overlap {plan.task.overlap}"] if jobs else []
    return [f"{plan.task.name} can be made", *head, *jobs, *labels.lines_of(plan.task.labels)]


def sync_word(status: task_pb2.SyncStatus.ValueType) -> str:
    """Whether a repository has the present annotations; empty if there is none."""
    return word(task_pb2.SyncStatus, "SYNC_STATUS_", status) if status else ""


def _belongings(task: task_pb2.Task) -> Iterator[str]:
    if task.project_id:
        yield f"project: {task.project_id} {task.project_name}".rstrip()
    if task.subset:
        yield f"subset: {task.subset}"
    if task.issue_tracker:
        yield f"issue tracker: {task.issue_tracker}"
    if task.HasField("repository"):
        yield f"repository: {task.repository.location} ({sync_word(task.sync_status)})"
        if task.sync_message:
            yield f"  {task.sync_message}"


def _media(task: task_pb2.Task) -> Iterator[str]:
    if task.media_state == media_pb2.MEDIA_STATE_READY:
        data = task.data
        yield f"media: {task.size} frames of {task.width}x{task.height}"
        chunks = word(media_pb2.ChunkFormat, "CHUNK_FORMAT_", data.chunk_format)
        frames = f"frames {data.start_frame} to {data.stop_frame}, every {data.frame_step}"
        yield f"  {frames}; {chunks} chunks of {data.chunk_size}; quality {data.image_quality}"
    else:
        yield f"media: {_media_state(task)} {task.media_operation}".rstrip()
    if task.HasField("media_error"):
        yield f"  error: {task.media_error.message}"
    for warning in task.media_warnings:
        yield f"  warning: {warning}"


def _jobs(task: task_pb2.Task) -> Iterator[str]:
    if task.jobs.total:
        counts = task.jobs
        parts = f"{counts.annotation} in annotation, {counts.validation} in validation"
        yield f"jobs: {counts.total}, {parts}, {counts.completed} completed"
        yield f"  segments of {task.segment_size} frames, overlap {task.overlap}; revision {task.revision}"


def _media_state(task: task_pb2.Task) -> str:
    if not task.media_state:
        return "none yet"
    return word(media_pb2.MediaState, "MEDIA_STATE_", task.media_state)


def _status(task: task_pb2.Task) -> str:
    return word(job_pb2.JobStatus, "JOB_STATUS_", task.status) if task.status else ""
