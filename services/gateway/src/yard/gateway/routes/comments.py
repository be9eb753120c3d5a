"""What people say about issues."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response
from frameyard.task.v1 import issue_pb2, issue_service_pb2
from yard.gateway.cvat.fields import COMMENTS
from yard.gateway.cvat.issues import CommentPatch, CommentRead, CommentWrite, comment_read
from yard.gateway.cvat.queries import CommentQuery, asked
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Page, Paged
from yard.gateway.upstream.caller import Caller

router = APIRouter(prefix="/comments", tags=["issues"])

CommentId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Id of the comment.")]


@router.post("", status_code=201)
async def create_comment(caller: Calling, body: Annotated[CommentWrite, Body()]) -> CommentRead:
    """Says something about an issue."""
    request = issue_service_pb2.CreateCommentRequest(issue_id=body.issue, message=body.message)
    answer = await caller.call(caller.services.issues.CreateComment, request)
    return comment_read(answer.comment, caller.base_url)


@router.get("")
async def list_comments(
    caller: Calling, paging: Paged, query: Annotated[CommentQuery, Query()]
) -> Page[CommentRead]:
    """Lists comments, newest first."""
    request = issue_service_pb2.ListCommentsRequest(
        page_size=paging.size,
        skip=paging.skip,
        with_total_size=True,
        issue_id=query.issue_id or 0,
        job_id=query.job_id or 0,
        **asked(query, COMMENTS, aside={"issue_id", "job_id"}),
    )
    answer = await caller.call(caller.services.issues.ListComments, request)
    comments = [comment_read(comment, caller.base_url) for comment in answer.comments]
    return paging.page(comments, answer.total_size)


@router.get("/{comment_id}")
async def read_comment(caller: Calling, comment_id: CommentId) -> CommentRead:
    """Reads a comment."""
    return comment_read(await _comment(caller, comment_id), caller.base_url)


@router.patch("/{comment_id}")
async def change_comment(
    caller: Calling, comment_id: CommentId, body: Annotated[CommentPatch, Body()]
) -> CommentRead:
    """Changes the text of a comment."""
    if body.message is None:
        return comment_read(await _comment(caller, comment_id), caller.base_url)
    request = issue_service_pb2.UpdateCommentRequest(id=comment_id, message=body.message)
    answer = await caller.call(caller.services.issues.UpdateComment, request)
    return comment_read(answer.comment, caller.base_url)


@router.delete("/{comment_id}", status_code=204)
async def delete_comment(caller: Calling, comment_id: CommentId) -> Response:
    """Deletes a comment; the first one goes with its issue only."""
    request = issue_service_pb2.DeleteCommentRequest(id=comment_id)
    await caller.call(caller.services.issues.DeleteComment, request)
    return Response(status_code=204)


async def _comment(caller: Caller, comment_id: int) -> issue_pb2.Comment:
    request = issue_service_pb2.GetCommentRequest(id=comment_id)
    return (await caller.call(caller.services.issues.GetComment, request)).comment
