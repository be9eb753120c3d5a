"""Parameters of lists; every one that names a field asks for what is equal to it."""

from collections.abc import Collection
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, Field
from yard.gateway.cvat.fields import Listing
from yard.gateway.cvat.filters import LONGEST, condition_of
from yard.gateway.cvat.numbers import LARGEST_ID, Count
from yard.gateway.cvat.sorts import keys_of

Id: TypeAlias = Annotated[int | None, Field(ge=1, le=LARGEST_ID)]
Name: TypeAlias = Annotated[str | None, Field(max_length=1000)]


class ListQuery(BaseModel):
    """What all lists understand."""

    filter: str = Field("", max_length=LONGEST, description="Condition in JSON Logic.")
    search: str = Field("", max_length=1000, description="Words that are all in some of the fields.")
    sort: str = Field("", max_length=1000, description="Fields with commas between; a minus: descending.")


class TaskQuery(ListQuery):
    """Parameters of the list of tasks."""

    id: Id = None
    name: Name = None
    owner: Name = None
    assignee: Name = None
    project_id: Id = None
    project_name: Name = None
    mode: Name = None
    media_type: Name = None
    status: Name = None
    subset: Name = None
    tracker_link: Name = None
    dimension: Name = None
    validation_mode: Name = None


class ProjectQuery(ListQuery):
    """Parameters of the list of projects."""

    id: Id = None
    name: Name = None
    owner: Name = None
    assignee: Name = None
    status: Name = None


class JobQuery(ListQuery):
    """Parameters of the list of jobs."""

    id: Id = None
    task_id: Id = None
    task_name: Name = None
    project_id: Id = None
    project_name: Name = None
    assignee: Name = None
    mode: Name = None
    media_type: Name = None
    stage: Name = None
    state: Name = None
    status: Name = None
    type: Name = None
    dimension: Name = None
    parent_job_id: Id = None


class LabelQuery(ListQuery):
    """Parameters of the list of labels; one of the three ids at most."""

    task_id: Id = Field(None, description="Only those of this task, or of its project.")
    job_id: Id = Field(None, description="Only those of the task of this job.")
    project_id: Id = Field(None, description="Only those of this project.")
    id: Id = None
    name: Name = None
    type: Name = None
    color: Name = None
    parent: Name = None
    parent_id: Id = None


class IssueQuery(ListQuery):
    """Parameters of the list of issues."""

    id: Id = None
    job_id: Id = None
    task_id: Id = None
    frame_id: Count = None
    owner: Name = None
    assignee: Name = None
    resolved: bool | None = None


class CommentQuery(ListQuery):
    """Parameters of the list of comments."""

    id: Id = None
    issue_id: Id = None
    job_id: Id = None
    frame_id: Count = None
    owner: Name = None


class RequestQuery(ListQuery):
    """Parameters of the list of requests."""

    status: Name = None
    action: Name = Field(None, max_length=1000, description="create, import or export.")
    target: Name = Field(None, max_length=1000, description="task, job or project.")
    subresource: Name = Field(None, max_length=1000, description="annotations, dataset or backup.")
    format: Name = None
    task_id: Id = None
    job_id: Id = None
    project_id: Id = None


class WebhookQuery(ListQuery):
    """Parameters of the list of webhooks."""

    id: Id = None
    project_id: Id = Field(None, description="Only those of this project.")
    target_url: Name = None
    owner: Name = None
    type: Name = None


class UserQuery(ListQuery):
    """Parameters of the list of people."""

    search: str = Field("", max_length=301, description="Beginning of a name.")
    id: Id = None
    username: Annotated[str | None, Field(max_length=150, description="Exactly this user name.")] = None
    first_name: Name = None
    last_name: Name = None
    is_active: bool | None = None


class AccessTokenQuery(ListQuery):
    """Parameters of the list of access tokens."""

    name: Name = None
    read_only: bool | None = None


def asked(
    query: ListQuery, listing: Listing, *, aside: Collection[str] = (), order: str = "-id"
) -> dict[str, Any]:
    """The fields `filter` and `sort` of a request, which has fields of its own for what is `aside`."""
    given = query.model_dump(exclude={*ListQuery.model_fields, *aside}, exclude_none=True)
    values = {name: value for name, value in given.items() if value != ""}
    return {
        "filter": condition_of(listing, logic=query.filter, search=query.search, values=values),
        "sort": keys_of(query.sort, listing.fields, order),
    }
