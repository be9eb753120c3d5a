"""Projects in JSON."""

from datetime import datetime

from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.task.v1 import project_pb2, project_service_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from pydantic import BaseModel, Field
from yard.gateway.cvat.labels import LabelWrite
from yard.gateway.cvat.links import CountedLink, Link, Storage
from yard.gateway.cvat.moments import moment
from yard.gateway.cvat.numbers import Id
from yard.gateway.cvat.people import BasicUser, person
from yard.gateway.cvat.tasks import STATUSES, Placed, placement_violations
from yard.gateway.cvat.texts import Text
from yard.runtime import errors


class ProjectRead(BaseModel):
    """A project; `dimension` is that of its tasks, null before it has some."""

    url: str
    id: int
    name: str
    owner: BasicUser | None
    assignee: BasicUser | None
    assignee_updated_date: datetime | None = None
    guide_id: int | None = None
    bug_tracker: str
    task_subsets: list[str]
    created_date: datetime
    updated_date: datetime
    status: str
    dimension: str | None
    organization: int | None = None
    organization_id: int | None = None
    target_storage: Storage | None = None
    source_storage: Storage | None = None
    tasks: CountedLink
    labels: Link


class ProjectWrite(Placed):
    """A new project, or changes of one: what is not given stays."""

    name: str | None = Field(None, max_length=256)
    labels: list[LabelWrite] | None = None
    owner_id: Id = None
    assignee_id: Id = None
    bug_tracker: Text | None = None


def project_read(project: project_pb2.Project, base_url: str) -> ProjectRead:
    """A project as clients see it."""
    return ProjectRead(
        url=f"{base_url}/api/projects/{project.id}",
        id=project.id,
        name=project.name,
        owner=person(project.owner, base_url),
        assignee=person(project.assignee, base_url),
        bug_tracker=project.issue_tracker,
        task_subsets=list(project.subsets),
        created_date=moment(project.create_time),
        updated_date=moment(project.update_time),
        status=STATUSES.get(project.status, "annotation"),
        dimension="2d" if project.task_count else None,
        tasks=CountedLink(url=f"{base_url}/api/tasks?project_id={project.id}", count=project.task_count),
        labels=Link(url=f"{base_url}/api/labels?project_id={project.id}"),
    )


def violations(written: ProjectWrite, *, is_new: bool = False) -> list[errors.Violation]:
    """What no project here can be."""
    faults = placement_violations(written)
    if is_new and not written.name:
        faults.append(errors.Violation("name", "required"))
    return faults


def project_changes(
    project_id: int, written: ProjectWrite
) -> project_service_pb2.UpdateProjectRequest | None:
    """What a PATCH asks for beside labels, None if that is nothing."""
    names = {
        "name": "name",
        "bug_tracker": "issue_tracker",
        "owner_id": "owner",
        "assignee_id": "assignee",
    }
    paths = [path for name, path in names.items() if name in written.model_fields_set]
    if not paths:
        return None
    project = project_pb2.Project(
        id=project_id,
        name=written.name or "",
        issue_tracker=written.bug_tracker or "",
        owner=PersonRef(id=written.owner_id or 0),
        assignee=PersonRef(id=written.assignee_id or 0),
    )
    return project_service_pb2.UpdateProjectRequest(project=project, update_mask=FieldMask(paths=paths))
