"""Tasks in JSON."""

from datetime import datetime
from typing import Any, Final

from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.media.v1 import media_pb2
from frameyard.task.v1 import job_pb2, task_pb2, task_service_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from pydantic import BaseModel, ConfigDict, Field
from yard.gateway.cvat.labels import LabelWrite
from yard.gateway.cvat.links import JobsLink, Link, Storage
from yard.gateway.cvat.moments import moment
from yard.gateway.cvat.numbers import Count, Id
from yard.gateway.cvat.people import BasicUser, person
from yard.gateway.cvat.texts import Text
from yard.runtime import errors

MODES: Final = {
    task_pb2.TASK_MODE_ANNOTATION: "annotation",
    task_pb2.TASK_MODE_INTERPOLATION: "interpolation",
}
STATUSES: Final = {
    job_pb2.JOB_STATUS_ANNOTATION: "annotation",
    job_pb2.JOB_STATUS_VALIDATION: "validation",
    job_pb2.JOB_STATUS_COMPLETED: "completed",
}


class TaskRead(BaseModel):
    """A task; sizes, mode and chunks are those in force, and empty before it has media."""

    url: str
    id: int
    name: str
    project_id: int | None
    project_name: str | None
    mode: str
    owner: BasicUser | None
    assignee: BasicUser | None
    assignee_updated_date: datetime | None = None
    bug_tracker: str
    created_date: datetime
    updated_date: datetime
    overlap: int | None
    segment_size: int
    status: str
    data_chunk_size: int | None
    data_compressed_chunk_type: str
    data_original_chunk_type: str
    data_cloud_storage_id: int | None = None
    guide_id: int | None = None
    size: int
    image_quality: int
    data: int | None
    dimension: str
    media_type: str
    subset: str
    organization: int | None = None
    organization_id: int | None = None
    target_storage: Storage | None = None
    source_storage: Storage | None = None
    jobs: JobsLink
    labels: Link
    validation_mode: str | None = None
    consensus_enabled: bool = False
    initial_replicas: int = 0


class Placed(BaseModel):
    """Where something is to be, and its files; there is one place only."""

    model_config = ConfigDict(extra="ignore")

    organization_id: int | None = None
    source_storage: dict[str, Any] | None = None
    target_storage: dict[str, Any] | None = None


class TaskWrite(Placed):
    """A new task, or changes of one: what is not given stays."""

    name: str | None = Field(None, max_length=256)
    project_id: Id = None
    labels: list[LabelWrite] | None = None
    owner_id: Id = None
    assignee_id: Id = None
    bug_tracker: Text | None = None
    subset: Text | None = None
    overlap: Count = None
    segment_size: Count = None
    consensus_replicas: int | None = None


def task_read(task: task_pb2.Task, base_url: str) -> TaskRead:
    """A task as clients see it."""
    has_media = task.media_state == media_pb2.MEDIA_STATE_READY
    data = task.data
    is_video = task.mode == task_pb2.TASK_MODE_INTERPOLATION
    return TaskRead(
        url=f"{base_url}/api/tasks/{task.id}",
        id=task.id,
        name=task.name,
        project_id=task.project_id or None,
        project_name=task.project_name or None,
        mode=MODES.get(task.mode, "") if has_media else "",
        owner=person(task.owner, base_url),
        assignee=person(task.assignee, base_url),
        bug_tracker=task.issue_tracker,
        created_date=moment(task.create_time),
        updated_date=moment(task.update_time),
        overlap=task.overlap if has_media else None,
        segment_size=task.segment_size,
        status=STATUSES.get(task.status, "annotation"),
        data_chunk_size=data.chunk_size if has_media else None,
        data_compressed_chunk_type=chunk_type(data.chunk_format),
        # Frames of a video are told one by one, as chunks of original quality come as zip to who asks so.
        data_original_chunk_type="video" if is_video and data.chunk_format == _MP4 else "imageset",
        size=task.size,
        image_quality=data.image_quality if has_media else 0,
        data=task.id if has_media else None,
        dimension="2d",
        media_type="video" if is_video else "image",
        subset=task.subset,
        jobs=JobsLink(
            url=f"{base_url}/api/jobs?task_id={task.id}",
            count=task.jobs.total,
            completed=task.jobs.completed,
            validation=task.jobs.validation,
        ),
        labels=Link(url=f"{base_url}/api/labels?task_id={task.id}"),
    )


def chunk_type(chunk_format: media_pb2.ChunkFormat.ValueType) -> str:
    """The word for a container."""
    return "video" if chunk_format == _MP4 else "imageset"


def violations(written: TaskWrite, *, is_new: bool = False) -> list[errors.Violation]:
    """What no task here can be."""
    faults = placement_violations(written)
    if is_new and not written.name:
        faults.append(errors.Violation("name", "required"))
    if written.consensus_replicas:
        faults.append(errors.Violation("consensus_replicas", "consensus jobs are not supported"))
    return faults


def placement_violations(written: Placed) -> list[errors.Violation]:
    """What is wrong with where something is to be, and its files."""
    faults: list[errors.Violation] = []
    if written.organization_id:
        faults.append(errors.Violation("organization_id", "there are no organizations"))
    for name in ("source_storage", "target_storage"):
        storage = getattr(written, name)
        if storage and storage.get("location") not in (None, "local"):
            faults.append(errors.Violation(name, "cloud storages are not supported"))
    return faults


def task_changes(task_id: int, written: TaskWrite) -> task_service_pb2.UpdateTaskRequest | None:
    """What a PATCH asks for beside labels and project, None if that is nothing."""
    names = {
        "name": "name",
        "bug_tracker": "issue_tracker",
        "subset": "subset",
        "owner_id": "owner",
        "assignee_id": "assignee",
    }
    paths = [path for name, path in names.items() if name in written.model_fields_set]
    if not paths:
        return None
    task = task_pb2.Task(
        id=task_id,
        name=written.name or "",
        issue_tracker=written.bug_tracker or "",
        subset=written.subset or "",
        owner=PersonRef(id=written.owner_id or 0),
        assignee=PersonRef(id=written.assignee_id or 0),
    )
    return task_service_pb2.UpdateTaskRequest(task=task, update_mask=FieldMask(paths=paths))


_MP4: Final = media_pb2.CHUNK_FORMAT_MP4
