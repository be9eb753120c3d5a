"""Issues of a task with all that is said about them."""

from collections.abc import AsyncIterator

from frameyard.task.v1 import issue_service_pb2 as messages
from frameyard.task.v1.issue_pb2 import Comment, Issue
from yard.export.sources.channels import Channels
from yard.runtime.rpc import translated

PAGE = 1000


async def issues_of(channels: Channels, job_id: int) -> AsyncIterator[tuple[Issue, list[Comment]]]:
    """Those of a job, newest first, each with its comments by age."""
    token = ""
    while True:
        request = messages.ListIssuesRequest(job_id=job_id, page_size=PAGE, page_token=token)
        with translated():
            page = await channels.issues.ListIssues(request)
        for issue in page.issues:
            yield issue, await _comments(channels, issue)
        token = page.next_page_token
        if not token:
            return


async def _comments(channels: Channels, issue: Issue) -> list[Comment]:
    if issue.comment_count <= len(issue.comments):
        return list(issue.comments)
    found: list[Comment] = []
    token = ""
    while True:
        request = messages.ListCommentsRequest(issue_id=issue.id, page_size=PAGE, page_token=token)
        with translated():
            page = await channels.issues.ListComments(request)
        found += page.comments
        token = page.next_page_token
        if not token:
            return found
