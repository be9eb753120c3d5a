"""Objects as the JSON of deliveries has them: the names and values of CVAT's API."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.task.v1 import issue_pb2, job_pb2, project_pb2, task_pb2
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

STAGES: Final[Mapping[int, str]] = MappingProxyType(
    {
        job_pb2.JOB_STAGE_ANNOTATION: "annotation",
        job_pb2.JOB_STAGE_VALIDATION: "validation",
        job_pb2.JOB_STAGE_ACCEPTANCE: "acceptance",
    }
)
STATES: Final[Mapping[int, str]] = MappingProxyType(
    {
        job_pb2.JOB_STATE_NEW: "new",
        job_pb2.JOB_STATE_IN_PROGRESS: "in progress",
        job_pb2.JOB_STATE_COMPLETED: "completed",
        job_pb2.JOB_STATE_REJECTED: "rejected",
    }
)
STATUSES: Final[Mapping[int, str]] = MappingProxyType(
    {
        job_pb2.JOB_STATUS_ANNOTATION: "annotation",
        job_pb2.JOB_STATUS_VALIDATION: "validation",
        job_pb2.JOB_STATUS_COMPLETED: "completed",
    }
)
_MODES: Final[Mapping[int, str]] = MappingProxyType(
    {task_pb2.TASK_MODE_ANNOTATION: "annotation", task_pb2.TASK_MODE_INTERPOLATION: "interpolation"}
)
# Where CVAT has another name for a field of ours.
FIELD_NAMES: Final[Mapping[str, str]] = MappingProxyType({"issue_tracker": "bug_tracker"})


def person_json(id_: int, username: str) -> dict[str, Any] | None:
    """Somebody; None for nobody."""
    return {"id": id_, "username": username} if id_ else None


def project_json(project: project_pb2.Project) -> dict[str, Any]:
    """A project, without its labels."""
    return {
        "id": project.id,
        "name": project.name,
        "owner": _person(project, "owner"),
        "assignee": _person(project, "assignee"),
        "bug_tracker": project.issue_tracker,
        "status": STATUSES.get(project.status, "annotation"),
        "tasks": {"count": project.task_count},
        "task_subsets": list(project.subsets),
        "dimension": "2d",
        "organization": None,
        **_dates(project),
    }


def task_json(task: task_pb2.Task) -> dict[str, Any]:
    """A task, without its labels."""
    return {
        "id": task.id,
        "name": task.name,
        "project_id": task.project_id or None,
        "mode": _MODES.get(task.mode, ""),
        "owner": _person(task, "owner"),
        "assignee": _person(task, "assignee"),
        "bug_tracker": task.issue_tracker,
        "subset": task.subset,
        "status": STATUSES.get(task.status, "annotation"),
        "size": task.size,
        "segment_size": task.segment_size,
        "overlap": task.overlap,
        "jobs": {
            "count": task.jobs.total,
            "completed": task.jobs.completed,
            "validation": task.jobs.validation,
        },
        "dimension": "2d",
        "organization": None,
        **_dates(task),
    }


def job_json(job: job_pb2.Job) -> dict[str, Any]:
    """A job; its frames are relative to the task."""
    return {
        "id": job.id,
        "task_id": job.task_id,
        "project_id": job.project_id or None,
        "type": "annotation",
        "start_frame": job.frames.first,
        "stop_frame": job.frames.last,
        "frame_count": job.frames.last - job.frames.first + 1,
        **job_values(job),
        "dimension": "2d",
        "organization": None,
        **_dates(job),
    }


def job_values(job: job_pb2.Job) -> dict[str, Any]:
    """What of a job changes by somebody's will."""
    return {
        "assignee": _person(job, "assignee"),
        "reviewer": _person(job, "reviewer"),
        "stage": STAGES.get(job.stage, ""),
        "state": STATES.get(job.state, ""),
        "status": STATUSES.get(job.status, ""),
    }


def issue_json(issue: issue_pb2.Issue) -> dict[str, Any]:
    """An issue; its comments as far as the event carries them."""
    return {
        "id": issue.id,
        "job": issue.job_id,
        "task_id": issue.task_id,
        "frame": issue.frame,
        **issue_values(issue),
        "owner": _person(issue, "owner"),
        "comments": {"count": issue.comment_count},
        **_dates(issue),
    }


def issue_values(issue: issue_pb2.Issue) -> dict[str, Any]:
    """What of an issue changes by somebody's will."""
    return {
        "position": list(issue.position),
        "assignee": _person(issue, "assignee"),
        "resolved": issue.resolved,
    }


def comment_json(comment: issue_pb2.Comment) -> dict[str, Any]:
    """What somebody has said."""
    return {
        "id": comment.id,
        "issue": comment.issue_id,
        "owner": _person(comment, "owner"),
        "message": comment.message,
        **_dates(comment),
    }


def _person(message: Message, name: str) -> dict[str, Any] | None:
    person: PersonRef = getattr(message, name)
    return person_json(person.id, person.username)


def _dates(message: Any) -> dict[str, Any]:
    return {"created_date": _moment(message.create_time), "updated_date": _moment(message.update_time)}


def _moment(timestamp: Timestamp) -> str:
    return timestamp.ToJsonString()
