"""What people say about issues."""

from frameyard.task.v1 import issue_pb2
from frameyard.task.v1 import issue_service_pb2 as messages
from yard.runtime import auth, errors, idempotency, paging
from yard.runtime.db import Transaction
from yard.task.domain import issues as rules
from yard.task.domain import requests
from yard.task.domain.issues import Comment, Issue
from yard.task.handlers import people
from yard.task.handlers.context import Tasks
from yard.task.handlers.issue_messages import comment_to_proto
from yard.task.handlers.issues import check_is_person, readable_issue, tell_changed
from yard.task.handlers.positions import after_id
from yard.task.store import Reader
from yard.task.store import issues as store

_FIELDS = ["comments"]


async def create_comment(
    tasks: Tasks, request: messages.CreateCommentRequest
) -> messages.CreateCommentResponse:
    """Adds a comment, once for each request id."""
    await readable_issue(tasks.db, request.issue_id)
    check_is_person()
    requests.refuse(list(rules.message_violations(request.message)))
    async with tasks.db.transaction() as tx:
        return await idempotency.once(
            tx, request.request_id, request, messages.CreateCommentResponse, lambda: _insert(tx, request)
        )


async def list_comments(tasks: Tasks, request: messages.ListCommentsRequest) -> messages.ListCommentsResponse:
    """One page by age."""
    size = paging.size(request.page_size)
    after = after_id(request.page_token, request)
    await readable_issue(tasks.db, request.issue_id)
    found = await store.comments_of(tasks.db, request.issue_id, after or 0, size + 1)
    token = paging.encode([found[size - 1].comment.id], request) if len(found) > size else ""
    return messages.ListCommentsResponse(comments=map(comment_to_proto, found[:size]), next_page_token=token)


async def update_comment(
    tasks: Tasks, request: messages.UpdateCommentRequest
) -> messages.UpdateCommentResponse:
    """Writes a new text, if it is another one."""
    async with tasks.db.transaction() as tx:
        issue, comment = await _own(tx, request.id)
        requests.refuse(list(rules.message_violations(request.message)))
        if request.message != comment.message:
            await store.update_comment(tx, comment, request.message)
            await tell_changed(tx, issue, _FIELDS)
        return messages.UpdateCommentResponse(comment=await _shown(tx, comment.id))


async def delete_comment(
    tasks: Tasks, request: messages.DeleteCommentRequest
) -> messages.DeleteCommentResponse:
    """Deletes a comment, unless it is what the issue is about."""
    async with tasks.db.transaction() as tx:
        issue, comment = await _own(tx, request.id)
        [first] = await store.comments_of(tx, issue.id, 0, 1)
        if first.comment.id == comment.id:
            raise errors.FailedPrecondition(
                f"comment {comment.id} says what issue {issue.id} is about: delete the issue",
                reason="FIRST_COMMENT",
            )
        await store.delete_comment(tx, comment)
        await tell_changed(tx, issue, _FIELDS)
    return messages.DeleteCommentResponse()


async def _insert(tx: Transaction, request: messages.CreateCommentRequest) -> messages.CreateCommentResponse:
    await store.lock(tx, request.issue_id)
    issue, _, _ = await readable_issue(tx, request.issue_id)
    await people.note_caller(tx)
    comment_id = await store.insert_comment(tx, issue.id, auth.current().user_id, request.message)
    await tell_changed(tx, issue, _FIELDS)
    return messages.CreateCommentResponse(comment=await _shown(tx, comment_id))


async def _own(tx: Transaction, comment_id: int) -> tuple[Issue, Comment]:
    """The caller's comment and its issue, locked; NotFound for what the caller does not see."""
    view = await store.comment_of(tx, comment_id)
    if view is None:
        raise errors.NotFound("comment", comment_id)
    await store.lock(tx, view.comment.issue_id)
    try:
        issue, _, _ = await readable_issue(tx, view.comment.issue_id)
    except errors.NotFound:
        raise errors.NotFound("comment", comment_id) from None
    view = await store.comment_of(tx, comment_id)
    if view is None:
        raise errors.NotFound("comment", comment_id)
    if not rules.is_own(auth.current(), view.comment):
        raise errors.PermissionDenied(f"comment {comment_id} is changed by who has written it")
    return issue, view.comment


async def _shown(reader: Reader, comment_id: int) -> issue_pb2.Comment:
    view = await store.comment_of(reader, comment_id)
    assert view is not None
    return comment_to_proto(view)
