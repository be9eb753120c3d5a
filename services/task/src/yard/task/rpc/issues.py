# ruff: noqa: N802 - methods are named as in the proto
"""IssueService."""

from typing import Any

from frameyard.task.v1 import issue_service_pb2 as messages
from frameyard.task.v1 import issue_service_pb2_grpc
from yard.task.handlers import comments, issues
from yard.task.handlers.context import Tasks

ISSUE_SERVICE = messages.DESCRIPTOR.services_by_name["IssueService"].full_name


class IssueServicer(issue_service_pb2_grpc.IssueServiceServicer):
    """Issues and comments over gRPC."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    async def CreateIssue(
        self, request: messages.CreateIssueRequest, context: Any
    ) -> messages.CreateIssueResponse:
        """Opens an issue."""
        return await issues.create_issue(self._tasks, request)

    async def GetIssue(self, request: messages.GetIssueRequest, context: Any) -> messages.GetIssueResponse:
        """Reads an issue."""
        return await issues.get_issue(self._tasks, request)

    async def ListIssues(
        self, request: messages.ListIssuesRequest, context: Any
    ) -> messages.ListIssuesResponse:
        """Lists issues."""
        return await issues.list_issues(self._tasks, request)

    async def UpdateIssue(
        self, request: messages.UpdateIssueRequest, context: Any
    ) -> messages.UpdateIssueResponse:
        """Changes an issue."""
        return await issues.update_issue(self._tasks, request)

    async def DeleteIssue(
        self, request: messages.DeleteIssueRequest, context: Any
    ) -> messages.DeleteIssueResponse:
        """Deletes an issue."""
        return await issues.delete_issue(self._tasks, request)

    async def CreateComment(
        self, request: messages.CreateCommentRequest, context: Any
    ) -> messages.CreateCommentResponse:
        """Adds a comment."""
        return await comments.create_comment(self._tasks, request)

    async def GetComment(
        self, request: messages.GetCommentRequest, context: Any
    ) -> messages.GetCommentResponse:
        """Reads a comment."""
        return await comments.get_comment(self._tasks, request)

    async def ListComments(
        self, request: messages.ListCommentsRequest, context: Any
    ) -> messages.ListCommentsResponse:
        """Lists comments."""
        return await comments.list_comments(self._tasks, request)

    async def UpdateComment(
        self, request: messages.UpdateCommentRequest, context: Any
    ) -> messages.UpdateCommentResponse:
        """Changes a comment."""
        return await comments.update_comment(self._tasks, request)

    async def DeleteComment(
        self, request: messages.DeleteCommentRequest, context: Any
    ) -> messages.DeleteCommentResponse:
        """Deletes a comment."""
        return await comments.delete_comment(self._tasks, request)
