"""Issues and comments as the API and the events show them."""

from collections.abc import Iterable

from frameyard.task.v1 import issue_pb2
from yard.task.handlers.messages import person, timestamp
from yard.task.store.issues import CommentView, IssueView


def issue_to_proto(view: IssueView, comments: Iterable[CommentView]) -> issue_pb2.Issue:
    """An issue with these comments of it."""
    issue = view.issue
    return issue_pb2.Issue(
        id=issue.id,
        job_id=issue.job_id,
        task_id=issue.task_id,
        frame=issue.frame,
        position=issue.position,
        owner=person(issue.owner_id, view.owner_name),
        assignee=person(issue.assignee_id, view.assignee_name),
        resolved=issue.resolved,
        comments=map(comment_to_proto, comments),
        comment_count=issue.comment_count,
        create_time=timestamp(issue.created_at),
        update_time=timestamp(issue.updated_at),
    )


def comment_to_proto(view: CommentView) -> issue_pb2.Comment:
    """A comment."""
    comment = view.comment
    return issue_pb2.Comment(
        id=comment.id,
        issue_id=comment.issue_id,
        owner=person(comment.owner_id, view.owner_name),
        message=comment.message,
        create_time=timestamp(comment.created_at),
        update_time=timestamp(comment.updated_at),
    )
