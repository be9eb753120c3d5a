"""Issues of jobs."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response
from frameyard.task.v1 import issue_pb2, issue_service_pb2
from yard.gateway.cvat.faults import OF_JOBS, told
from yard.gateway.cvat.fields import ISSUES
from yard.gateway.cvat.issues import (
    IssuePatch,
    IssueRead,
    IssueWrite,
    issue_changes,
    issue_read,
    new_issue,
)
from yard.gateway.cvat.queries import IssueQuery, asked
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Page, Paged
from yard.gateway.upstream.caller import Caller

router = APIRouter(prefix="/issues", tags=["issues"])

IssueId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Id of the issue.")]


@router.post("", status_code=201)
async def create_issue(caller: Calling, body: Annotated[IssueWrite, Body()]) -> IssueRead:
    """Opens an issue; its message becomes the first comment."""
    with told(OF_JOBS):
        issue = (await caller.call(caller.services.issues.CreateIssue, new_issue(body))).issue
    if body.resolved:
        issue = await _changed(caller, issue.id, IssuePatch(resolved=True))
    return issue_read(issue, caller.base_url)


@router.get("")
async def list_issues(
    caller: Calling, paging: Paged, query: Annotated[IssueQuery, Query()]
) -> Page[IssueRead]:
    """Lists issues, newest first."""
    request = issue_service_pb2.ListIssuesRequest(
        page_size=paging.size,
        skip=paging.skip,
        with_total_size=True,
        job_id=query.job_id or 0,
        task_id=query.task_id or 0,
        **asked(query, ISSUES, aside={"job_id", "task_id"}),
    )
    answer = await caller.call(caller.services.issues.ListIssues, request)
    return paging.page([issue_read(issue, caller.base_url) for issue in answer.issues], answer.total_size)


@router.get("/{issue_id}")
async def read_issue(caller: Calling, issue_id: IssueId) -> IssueRead:
    """Reads an issue."""
    return issue_read(await _issue(caller, issue_id), caller.base_url)


@router.patch("/{issue_id}")
async def change_issue(caller: Calling, issue_id: IssueId, body: Annotated[IssuePatch, Body()]) -> IssueRead:
    """Changes an issue: where, whose, whether it is resolved; what is not given stays."""
    return issue_read(await _changed(caller, issue_id, body), caller.base_url)


@router.delete("/{issue_id}", status_code=204)
async def delete_issue(caller: Calling, issue_id: IssueId) -> Response:
    """Deletes an issue with its comments."""
    request = issue_service_pb2.DeleteIssueRequest(id=issue_id)
    await caller.call(caller.services.issues.DeleteIssue, request)
    return Response(status_code=204)


async def _changed(caller: Caller, issue_id: int, body: IssuePatch) -> issue_pb2.Issue:
    changes = issue_changes(issue_id, body)
    if changes is None:
        return await _issue(caller, issue_id)
    with told(OF_JOBS):
        return (await caller.call(caller.services.issues.UpdateIssue, changes)).issue


async def _issue(caller: Caller, issue_id: int) -> issue_pb2.Issue:
    request = issue_service_pb2.GetIssueRequest(id=issue_id)
    return (await caller.call(caller.services.issues.GetIssue, request)).issue
