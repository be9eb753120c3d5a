"""Exports into archives on this machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from frameyard.export.v1 import export_service_pb2 as service
from frameyard.operation.v1.operation_pb2 import Operation
from yard.client import exports
from yard.client.cli.context import Call, command
from yard.client.cli.jobs import job
from yard.client.cli.listing import one
from yard.client.cli.parameters import ID, examples, file_options, format_option, stacked
from yard.client.cli.plain import plain
from yard.client.cli.projects import project
from yard.client.cli.tasks import task
from yard.client.files import check_target

_WHAT = stacked(
    (
        click.option(
            "--with-images", "--images", "with_images", is_flag=True, help="Put the images in as well."
        ),
        click.option(
            "--refuse-loss", is_flag=True, help="Fail if the format cannot hold everything, and say what."
        ),
    )
)


def add_to(main: click.Group) -> None:
    """Adds the commands of this module, also to those of tasks, jobs and projects."""
    main.add_command(export)
    task.add_command(export_task)
    job.add_command(export_job)
    project.add_command(export_project)


@click.group()
def export() -> None:
    """Annotations, with or without images, in exchange formats."""


@export.command("formats", epilog=examples("frameyard export formats"))
@command
async def formats(call: Call) -> None:
    """List the formats and what each can hold."""
    await call.out.table(
        ("format", "file", "fits", "holds"),
        one(_formats(call)),
        lambda each: (each.name, f".{each.extension}", _fits(each), ", ".join(each.holds)),
    )


@export.command(
    epilog=examples(
        "frameyard export create 'COCO 1.0' --task 5",
        "frameyard export create 'CVAT for video 1.1' --job 12 --images -o job-12.zip",
        "frameyard export create 'Datumaro 1.0' --project 3 --refuse-loss",
    )
)
@click.argument("format_name", metavar="FORMAT")
@click.option("--task", "task_id", type=ID, metavar="ID", help="The whole task.")
@click.option("--job", "job_id", type=ID, metavar="ID", help="One job of it.")
@click.option("--project", "project_id", type=ID, metavar="ID", help="All tasks of the project.")
@_WHAT
@file_options
@command
async def create(
    call: Call,
    /,
    format_name: str,
    task_id: int | None,
    job_id: int | None,
    project_id: int | None,
    **options: Any,
) -> None:
    """Export a task, a job or a project and download the archive.

    An archive that is there already, of the same annotations, is not written again.
    """
    given = {"task_id": task_id, "job_id": job_id, "project_id": project_id}
    chosen = {key: value for key, value in given.items() if value is not None}
    if len(chosen) != 1:
        raise click.UsageError("Give one of --task ID, --job ID and --project ID.")
    await _create(call, format_name, chosen, **options)


@click.command(
    "export",
    epilog=examples(
        "frameyard task export 5 --format 'COCO 1.0' -o street.zip",
        "frameyard task export 5 --format 'MOT 1.1' --with-images --refuse-loss",
    ),
)
@click.argument("task_id", metavar="TASK", type=ID)
@format_option
@_WHAT
@file_options
@command
async def export_task(call: Call, /, task_id: int, format_name: str, **options: Any) -> None:
    """Export a task and download the archive."""
    await _create(call, format_name, {"task_id": task_id}, **options)


@click.command("export", epilog=examples("frameyard job export 12 --format 'CVAT for video 1.1'"))
@click.argument("job_id", metavar="JOB", type=ID)
@format_option
@_WHAT
@file_options
@command
async def export_job(call: Call, /, job_id: int, format_name: str, **options: Any) -> None:
    """Export a job and download the archive."""
    await _create(call, format_name, {"job_id": job_id}, **options)


@click.command("export", epilog=examples("frameyard project export 3 --format 'COCO 1.0' --with-images"))
@click.argument("project_id", metavar="PROJECT", type=ID)
@format_option
@_WHAT
@file_options
@command
async def export_project(call: Call, /, project_id: int, format_name: str, **options: Any) -> None:
    """Export all tasks of a project, by subset, and download the archive."""
    await _create(call, format_name, {"project_id": project_id}, **options)


@export.command(
    epilog=examples("frameyard export download export/0197f2f0-7c3e-7d8b-9a45-2f0c0d9b6c11 -o coco.zip")
)
@click.argument("operation")
@file_options
@command
async def download(call: Call, operation: str, output: Path | None, force: bool) -> None:
    """Download the archive of an export; one that was cut goes on where it stopped."""
    with call.out.operation(operation) as on_change:
        finished = await call.client.wait(operation, on_change)
    await _download(call, finished, output or Path(), force)


async def _create(
    call: Call,
    format_name: str,
    target: dict[str, int],
    *,
    with_images: bool,
    refuse_loss: bool,
    output: Path | None,
    force: bool,
) -> None:
    place = output or Path()
    check_target(place, replace=force)
    with call.out.operation(f"exporting as {format_name}") as on_change:
        finished = await exports.export(
            call.client,
            format_name,
            target,
            with_images=with_images,
            refuse_loss=refuse_loss,
            on_change=on_change,
        )
    await _download(call, finished, place, force)


async def _download(call: Call, finished: Operation, place: Path, force: bool) -> None:
    result = exports.result_of(finished)
    with call.out.bytes("downloading", result.archive.size_bytes) as on_bytes:
        file = await exports.download(call.client, finished.name, place, on_bytes, replace=force)
    if call.out.as_json:
        left_out = [
            {"kind": each.kind, "reason": each.reason, "count": each.count} for each in result.left_out
        ]
        call.out.json({"file": str(file), "operation": finished.name, "left_out": left_out})
        return
    click.echo(plain(str(file)))
    for line in _left_out(result):
        call.out.note(line)


def _left_out(result: service.ExportResult) -> Sequence[str]:
    return [f"left out: {each.count} of kind {each.kind}: {each.reason}" for each in result.left_out]


def _fits(each: service.Format) -> str:
    """The media for which it is the natural choice."""
    named = (("videos", each.for_interpolation), ("images", each.for_annotation))
    return ", ".join(name for name, does in named if does)


async def _formats(call: Call) -> list[service.Format]:
    answer = await call.client.call(call.client.exports.ListFormats, service.ListFormatsRequest())
    return list(answer.formats)
