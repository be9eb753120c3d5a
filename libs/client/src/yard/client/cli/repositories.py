"""Dataset repositories: git repositories that keep the annotations of tasks."""

import asyncio
from typing import Any, Final

import click
from frameyard.sync.v1 import repository_pb2
from frameyard.sync.v1 import repository_service_pb2 as service
from frameyard.task.v1.task_pb2 import DatasetRepository
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from yard.client import repositories as steps
from yard.client.cli.context import Call, command
from yard.client.cli.listing import pages
from yard.client.cli.operations import line_of
from yard.client.cli.parameters import ID, Integer, examples, given, stacked
from yard.client.cli.repository_lines import PUSH_COLUMNS, checked_line, lines_of, push_row, pushed_line
from yard.client.client import request_id

SECONDS: Final = Integer(0, 315_576_000_000)
TASK: Final = click.argument("task_id", metavar="TASK", type=ID)

_WHAT: Final = stacked(
    (
        click.option("--format", metavar="FORMAT", help="See frameyard export formats; '': CVAT by mode."),
        click.option("--lfs/--no-lfs", "use_lfs", default=None, help="Keep the file with git LFS."),
        click.option("--branch", metavar="NAME", help="Branch to push to; '': the default of the remote."),
    )
)
_WHEN: Final = stacked(
    (
        click.option(
            "--automatic/--on-demand", default=None, help="Push by itself, or only when somebody asks for it."
        ),
        click.option(
            "--quiet",
            type=SECONDS,
            metavar="SECONDS",
            help="Push by itself once nothing changed so long.",
        ),
        click.option(
            "--period", type=SECONDS, metavar="SECONDS", help="Push by itself at most once in so long."
        ),
    )
)


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(repository)


@click.group()
def repository() -> None:
    """Git repositories that keep the annotations of tasks."""


@repository.command(
    epilog=examples(
        "frameyard repository connect 5 'https://example.org/our/data [annotation/street.zip]' --automatic",
        "frameyard repository connect 5 git@example.org:our/data.git --lfs --branch boxes",
    )
)
@TASK
@click.argument("location", metavar="'URL [PATH]'")
@_WHAT
@_WHEN
@command
async def connect(
    call: Call,
    /,
    task_id: int,
    location: str,
    branch: str | None,
    automatic: bool | None,
    quiet: int | None,
    period: int | None,
    **what: Any,
) -> None:
    """Tie a task to a repository; nothing is pushed yet."""
    request = service.ConnectRepositoryRequest(
        task_id=task_id,
        repository=DatasetRepository(location=location, **given(what)),
        branch=branch or "",
        automatic=_automatic(repository_pb2.AutomaticPush(), automatic, quiet, period),
        request_id=request_id(),
    )
    made = (await call.client.call(call.client.repositories.ConnectRepository, request)).repository
    call.out.message(made, *lines_of(made))


@repository.command(epilog=examples("frameyard repository show 5"))
@TASK
@command
async def show(call: Call, task_id: int) -> None:
    """Show the repository of a task, and whether it has the present annotations."""
    found = await _get(call, task_id)
    call.out.message(found, *lines_of(found))


@repository.command(
    epilog=examples(
        "frameyard repository update 5 --location 'https://example.org/our/new [annotation/street.zip]'",
        "frameyard repository update 5 --automatic --quiet 60 --period 600",
    )
)
@TASK
@click.option("--location", metavar="'URL [PATH]'", help="Another repository, or file inside.")
@_WHAT
@_WHEN
@command
async def update(
    call: Call,
    /,
    task_id: int,
    automatic: bool | None,
    quiet: int | None,
    period: int | None,
    **what: Any,
) -> None:
    """Change where and how annotations are pushed; another repository forgets the credential."""
    values, mask = given(what), list(given(what))
    if (automatic, quiet, period) != (None, None, None):
        before = (await _get(call, task_id)).automatic
        values["automatic"] = _automatic(before, automatic, quiet, period)
        mask.append("automatic")
    if not mask:
        raise click.UsageError("Nothing to change: give an option.")
    request = service.UpdateRepositoryRequest(
        repository=repository_pb2.Repository(task_id=task_id, **values), update_mask=FieldMask(paths=mask)
    )
    now = (await call.client.call(call.client.repositories.UpdateRepository, request)).repository
    call.out.message(now, *lines_of(now))


@repository.command(epilog=examples("frameyard repository disconnect 5 --yes"))
@TASK
@click.confirmation_option(prompt="Untie the task from its repository and forget the credential?")
@command
async def disconnect(call: Call, task_id: int) -> None:
    """Untie a task from its repository; what was pushed stays there."""
    request = service.DisconnectRepositoryRequest(task_id=task_id)
    await call.client.call(call.client.repositories.DisconnectRepository, request)
    call.out.note(f"task {task_id} has no repository any more")


@repository.command(epilog=examples("frameyard repository check 5"))
@TASK
@command
async def check(call: Call, task_id: int) -> None:
    """Try the connection, and find out anew whether the repository has the annotations."""
    with call.out.operation("looking at the repository") as on_change:
        found = await steps.check(call.client, task_id, on_change)
    call.out.message(found, checked_line(found))


@repository.command(epilog=examples("frameyard repository push 5", "frameyard repository push 5 --detach"))
@TASK
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
@command
async def push(call: Call, task_id: int, detach: bool) -> None:
    """Push the present annotations, and wait until they are there."""
    begun = await steps.begin_push(call.client, task_id)
    if detach:
        call.out.message(begun, line_of(begun))
        return
    try:
        with call.out.operation("pushing") as on_change:
            done = await steps.pushed(call.client, begun, on_change)
    except asyncio.CancelledError:
        call.out.note(f"it goes on there; to look: frameyard operation watch {begun.name}")
        raise
    call.out.message(done, pushed_line(done))


@repository.command(epilog=examples("frameyard repository pushes 5"))
@TASK
@command
async def pushes(call: Call, task_id: int) -> None:
    """List the pushes of a task, newest first."""
    request = service.ListPushesRequest(task_id=task_id)
    found = pages(call.client, call.client.repositories.ListPushes, request, lambda page: page.pushes)
    await call.out.table(PUSH_COLUMNS, found, push_row)


async def _get(call: Call, task_id: int) -> repository_pb2.Repository:
    request = service.GetRepositoryRequest(task_id=task_id)
    return (await call.client.call(call.client.repositories.GetRepository, request)).repository


def _automatic(
    before: repository_pb2.AutomaticPush, automatic: bool | None, quiet: int | None, period: int | None
) -> repository_pb2.AutomaticPush | None:
    """What was before with what is given; None: only on demand."""
    times = given({"quiet": quiet, "period": period})
    if automatic is False and times:
        raise click.UsageError("--on-demand goes with neither --quiet nor --period.")
    if automatic is False or (automatic is None and not times):
        return None
    after = repository_pb2.AutomaticPush()
    after.CopyFrom(before)
    for name, seconds in times.items():
        getattr(after, name).CopyFrom(Duration(seconds=seconds))
    return after
