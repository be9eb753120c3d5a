"""Issues and comments in deliveries: their events carry them whole."""

from typing import Any, Final

from frameyard.task.v1 import issue_pb2
from frameyard.task.v1.issue_events_pb2 import CommentChange, IssueCreated, IssueDeleted, IssueUpdated
from yard.runtime.bus import Event
from yard.runtime.db import Transaction
from yard.webhook.domain import Fact
from yard.webhook.handlers.events import tell_of_task
from yard.webhook.sources.shapes import comment_json, issue_json, issue_values
from yard.webhook.store import knowledge

_COMMENT_EVENTS: Final = {
    CommentChange.COMMENT_CHANGE_CREATED: "create:comment",
    CommentChange.COMMENT_CHANGE_UPDATED: "update:comment",
    CommentChange.COMMENT_CHANGE_DELETED: "delete:comment",
}


async def issue_created(tx: Transaction, event: Event[IssueCreated]) -> None:
    """An issue is opened, with what is said first."""
    issue = event.message.issue
    await knowledge.see(tx, "issue", issue.id, issue.task_id, issue_values(issue))
    fact = Fact(kind="issue", id=issue.id, sender_id=issue.owner.id, known=issue_json(issue), shown=True)
    await tell_of_task(tx, event, "create:issue", issue.task_id, fact)
    for comment in issue.comments[:1]:
        said = _of_comment(comment, issue.owner.id)
        await tell_of_task(tx, event, "create:comment", issue.task_id, said)


async def issue_updated(tx: Transaction, event: Event[IssueUpdated]) -> None:
    """An issue is another one, or something is said, corrected or taken back."""
    changed, issue = event.message, event.message.issue
    name = _COMMENT_EVENTS.get(changed.comment_change)
    if name is not None:
        said = _of_comment(changed.comment, changed.user_id, is_update=name == "update:comment")
        await tell_of_task(tx, event, name, issue.task_id, said)
    fields = [field for field in changed.changed_fields if field != "comments"]
    if not fields:
        return
    before = await knowledge.see(tx, "issue", issue.id, issue.task_id, issue_values(issue))
    fact = Fact(
        kind="issue",
        id=issue.id,
        sender_id=changed.user_id,
        known=issue_json(issue),
        shown=True,
        before={field: before[field] for field in fields if field in before},
        changed=fields,
    )
    await tell_of_task(tx, event, "update:issue", issue.task_id, fact)


async def issue_deleted(tx: Transaction, event: Event[IssueDeleted]) -> None:
    """An issue is gone with its comments."""
    gone = event.message
    known: dict[str, Any] = {"id": gone.issue_id, "job": gone.job_id, "task_id": gone.task_id}
    fact = Fact(kind="issue", id=gone.issue_id, sender_id=gone.user_id, known=known, shown=True)
    await tell_of_task(tx, event, "delete:issue", gone.task_id, fact)


def _of_comment(comment: issue_pb2.Comment, user_id: int, *, is_update: bool = False) -> Fact:
    return Fact(
        kind="comment",
        id=comment.id,
        sender_id=user_id,
        known=comment_json(comment),
        shown=True,
        before={} if is_update else None,
        changed=["message"] if is_update else (),
    )
