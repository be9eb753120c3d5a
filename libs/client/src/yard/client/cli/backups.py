"""Whole tasks and projects in one archive, and back."""

import asyncio
from pathlib import Path
from typing import Any

import click
from frameyard.export.v1.backup_service_pb2 import BackupKind
from yard.client import backups, exports, file_imports
from yard.client.cli.context import Call, command
from yard.client.cli.parameters import ID, examples, file_options, stacked
from yard.client.cli.plain import plain
from yard.client.cli.projects import project
from yard.client.cli.tasks import task
from yard.client.files import check_target

_OPTIONS = stacked(
    (
        file_options,
        click.option(
            "--without-remote-media",
            is_flag=True,
            help="Leave out media of shares and addresses; a restore takes it from there again.",
        ),
    )
)
_FILE = click.argument("file", type=click.Path(path_type=Path))


def add_to(main: click.Group) -> None:
    """Adds the commands of this module to those of tasks and projects."""
    del main
    task.add_command(backup_task)
    task.add_command(restore_task)
    project.add_command(backup_project)
    project.add_command(restore_project)


@click.command("backup", epilog=examples("frameyard task backup 5 -o street.zip"))
@click.argument("task_id", metavar="TASK", type=ID)
@_OPTIONS
@command
async def backup_task(call: Call, /, task_id: int, **options: Any) -> None:
    """Write a task with its media into one archive, from which it can be restored anywhere."""
    await _back_up(call, {"task_id": task_id}, **options)


@click.command("backup", epilog=examples("frameyard project backup 3 -o city.zip"))
@click.argument("project_id", metavar="PROJECT", type=ID)
@_OPTIONS
@command
async def backup_project(call: Call, /, project_id: int, **options: Any) -> None:
    """Write a project with all its tasks and their media into one archive."""
    await _back_up(call, {"project_id": project_id}, **options)


@click.command("restore", epilog=examples("frameyard task restore street.zip"))
@_FILE
@command
async def restore_task(call: Call, file: Path) -> None:
    """Make a new task, yours, from a backup of one; prints its id."""
    await _restore(call, file, backups.TASK)


@click.command("restore", epilog=examples("frameyard project restore city.zip"))
@_FILE
@command
async def restore_project(call: Call, file: Path) -> None:
    """Make a new project with tasks, yours, from a backup of one; prints its id."""
    await _restore(call, file, backups.PROJECT)


async def _back_up(
    call: Call, target: dict[str, int], *, output: Path | None, force: bool, without_remote_media: bool
) -> None:
    place = output or Path()
    check_target(place, replace=force)
    with call.out.operation("backing up") as on_change:
        finished = await backups.back_up(
            call.client, target, without_remote_media=without_remote_media, on_change=on_change
        )
    result = backups.result_of(finished)
    with call.out.bytes("downloading", result.archive.size_bytes) as on_bytes:
        file = await exports.download(call.client, finished.name, place, on_bytes, replace=force)
    if call.out.as_json:
        found = {"file": str(file), "operation": finished.name, "task_count": result.task_count}
        call.out.json(found)
        return
    click.echo(plain(str(file)))


async def _restore(call: Call, file: Path, kind: BackupKind.ValueType) -> None:
    given = await asyncio.to_thread(file_imports.given_file, file)
    with call.out.bytes("uploading", given.size_bytes) as on_bytes:
        upload_id = await file_imports.upload_file(call.client, file, on_bytes)
    with call.out.operation(f"restoring {file.name}") as on_change:
        result = await backups.restore_upload(call.client, upload_id, kind, on_change=on_change)
    made = result.task_id or result.project_id
    if call.out.as_json:
        call.out.json({"id": made})
        return
    click.echo(made)
