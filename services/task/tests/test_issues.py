import asyncio
from typing import Any

import pytest
from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.task.v1 import issue_pb2, job_pb2
from frameyard.task.v1 import issue_service_pb2 as messages
from frameyard.task.v1.issue_events_pb2 import IssueCreated, IssueDeleted, IssueUpdated
from google.protobuf.field_mask_pb2 import FieldMask
from yard.runtime import errors, ids

from services.task.tests.neighbours import (
    BEN,
    CLEO,
    DORA,
    Client,
    Neighbours,
    Running,
    emitted,
    pages,
    refused,
    wrong_fields,
)

Jobs = list[job_pb2.Job]


@pytest.fixture
async def jobs(ann: Client, neighbours: Neighbours) -> Jobs:
    """Of cleo, reviewed by dora; and of nobody."""
    _, jobs = await neighbours.ready_task(ann, size=20, segment_size=10, overlap=0)
    fields = {"assignee": PersonRef(id=CLEO.user_id), "reviewer": PersonRef(id=DORA.user_id)}
    return [await ann.update_job(jobs[0].id, **fields), jobs[1]]


async def opened(client: Client, job_id: int, frame: int = 3, **fields: Any) -> issue_pb2.Issue:
    given = {"position": [1.5, 2, 30, 40], "message": "too wide"} | fields
    request = messages.CreateIssueRequest(job_id=job_id, frame=frame, **given)
    return (await client.issues.CreateIssue(request)).issue


async def read(client: Client, issue_id: int) -> issue_pb2.Issue:
    return (await client.issues.GetIssue(messages.GetIssueRequest(id=issue_id))).issue


async def change(client: Client, issue_id: int, **fields: Any) -> issue_pb2.Issue:
    issue = issue_pb2.Issue(id=issue_id, **fields)
    request = messages.UpdateIssueRequest(issue=issue, update_mask=FieldMask(paths=list(fields)))
    return (await client.issues.UpdateIssue(request)).issue


async def delete(client: Client, issue_id: int) -> None:
    await client.issues.DeleteIssue(messages.DeleteIssueRequest(id=issue_id))


async def listed(client: Client, **fields: Any) -> list[int]:
    request = messages.ListIssuesRequest(**fields)
    return [issue.id async for issue in pages(client.issues.ListIssues, request, "issues")]


async def say(client: Client, issue_id: int, message: str, request_id: str = "") -> issue_pb2.Comment:
    request = messages.CreateCommentRequest(issue_id=issue_id, message=message, request_id=request_id)
    return (await client.issues.CreateComment(request)).comment


async def reword(client: Client, comment_id: int, message: str) -> issue_pb2.Comment:
    request = messages.UpdateCommentRequest(id=comment_id, message=message)
    return (await client.issues.UpdateComment(request)).comment


async def unsay(client: Client, comment_id: int) -> None:
    await client.issues.DeleteComment(messages.DeleteCommentRequest(id=comment_id))


async def test_an_issue_is_opened_discussed_and_resolved(
    ann: Client, cleo: Client, dora: Client, running: Running, jobs: Jobs
) -> None:
    issue = await opened(dora, jobs[0].id, assignee_id=CLEO.user_id)
    assert (issue.owner.username, issue.assignee.username, issue.resolved) == ("dora", "cleo", False)
    assert [*issue.position] == [1.5, 2, 30, 40]
    assert [comment.message for comment in issue.comments] == ["too wide"]
    answer = await say(cleo, issue.id, "mended,\nthough it is\tdark")
    assert answer.owner.username == "cleo"
    done = await change(cleo, issue.id, resolved=True, assignee=PersonRef())
    assert (done.resolved, done.HasField("assignee"), done.comment_count) == (True, False, 2)
    assert [comment.id for comment in done.comments] == [issue.comments[0].id, answer.id]
    assert (await reword(cleo, answer.id, "mended")).message == "mended"
    await unsay(cleo, answer.id)
    assert (await read(ann, issue.id)).comment_count == 1
    await delete(dora, issue.id)
    assert isinstance(await refused(read(dora, issue.id)), errors.NotFound)
    told = [type(event) for event in await emitted(running, issue.task_id)][-6:]
    assert told == [IssueCreated, IssueUpdated, IssueUpdated, IssueUpdated, IssueUpdated, IssueDeleted]
    assert await running.runtime.db.fetchval("SELECT count(*) FROM comment") == 0


async def test_changes_are_told_with_their_fields(ann: Client, running: Running, jobs: Jobs) -> None:
    issue = await opened(ann, jobs[1].id, frame=15)
    await change(ann, issue.id, position=[1, 2], resolved=False)
    await change(ann, issue.id, position=[1, 2])
    await say(ann, issue.id, "see above")
    updates = [event for event in await emitted(running, issue.task_id) if isinstance(event, IssueUpdated)]
    assert [[*event.changed_fields] for event in updates] == [["position"], ["comments"]]
    assert [event.issue.comment_count for event in updates] == [1, 2]


async def test_who_may_do_what(
    ann: Client, ben: Client, cleo: Client, dora: Client, stranger: Client, admin: Client, export: Client,
    jobs: Jobs,
) -> None:  # fmt: skip
    issue = await opened(dora, jobs[0].id)
    other = await opened(ann, jobs[1].id, frame=12)
    for client, visible in (
        (ann, [other.id, issue.id]),
        (admin, [other.id, issue.id]),
        (export, [other.id, issue.id]),
        (cleo, [issue.id]),
        (dora, [issue.id]),
        (stranger, []),
    ):
        assert await listed(client) == visible
        assert await listed(client, job_id=jobs[0].id) == [each for each in visible if each == issue.id]
        assert await listed(client, task_id=issue.task_id, page_size=1) == visible
    [first] = issue.comments
    for call in (
        read(stranger, issue.id),
        change(stranger, issue.id, resolved=True),
        delete(stranger, issue.id),
        say(stranger, issue.id, "hm"),
        opened(stranger, jobs[0].id),
        reword(stranger, first.id, "hm"),
        unsay(stranger, first.id),
        read(cleo, other.id),
        change(cleo, other.id, resolved=True),
        opened(cleo, jobs[1].id, frame=12),
    ):
        assert isinstance(await refused(call), errors.NotFound)
    for call in (
        delete(cleo, issue.id),
        reword(ann, first.id, "hm"),
        unsay(admin, first.id),
        opened(export, jobs[0].id),
        say(export, issue.id, "hm"),
        change(export, issue.id, resolved=True),
        delete(export, issue.id),
    ):
        assert isinstance(await refused(call), errors.PermissionDenied)
    await change(cleo, issue.id, resolved=True)
    await ann.update_task(issue.task_id, assignee=PersonRef(id=BEN.user_id))
    await delete(ben, issue.id)


async def test_lists_are_filtered_and_newest_first(ann: Client, jobs: Jobs) -> None:
    made = [await opened(ann, jobs[number % 2].id, frame=10 * (number % 2)) for number in range(5)]
    await change(ann, made[2].id, resolved=True, assignee=PersonRef(id=CLEO.user_id))
    await say(ann, made[4].id, "a second one")
    newest_first = [issue.id for issue in reversed(made)]
    assert await listed(ann, page_size=2) == newest_first
    assert await listed(ann, resolved=True) == [made[2].id]
    assert await listed(ann, resolved=False) == [each for each in newest_first if each != made[2].id]
    assert await listed(ann, assignee_id=CLEO.user_id) == [made[2].id]
    answer = await ann.issues.ListIssues(messages.ListIssuesRequest())
    assert [len(issue.comments) for issue in answer.issues] == [1] * 5
    assert answer.issues[0].comment_count == 2


async def test_wrong_fields_are_all_named(ann: Client, jobs: Jobs) -> None:
    wrong = opened(ann, jobs[0].id, frame=10, position=[1, 2, 3], message=" ", assignee_id=77)
    assert await wrong_fields(wrong) == ["assignee_id", "frame", "message", "position"]
    for position in ([], [1, float("nan")], [1, float("inf")], [0.0] * 10_002):
        [field] = await wrong_fields(opened(ann, jobs[0].id, position=position))
        assert field.startswith("position")
    for message in ("x" * 4_097, "bell \a"):
        assert await wrong_fields(opened(ann, jobs[0].id, message=message)) == ["message"]
    issue = await opened(ann, jobs[0].id)
    assert await wrong_fields(change(ann, issue.id, frame=4)) == ["update_mask"]
    assert await wrong_fields(change(ann, issue.id, position=[1])) == ["issue.position"]
    assert await wrong_fields(say(ann, issue.id, "")) == ["message"]


async def test_a_repeated_request_makes_nothing_twice(ann: Client, jobs: Jobs) -> None:
    key = str(ids.uuid7())
    issues = await asyncio.gather(*(opened(ann, jobs[0].id, request_id=key) for _ in range(5)))
    assert len({issue.id for issue in issues}) == 1
    key = str(ids.uuid7())
    said = await asyncio.gather(*(say(ann, issues[0].id, "once", key) for _ in range(5)))
    assert len({comment.id for comment in said}) == 1
    assert (await read(ann, issues[0].id)).comment_count == 2


async def test_the_first_comment_goes_only_with_the_issue(ann: Client, jobs: Jobs) -> None:
    issue = await opened(ann, jobs[0].id)
    error = await refused(unsay(ann, issue.comments[0].id))
    assert isinstance(error, errors.FailedPrecondition)


async def test_comments_are_paged_by_age(ann: Client, jobs: Jobs) -> None:
    issue = await opened(ann, jobs[0].id)
    said = [issue.comments[0].id] + [(await say(ann, issue.id, f"{n}")).id for n in range(4)]
    request = messages.ListCommentsRequest(issue_id=issue.id, page_size=2)
    assert [each.id async for each in pages(ann.issues.ListComments, request, "comments")] == said


async def test_issues_of_a_deleted_task_are_not_seen(ann: Client, jobs: Jobs) -> None:
    issue = await opened(ann, jobs[0].id)
    await ann.delete_task(issue.task_id)
    assert await listed(ann) == []
    assert isinstance(await refused(read(ann, issue.id)), errors.NotFound)
