"""Tasks."""

from pathlib import Path
from typing import Any

import click
from frameyard.media.v1 import media_pb2
from frameyard.task.v1 import task_pb2
from frameyard.task.v1 import task_service_pb2 as service
from yard.client import media as media_steps
from yard.client.cli import attaching
from yard.client.cli.changing import changed
from yard.client.cli.context import Call, command
from yard.client.cli.data import MediaOptions, media_options
from yard.client.cli.jobs import STATUS
from yard.client.cli.labels import LabelChanges, effect_lines, given_labels, given_to, label_changes
from yard.client.cli.listing import count, deleted_option, name_option, order_options, pages, person_id
from yard.client.cli.moving import move
from yard.client.cli.parameters import ID, INT64, NUMBER, Choice, examples, given, stacked
from yard.client.cli.repository_options import repository_of, repository_options
from yard.client.cli.task_lines import MODE, file_row, lines_of, plan_lines, row_of
from yard.client.client import request_id
from yard.client.failures import ClientError

_SETTINGS = stacked(
    (
        click.option("--project", "project_id", type=ID, metavar="ID", help="Project whose labels it takes."),
        given_labels,
        click.option("--segment-size", type=INT64, help="Frames a job; default: one job."),
        click.option("--overlap", type=INT64, help="Frames of neighbouring jobs; default 5, images 0."),
        click.option("--assignee", metavar="USER", help="User name of who answers for it."),
        click.option("--issue-tracker", metavar="URL", help="Full URL of the issue tracker."),
        click.option("--subset", help="Part of the project's data set, such as train."),
        repository_options,
    )
)
_PLAN = stacked(
    (
        click.option("--dry-run", is_flag=True, help="Make nothing; check the settings and show the plan."),
        click.option("--frames", "plan_size", type=NUMBER, metavar="N", help="Frames to plan jobs for."),
        click.option("--mode", "plan_mode", type=MODE, help="Decides the default overlap of the plan."),
    )
)
_WAIT = click.option("--wait", is_flag=True, help="Wait until people can work on it.")


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    task.add_command(move)
    main.add_command(task)


@click.group()
def task() -> None:
    """Tasks: a set of media with labels, split into jobs."""


@task.command(
    epilog=examples(
        "frameyard task create street street.mp4 --label car --segment-size 200 --overlap 20 --wait",
        "frameyard task create album photos/ --project 3 --sorting natural --quality 90",
        "frameyard task create part long.mp4 --label car --start 100 --stop 999 --step 10 --mp4-chunks",
        "frameyard task create night --share archive:2024/ --exclude '*.txt' --manifest night.jsonl",
        "frameyard task create street street.mp4 --label car --repository 'https://example.org/our/data'",
        "frameyard task create web --url https://example.org/street.mp4 --label car",
        "frameyard task create later --labels labels.json",
        "frameyard task create later --segment-size 200 --overlap 20 --dry-run --frames 5000",
    )
)
@click.argument("name")
@media_options
@_SETTINGS
@_PLAN
@_WAIT
@command
async def create(
    call: Call,
    /,
    name: str,
    media: MediaOptions,
    wait: bool,
    labels: tuple[str, ...],
    labels_file: Path | None,
    dry_run: bool,
    **settings: Any,
) -> None:
    """Make a task from files and directories (PATHS), a share or addresses; without them it waits for media.

    If its media is refused, nothing is made.
    """
    _check_plan(media, settings, is_dry=dry_run)
    request = await _create_request(call, name, settings)
    request.labels.extend(await given_to(call, labels, labels_file))
    if dry_run:
        request.validate_only = True
        plan = await call.client.call(call.client.tasks.CreateTask, request)
        call.out.message(plan, *plan_lines(plan))
        return
    files = await attaching.local_files(media)
    made = (await call.client.call(call.client.tasks.CreateTask, request)).task
    try:
        if not media.is_empty:
            made = await _with_media(call, made.id, media, files, wait=wait)
    except ClientError as fault:
        raise await attaching.undo(call, made.id, fault) from fault
    call.out.message(made, *lines_of(made))


@task.command(
    epilog=examples(
        "frameyard task attach 5 street.mp4 --wait",
        "frameyard task attach 5 --upload 0197f2f0-7c3e-7d8b-9a45-2f0c0d9b6c11",
    )
)
@click.argument("task_id", type=ID)
@media_options
@_WAIT
@command
async def attach(call: Call, task_id: int, media: MediaOptions, wait: bool) -> None:
    """Give a task its media; with --upload and PATHS an upload that was cut goes on."""
    if media.is_empty:
        raise click.UsageError("Name files, --upload, --share or --url.")
    files = await attaching.local_files(media)
    found = await _with_media(call, task_id, media, files, wait=wait)
    call.out.message(found, *lines_of(found))


@task.command(
    "list",
    epilog=examples(
        "frameyard task list --status annotation --order name",
        "frameyard task list --project-like streets --assignee anna --reverse",
        "frameyard task list --where 'size>=100' --where 'owner!=anna' --sort -update_time",
        "frameyard task list --deleted",
    ),
)
@click.option("--name", "name_contains", help="Only names that contain this.")
@click.option("--project", "project_id", type=ID, metavar="ID", help="Only of this project.")
@name_option("project", "the name of the project")
@click.option("--subset", help="Only of this part of a data set.")
@click.option("--status", type=STATUS, help="Only with this status.")
@click.option("--mode", type=MODE, help="Images or video.")
@click.option("--owner", metavar="USER", help="Only of this owner.")
@name_option("owner", "the owner's user name")
@click.option("--assignee", metavar="USER", help="Only of this assignee.")
@name_option("assignee", "the assignee's user name")
@click.option("--sync-status", type=Choice(task_pb2.SyncStatus, "SYNC_STATUS_"), help="Of its repository.")
@name_option("issue-tracker", "the issue tracker's URL")
@deleted_option
@order_options(service.TaskOrder, "TASK_ORDER_", "newest first")
@command
async def list_(
    call: Call, /, owner: str | None, assignee: str | None, only_count: bool, **filters: Any
) -> None:
    """List tasks."""
    request = service.ListTasksRequest(
        **given(filters),
        owner_id=await person_id(call.client, owner),
        assignee_id=await person_id(call.client, assignee),
    )
    if only_count:
        await count(call, call.client.tasks.ListTasks, request)
        return
    gone = ("gone for good on",) if request.deleted else ()
    columns = (
        "id",
        "name",
        "project",
        "assignee",
        "media",
        "frames",
        "jobs",
        "completed",
        "status",
        "repository",
        *gone,
    )
    found = pages(call.client, call.client.tasks.ListTasks, request, lambda page: page.tasks)
    await call.out.table(columns, found, row_of)


@task.command()
@click.argument("task_id", type=ID)
@command
async def show(call: Call, task_id: int) -> None:
    """Show a task with its media, jobs and labels."""
    found = await _get(call, task_id)
    call.out.message(found, *lines_of(found))


@task.command(epilog=examples("frameyard task update 5 --name 'Street, in the rain' --assignee anna"))
@click.argument("task_id", type=ID)
@click.option("--name", help="Its name.")
@click.option("--assignee", metavar="USER", help="User name of who answers for it; '' for nobody.")
@click.option("--issue-tracker", metavar="URL", help="Full URL of the issue tracker; '' for none.")
@click.option("--subset", help="Part of the project's data set; '' for none.")
@command
async def update(call: Call, /, task_id: int, assignee: str | None, **texts: Any) -> None:
    """Change a task."""
    blank = task_pb2.Task(id=task_id)
    changes, mask = await changed(call.client, blank, texts, {"assignee": assignee})
    request = service.UpdateTaskRequest(task=changes, update_mask=mask)
    now = (await call.client.call(call.client.tasks.UpdateTask, request)).task
    call.out.message(now, *lines_of(now))


@task.command(epilog=examples("frameyard task cache 5 on"))
@click.argument("task_id", type=ID)
@click.argument("state", type=click.Choice(["on", "off"]))
@command
async def cache(call: Call, task_id: int, state: str) -> None:
    """Make chunks on demand and cache them (on), or build and keep them all (off)."""
    request = service.SetUseCacheRequest(id=task_id, use_cache=state == "on")
    now = (await call.client.call(call.client.tasks.SetUseCache, request)).task
    call.out.message(now, *lines_of(now))


@task.command(epilog=examples("frameyard task files 5 --outcome skipped"))
@click.argument("task_id", type=ID)
@click.option("--outcome", type=Choice(media_pb2.FileOutcome, "FILE_OUTCOME_"), help="Only with this one.")
@command
async def files(call: Call, task_id: int, outcome: media_pb2.FileOutcome.ValueType | None) -> None:
    """List what became of each file that was given, of media that failed too."""
    wanted = media_pb2.FILE_OUTCOME_UNSPECIFIED if outcome is None else outcome
    found = media_steps.file_results(call.client, task_id, wanted)
    await call.out.table(("file", "outcome", "frames", "bytes", "reason"), found, file_row)


@task.command(
    epilog=examples(
        "frameyard task labels 5 --label bicycle",
        "frameyard task labels 5 --delete 17 --dry-run",
        "frameyard task labels 5 --delete 17 --force",
    )
)
@click.argument("task_id", type=ID)
@label_changes
@command
async def labels(call: Call, task_id: int, changes: LabelChanges) -> None:
    """Add, change (by id, from a file) and delete labels of a task that has no project."""
    request = service.UpdateTaskLabelsRequest(task_id=task_id, **await changes.fields(call))
    found = await call.client.call(call.client.tasks.UpdateTaskLabels, request)
    if changes.dry_run:
        call.out.message(found, *effect_lines(found.effects))
        return
    call.out.message(found.task, *lines_of(found.task))


@task.command()
@click.argument("task_id", type=ID)
@click.confirmation_option(prompt="Delete the task with its annotations?")
@command
async def delete(call: Call, task_id: int) -> None:
    """Delete a task."""
    await call.client.call(call.client.tasks.DeleteTask, service.DeleteTaskRequest(id=task_id))
    call.out.note(f"task {task_id} is deleted; to bring it back: frameyard task undelete {task_id}")


@task.command(epilog=examples("frameyard task list --deleted", "frameyard task undelete 5"))
@click.argument("task_id", type=ID)
@command
async def undelete(call: Call, task_id: int) -> None:
    """Bring a deleted task back, and its project if that was deleted."""
    request = service.UndeleteTaskRequest(id=task_id)
    now = (await call.client.call(call.client.tasks.UndeleteTask, request)).task
    call.out.message(now, *lines_of(now))


def _check_plan(media: MediaOptions, settings: dict[str, Any], *, is_dry: bool) -> None:
    if is_dry and not media.is_empty:
        raise click.UsageError("--dry-run takes no media: say with --frames how many there will be.")
    if not is_dry and not (settings["plan_size"] is None and settings["plan_mode"] is None):
        raise click.UsageError("--frames and --mode need --dry-run.")


async def _create_request(call: Call, name: str, settings: dict[str, Any]) -> service.CreateTaskRequest:
    repository, assignee = repository_of(settings), settings.pop("assignee")
    return service.CreateTaskRequest(
        name=name,
        assignee_id=await person_id(call.client, assignee),
        repository=repository,
        request_id=request_id(),
        **given(settings),
    )


async def _with_media(
    call: Call, task_id: int, media: MediaOptions, files: attaching.Files, *, wait: bool
) -> task_pb2.Task:
    operation = await attaching.attach(call, task_id, media, files)
    return await attaching.ready(call, operation) if wait else await _get(call, task_id)


async def _get(call: Call, task_id: int) -> task_pb2.Task:
    return (await call.client.call(call.client.tasks.GetTask, service.GetTaskRequest(id=task_id))).task
