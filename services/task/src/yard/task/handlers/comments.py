"""What people say about issues."""

from frameyard.task.v1 import issue_pb2
from frameyard.task.v1 import issue_service_pb2 as messages
from frameyard.task.v1.issue_events_pb2 import CommentChange
from yard.runtime import auth, errors, idempotency
from yard.runtime.db import Transaction
from yard.task.domain import issues as rules
from yard.task.domain.issues import Comment, Issue
from yard.task.handlers import pages, people
from yard.task.handlers.access import visible_to
from yard.task.handlers.context import Tasks
from yard.task.handlers.issue_messages import comment_to_proto
from yard.task.handlers.issues import check_is_person, readable_issue, tell_changed
from yard.task.store import Reader, issue_views
from yard.task.store import issues as store

_FIELDS = ["comments"]


async def create_comment(
    tasks: Tasks, request: messages.CreateCommentRequest
) -> messages.CreateCommentResponse:
    """Adds a comment, once for each request id."""
    await readable_issue(tasks.db, request.issue_id)
    check_is_person()
    errors.refuse(list(rules.message_violations(request.message)))
    async with tasks.db.transaction() as tx:
        return await idempotency.once(
            tx, request.request_id, request, messages.CreateCommentResponse, lambda: _insert(tx, request)
        )


async def get_comment(tasks: Tasks, request: messages.GetCommentRequest) -> messages.GetCommentResponse:
    """Reads a comment."""
    view = await store.comment_of(tasks.db, request.id)
    if view is None:
        raise errors.NotFound("comment", request.id)
    await _readable_issue_of(tasks.db, view.comment)
    return messages.GetCommentResponse(comment=comment_to_proto(view))


async def list_comments(tasks: Tasks, request: messages.ListCommentsRequest) -> messages.ListCommentsResponse:
    """One page, by age unless it is to be otherwise."""
    fields = issue_views.COMMENT_FIELDS
    errors.refuse([*pages.violations(request), *pages.filter_violations(request, fields)])
    if request.issue_id:
        await readable_issue(tasks.db, request.issue_id)
    search = issue_views.CommentSearch(
        user_id=visible_to(),
        issue_id=request.issue_id,
        job_id=request.job_id,
        filter=await pages.filter_of(tasks.db, request, fields),
    )
    found = await pages.listed(
        tasks.db,
        request,
        pages.sorted_or(request, fields, issue_views.BY_AGE),
        lambda tx, page: issue_views.comment_page(tx, search, page),
        lambda tx: issue_views.count_comments(tx, search),
    )
    return messages.ListCommentsResponse(
        comments=map(comment_to_proto, found.rows),
        next_page_token=found.next_page_token,
        total_size=found.total,
    )


async def update_comment(
    tasks: Tasks, request: messages.UpdateCommentRequest
) -> messages.UpdateCommentResponse:
    """Writes a new text, if it is another one."""
    async with tasks.db.transaction() as tx:
        issue, comment = await _own(tx, request.id)
        errors.refuse(list(rules.message_violations(request.message)))
        if request.message != comment.message:
            await store.update_comment(tx, comment, request.message)
            changed = await _shown(tx, comment.id)
            await tell_changed(tx, issue, _FIELDS, changed, CommentChange.COMMENT_CHANGE_UPDATED)
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
        gone = await _shown(tx, comment.id)
        await store.delete_comment(tx, comment)
        await tell_changed(tx, issue, _FIELDS, gone, CommentChange.COMMENT_CHANGE_DELETED)
    return messages.DeleteCommentResponse()


async def _insert(tx: Transaction, request: messages.CreateCommentRequest) -> messages.CreateCommentResponse:
    await store.lock(tx, request.issue_id)
    issue, _, _ = await readable_issue(tx, request.issue_id)
    await people.note_caller(tx)
    comment_id = await store.insert_comment(tx, issue.id, auth.current().user_id, request.message)
    comment = await _shown(tx, comment_id)
    await tell_changed(tx, issue, _FIELDS, comment, CommentChange.COMMENT_CHANGE_CREATED)
    return messages.CreateCommentResponse(comment=comment)


async def _own(tx: Transaction, comment_id: int) -> tuple[Issue, Comment]:
    """The caller's comment and its issue, locked; NotFound for what the caller does not see."""
    view = await store.comment_of(tx, comment_id)
    if view is None:
        raise errors.NotFound("comment", comment_id)
    await store.lock(tx, view.comment.issue_id)
    issue = await _readable_issue_of(tx, view.comment)
    view = await store.comment_of(tx, comment_id)
    if view is None:
        raise errors.NotFound("comment", comment_id)
    if not rules.is_own(auth.current(), view.comment):
        raise errors.PermissionDenied(f"comment {comment_id} is changed by who has written it")
    return issue, view.comment


async def _readable_issue_of(reader: Reader, comment: Comment) -> Issue:
    """The issue of a comment; NotFound, as for a comment that is not there, if the caller does not see it."""
    try:
        issue, _, _ = await readable_issue(reader, comment.issue_id)
    except errors.NotFound:
        raise errors.NotFound("comment", comment.id) from None
    return issue


async def _shown(reader: Reader, comment_id: int) -> issue_pb2.Comment:
    view = await store.comment_of(reader, comment_id)
    assert view is not None
    return comment_to_proto(view)
