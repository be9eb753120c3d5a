"""Issues on jobs, and what is said about them."""

from collections.abc import Iterator
from typing import Any

import click
from frameyard.task.v1 import issue_pb2
from frameyard.task.v1 import issue_service_pb2 as service
from yard.client.cli.changing import changed
from yard.client.cli.context import Call, command
from yard.client.cli.listing import moment, pages, person_id
from yard.client.cli.parameters import ID, NUMBER, examples, given
from yard.client.client import request_id

_POINTS = "Where on the frame: pixels from the top left corner, such as 100,50 or 10,20,80,90."


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(issue)


class Position(click.ParamType[list[float]]):
    """Numbers with commas."""

    name = "position"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[float]:
        """The numbers; a usage error if there are others."""
        try:
            return value if isinstance(value, list) else [float(part) for part in value.split(",")]
        except ValueError:
            self.fail(f"{value!r} is not numbers with commas", param, ctx)


@click.group()
def issue() -> None:
    """What reviewers have found on frames of jobs."""


@issue.command(epilog=examples("frameyard issue create 12 'the box is too wide' --frame 30 --at 10,20,80,90"))
@click.argument("job_id", type=ID)
@click.argument("message")
@click.option(
    "--frame", type=NUMBER, required=True, metavar="N", help="The frame, by its number in the task."
)
@click.option("--at", "position", type=Position(), required=True, metavar="X,Y,...", help=_POINTS)
@click.option("--assignee", metavar="USER", help="User name of who is to deal with it.")
@command
async def create(
    call: Call, job_id: int, message: str, frame: int, position: list[float], assignee: str | None
) -> None:
    """Open an issue on a job with a first comment."""
    request = service.CreateIssueRequest(
        job_id=job_id,
        frame=frame,
        position=position,
        message=message,
        assignee_id=await person_id(call.client, assignee),
        request_id=request_id(),
    )
    made = (await call.client.call(call.client.issues.CreateIssue, request)).issue
    call.out.message(made, *_lines(made))


@issue.command(
    "list",
    epilog=examples("frameyard issue list --job 12 --open", "frameyard issue list --assignee anna"),
)
@click.option("--job", "job_id", type=ID, metavar="ID", help="Only of this job.")
@click.option("--task", "task_id", type=ID, metavar="ID", help="Only of this task.")
@click.option("--resolved/--open", "resolved", default=None, help="Only such issues.")
@click.option("--assignee", metavar="USER", help="Only those that this user is to deal with.")
@command
async def list_(call: Call, /, assignee: str | None, **filters: Any) -> None:
    """List issues, newest first."""
    request = service.ListIssuesRequest(**given(filters), assignee_id=await person_id(call.client, assignee))
    found = pages(call.client, call.client.issues.ListIssues, request, lambda page: page.issues)
    columns = ("id", "job", "frame", "state", "owner", "assignee", "comments", "first comment")
    await call.out.table(columns, found, _row)


@issue.command()
@click.argument("issue_id", type=ID)
@command
async def show(call: Call, issue_id: int) -> None:
    """Show an issue with its comments."""
    found = (await call.client.call(call.client.issues.GetIssue, service.GetIssueRequest(id=issue_id))).issue
    if found.comment_count > len(found.comments):
        request = service.ListCommentsRequest(issue_id=issue_id)
        method = call.client.issues.ListComments
        lists = [page async for page in pages(call.client, method, request, lambda page: page.comments)]
        del found.comments[:]
        found.comments.extend(comment for comments in lists for comment in comments)
    call.out.message(found, *_lines(found))


@issue.command(epilog=examples("frameyard issue update 4 --assignee anna --at 10,20"))
@click.argument("issue_id", type=ID)
@click.option("--assignee", metavar="USER", help="User name of who is to deal with it; '' for nobody.")
@click.option("--at", "position", type=Position(), metavar="X,Y,...", help=_POINTS)
@command
async def update(call: Call, issue_id: int, assignee: str | None, position: list[float] | None) -> None:
    """Change who is to deal with an issue, or where it is."""
    await _update(call, issue_id, {"position": position}, {"assignee": assignee})


@issue.command(epilog=examples("frameyard issue resolve 4"))
@click.argument("issue_id", type=ID)
@command
async def resolve(call: Call, issue_id: int) -> None:
    """Say that an issue is dealt with."""
    await _update(call, issue_id, {"resolved": True}, {})


@issue.command(epilog=examples("frameyard issue reopen 4"))
@click.argument("issue_id", type=ID)
@command
async def reopen(call: Call, issue_id: int) -> None:
    """Say that an issue is not dealt with after all."""
    await _update(call, issue_id, {"resolved": False}, {})


@issue.command(
    epilog=examples("frameyard issue comment 4 'done'", "frameyard issue comment 4 'Done.' --edit 9")
)
@click.argument("issue_id", type=ID)
@click.argument("message")
@click.option("--edit", "comment_id", type=ID, metavar="ID", help="The text of this comment is replaced.")
@command
async def comment(call: Call, issue_id: int, message: str, comment_id: int | None) -> None:
    """Say something about an issue."""
    if comment_id is None:
        request = service.CreateCommentRequest(issue_id=issue_id, message=message, request_id=request_id())
        made = (await call.client.call(call.client.issues.CreateComment, request)).comment
    else:
        change = service.UpdateCommentRequest(id=comment_id, message=message)
        made = (await call.client.call(call.client.issues.UpdateComment, change)).comment
    call.out.message(made, _line(made))


@issue.command(
    epilog=examples("frameyard issue delete 4 --yes", "frameyard issue delete 4 --comment 9 --yes")
)
@click.argument("issue_id", type=ID)
@click.option("--comment", "comment_id", type=ID, metavar="ID", help="Only this comment.")
@click.confirmation_option(prompt="Delete it?")
@command
async def delete(call: Call, issue_id: int, comment_id: int | None) -> None:
    """Delete an issue with its comments, or one comment."""
    if comment_id is None:
        await call.client.call(call.client.issues.DeleteIssue, service.DeleteIssueRequest(id=issue_id))
        call.out.note(f"issue {issue_id} is deleted")
        return
    await call.client.call(call.client.issues.DeleteComment, service.DeleteCommentRequest(id=comment_id))
    call.out.note(f"comment {comment_id} is deleted")


async def _update(call: Call, issue_id: int, fields: dict[str, Any], people: dict[str, str | None]) -> None:
    changes, mask = await changed(call.client, issue_pb2.Issue(id=issue_id), fields, people)
    request = service.UpdateIssueRequest(issue=changes, update_mask=mask)
    now = (await call.client.call(call.client.issues.UpdateIssue, request)).issue
    call.out.message(now, *_lines(now))


def _state(found: issue_pb2.Issue) -> str:
    return "resolved" if found.resolved else "open"


def _row(found: issue_pb2.Issue) -> tuple[object, ...]:
    first = found.comments[0].message if found.comments else ""
    people = found.owner.username, found.assignee.username
    return found.id, found.job_id, found.frame, _state(found), *people, found.comment_count, first


def _lines(found: issue_pb2.Issue) -> Iterator[str]:
    at = ", ".join(f"{number:g}" for number in found.position)
    yield f"issue {found.id} on job {found.job_id} of task {found.task_id}: {_state(found)}"
    yield f"frame {found.frame} at {at}"
    yield f"owner: {found.owner.username}; assignee: {found.assignee.username or 'nobody'}"
    for each in found.comments:
        yield f"  {_line(each)}"


def _line(found: issue_pb2.Comment) -> str:
    return f"comment {found.id}, {found.owner.username}, {moment(found.create_time)}: {found.message}"
