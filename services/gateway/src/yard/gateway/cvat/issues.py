"""Issues and what is said about them, in JSON."""

from datetime import datetime
from typing import Annotated, TypeAlias

from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.task.v1 import issue_pb2, issue_service_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from pydantic import BaseModel, ConfigDict, Field
from yard.gateway.cvat.links import CountedLink
from yard.gateway.cvat.moments import moment
from yard.gateway.cvat.numbers import LARGEST_ID, Id
from yard.gateway.cvat.people import BasicUser, person

Position: TypeAlias = Annotated[list[float], Field(max_length=10_000, description="x, y pairs in pixels.")]
Message: TypeAlias = Annotated[str, Field(min_length=1, max_length=4096)]


class IssueRead(BaseModel):
    """An issue; its frame is numbered as in its task."""

    id: int
    frame: int
    position: list[float]
    job: int
    owner: BasicUser | None
    assignee: BasicUser | None
    created_date: datetime
    updated_date: datetime
    resolved: bool
    comments: CountedLink


class IssueWrite(BaseModel):
    """A new issue with its first comment."""

    model_config = ConfigDict(extra="ignore")

    job: int = Field(ge=0, le=LARGEST_ID)
    frame: int = Field(ge=0, le=2**31 - 1)
    position: Position
    message: Message
    assignee: Id = None
    resolved: bool = False


class IssuePatch(BaseModel):
    """Changes of an issue: what is not given stays; `assignee` is an id, null for nobody."""

    model_config = ConfigDict(extra="ignore")

    position: Position | None = None
    assignee: Id = None
    resolved: bool | None = None


class CommentRead(BaseModel):
    """What somebody says about an issue."""

    id: int
    issue: int
    owner: BasicUser | None
    message: str
    created_date: datetime
    updated_date: datetime


class CommentWrite(BaseModel):
    """A new comment."""

    model_config = ConfigDict(extra="ignore")

    issue: int = Field(ge=0, le=LARGEST_ID)
    message: Message


class CommentPatch(BaseModel):
    """A comment's new text."""

    model_config = ConfigDict(extra="ignore")

    message: Message | None = None


def issue_read(issue: issue_pb2.Issue, base_url: str) -> IssueRead:
    """An issue as clients see it."""
    comments = f"{base_url}/api/comments?issue_id={issue.id}"
    return IssueRead(
        id=issue.id,
        frame=issue.frame,
        position=list(issue.position),
        job=issue.job_id,
        owner=person(issue.owner, base_url),
        assignee=person(issue.assignee, base_url),
        created_date=moment(issue.create_time),
        updated_date=moment(issue.update_time),
        resolved=issue.resolved,
        comments=CountedLink(url=comments, count=issue.comment_count),
    )


def new_issue(written: IssueWrite) -> issue_service_pb2.CreateIssueRequest:
    """The request that opens it."""
    return issue_service_pb2.CreateIssueRequest(
        job_id=written.job,
        frame=written.frame,
        position=written.position,
        message=written.message,
        assignee_id=written.assignee or 0,
    )


def issue_changes(issue_id: int, written: IssuePatch) -> issue_service_pb2.UpdateIssueRequest | None:
    """What a PATCH asks for, None if that is nothing."""
    given = written.model_fields_set
    paths = ["assignee"] if "assignee" in given else []
    paths += [name for name in ("position", "resolved") if getattr(written, name) is not None]
    if not paths:
        return None
    issue = issue_pb2.Issue(
        id=issue_id,
        position=written.position or [],
        resolved=bool(written.resolved),
        assignee=PersonRef(id=written.assignee or 0),
    )
    return issue_service_pb2.UpdateIssueRequest(issue=issue, update_mask=FieldMask(paths=paths))


def comment_read(comment: issue_pb2.Comment, base_url: str) -> CommentRead:
    """A comment as clients see it."""
    return CommentRead(
        id=comment.id,
        issue=comment.issue_id,
        owner=person(comment.owner, base_url),
        message=comment.message,
        created_date=moment(comment.create_time),
        updated_date=moment(comment.update_time),
    )
