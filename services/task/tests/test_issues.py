import asyncio
from typing import Any

import pytest
from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.task.v1 import issue_pb2, job_pb2
from frameyard.task.v1 import issue_service_pb2 as messages
from frameyard.task.v1.issue_events_pb2 import CommentChange, IssueCreated, IssueDeleted, IssueUpdated
from google.protobuf.field_mask_pb2 import FieldMask
from yard.runtime import errors, ids
from yard.testkit.refusals import refused, wrong_fields

from services.task.tests.neighbours import BEN, CLEO, DORA, Client, Neighbours, Running, emitted, pages

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
    events = (await emitted(running, issue.task_id))[-6:]
    told = [type(event) for event in events]
    assert told == [IssueCreated, IssueUpdated, IssueUpdated, IssueUpdated, IssueUpdated, IssueDeleted]
    of_comment = [event for event in events if isinstance(event, IssueUpdated) and event.HasField("comment")]
    assert [(event.comment_change, event.comment.message) for event in of_comment] == [
        (CommentChange.COMMENT_CHANGE_CREATED, answer.message),
        (CommentChange.COMMENT_CHANGE_UPDATED, "mended"),
        (CommentChange.COMMENT_CHANGE_DELETED, "mended"),
    ]
    assert {event.comment.id for event in of_comment} == {answer.id}
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
    assert [*answer.issues[0].position] == [*made[4].position] != []


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


async def test_pages_are_numbered_and_counted(ann: Client, cleo: Client, jobs: Jobs) -> None:
    made = [await opened(ann, jobs[number % 2].id, frame=10 * (number % 2)) for number in range(5)]
    newest_first = [issue.id for issue in reversed(made)]
    request = messages.ListIssuesRequest(skip=1, page_size=2, with_total_size=True)
    answer = await ann.issues.ListIssues(request)
    assert ([issue.id for issue in answer.issues], answer.total_size) == (newest_first[1:3], 5)
    assert (await cleo.issues.ListIssues(request)).total_size == 3
    request.page_token = answer.next_page_token
    assert await wrong_fields(ann.issues.ListIssues(request)) == ["skip"]
    request.skip = 0
    assert [issue.id for issue in (await ann.issues.ListIssues(request)).issues] == newest_first[3:]


async def test_comments_of_all_issues_are_listed(
    ann: Client, cleo: Client, stranger: Client, export: Client, jobs: Jobs
) -> None:
    one, other = await opened(ann, jobs[0].id), await opened(ann, jobs[1].id, frame=12)
    said = await say(cleo, one.id, "yes")
    of_one, of_other = [one.comments[0].id, said.id], [other.comments[0].id]

    async def found(client: Client, **fields: Any) -> list[int]:
        request = messages.ListCommentsRequest(**fields)
        return [each.id async for each in pages(client.issues.ListComments, request, "comments")]

    for client in (ann, export):
        assert await found(client, page_size=1) == sorted(of_one + of_other)
    assert await found(cleo) == of_one
    assert await found(stranger) == await found(stranger, job_id=jobs[0].id) == []
    assert await found(ann, job_id=jobs[1].id) == of_other
    assert await found(ann, job_id=jobs[0].id, issue_id=one.id) == of_one
    assert await found(ann, job_id=jobs[1].id, issue_id=one.id) == []
    assert isinstance(await refused(found(stranger, issue_id=one.id)), errors.NotFound)
    request = messages.ListCommentsRequest(skip=1, page_size=1, with_total_size=True)
    answer = await ann.issues.ListComments(request)
    assert ([each.id for each in answer.comments], answer.total_size) == (of_other, 3)


async def test_a_comment_is_read_by_who_sees_the_job(
    ann: Client, cleo: Client, stranger: Client, jobs: Jobs
) -> None:
    async def found(client: Client, comment_id: int) -> issue_pb2.Comment:
        return (await client.issues.GetComment(messages.GetCommentRequest(id=comment_id))).comment

    issue = await opened(ann, jobs[0].id)
    [comment] = issue.comments
    assert await found(ann, comment.id) == await found(cleo, comment.id) == comment
    hidden = await opened(ann, jobs[1].id, frame=12)
    for call in (
        found(stranger, comment.id),
        found(cleo, hidden.comments[0].id),
        found(ann, comment.id + 1_000),
    ):
        assert isinstance(await refused(call), errors.NotFound)


async def test_issues_of_a_deleted_task_are_not_seen(ann: Client, jobs: Jobs) -> None:
    issue = await opened(ann, jobs[0].id)
    await ann.delete_task(issue.task_id)
    assert await listed(ann) == []
    assert isinstance(await refused(read(ann, issue.id)), errors.NotFound)
