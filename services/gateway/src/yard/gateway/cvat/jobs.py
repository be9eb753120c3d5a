"""Jobs in JSON."""

from datetime import datetime
from typing import Final

from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.task.v1 import job_pb2, job_service_pb2, task_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from pydantic import BaseModel, ConfigDict
from yard.gateway.cvat.links import CountedLink, Link, Storage
from yard.gateway.cvat.moments import moment
from yard.gateway.cvat.numbers import Id
from yard.gateway.cvat.people import BasicUser, person
from yard.gateway.cvat.tasks import STATUSES, task_read
from yard.gateway.cvat.texts import Text
from yard.runtime import errors

STAGES: Final = {
    job_pb2.JOB_STAGE_ANNOTATION: "annotation",
    job_pb2.JOB_STAGE_VALIDATION: "validation",
    job_pb2.JOB_STAGE_ACCEPTANCE: "acceptance",
}
STATES: Final = {
    job_pb2.JOB_STATE_NEW: "new",
    job_pb2.JOB_STATE_IN_PROGRESS: "in progress",
    job_pb2.JOB_STATE_COMPLETED: "completed",
    job_pb2.JOB_STATE_REJECTED: "rejected",
}


class JobRead(BaseModel):
    """A job; frames are numbered as in its task."""

    url: str
    id: int
    task_id: int
    task_name: str | None
    project_id: int | None
    project_name: str | None
    assignee: BasicUser | None
    assignee_updated_date: datetime | None = None
    guide_id: int | None = None
    dimension: str = "2d"
    media_type: str
    bug_tracker: str | None
    status: str
    stage: str
    state: str
    type: str = "annotation"
    mode: str
    frame_count: int
    start_frame: int
    stop_frame: int
    data_chunk_size: int | None
    data_compressed_chunk_type: str
    data_original_chunk_type: str
    created_date: datetime
    updated_date: datetime
    issues: CountedLink
    labels: Link
    organization: int | None = None
    organization_id: int | None = None
    target_storage: Storage | None = None
    source_storage: Storage | None = None
    parent_job_id: int | None = None
    replicas_count: int = 0
    consensus_replicas: int = 0


class JobWrite(BaseModel):
    """Changes of a job: what is not given stays; `assignee` is an id, null for nobody."""

    model_config = ConfigDict(extra="ignore")

    assignee: Id = None
    stage: Text | None = None
    state: Text | None = None


def job_read(job: job_pb2.Job, task: task_pb2.Task, base_url: str) -> JobRead:
    """A job of a task as clients see it."""
    of_task = task_read(task, base_url)
    return JobRead(
        url=f"{base_url}/api/jobs/{job.id}",
        id=job.id,
        task_id=job.task_id,
        task_name=job.task_name or None,
        project_id=job.project_id or None,
        project_name=of_task.project_name,
        assignee=person(job.assignee, base_url),
        media_type=of_task.media_type,
        bug_tracker=of_task.bug_tracker or None,
        status=STATUSES.get(job.status, "annotation"),
        stage=STAGES[job.stage],
        state=STATES[job.state],
        mode=of_task.mode,
        frame_count=job.frames.last - job.frames.first + 1,
        start_frame=job.frames.first,
        stop_frame=job.frames.last,
        data_chunk_size=of_task.data_chunk_size,
        data_compressed_chunk_type=of_task.data_compressed_chunk_type,
        data_original_chunk_type=of_task.data_original_chunk_type,
        created_date=moment(job.create_time),
        updated_date=moment(job.update_time),
        issues=CountedLink(url=f"{base_url}/api/issues?job_id={job.id}", count=job.issue_count),
        labels=Link(url=f"{base_url}/api/labels?job_id={job.id}"),
    )


def job_changes(job_id: int, written: JobWrite) -> job_service_pb2.UpdateJobRequest | None:
    """What a PATCH asks for, None if that is nothing; faults are reported by their fields."""
    job = job_pb2.Job(id=job_id, assignee=PersonRef(id=written.assignee or 0))
    paths = ["assignee"] if "assignee" in written.model_fields_set else []
    faults: list[errors.Violation] = []
    for name, table in (("stage", STAGES), ("state", STATES)):
        word = getattr(written, name)
        if word is None:
            continue
        known = {text: number for number, text in table.items()}
        if word not in known:
            faults.append(errors.Violation(name, f"{word[:50]!r} is none of {', '.join(known)}"))
            continue
        setattr(job, name, known[word])
        paths.append(name)
    errors.refuse(faults)
    if not paths:
        return None
    return job_service_pb2.UpdateJobRequest(job=job, update_mask=FieldMask(paths=paths))
