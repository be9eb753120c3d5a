"""Annotations, and data sets, from files in exchange formats."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import click
from frameyard.export.v1.import_service_pb2 import Ignored
from frameyard.task.v1.job_service_pb2 import GetJobRequest
from yard.client import file_imports
from yard.client.cli.context import Call, command
from yard.client.cli.output import as_dict
from yard.client.cli.parameters import ID, examples, format_option
from yard.client.cli.projects import project
from yard.client.cli.tasks import task
from yard.client.failures import ClientError

_CONVERT_MASKS = click.option(
    "--convert-masks",
    is_flag=True,
    help="Make polygons of masks, where their labels take polygons; holes are filled.",
)


def add_to(main: click.Group) -> None:
    """Adds the commands of this module to those of tasks and projects."""
    del main
    task.add_command(import_file)
    project.add_command(import_dataset)


@click.command(
    "import",
    epilog=examples(
        "frameyard task import 5 street.zip --format 'COCO 1.0'",
        "frameyard task import 5 annotations.xml --format 'CVAT 1.1' --append",
        "frameyard task import 5 masks.zip --format 'Segmentation mask 1.1' --convert-masks",
        "frameyard task import 5 job-12.zip --format 'CVAT for video 1.1' --job 12",
    ),
)
@click.argument("task_id", metavar="TASK", type=ID)
@click.argument("file", type=click.Path(path_type=Path))
@format_option
@click.option("--job", "job_id", type=ID, metavar="ID", help="Only into this job of the task.")
@click.option(
    "--append/--replace",
    default=False,
    help="Keep the objects that are there; default: replace all of them.",
)
@_CONVERT_MASKS
@command
async def import_file(
    call: Call,
    task_id: int,
    file: Path,
    format_name: str,
    job_id: int | None,
    append: bool,
    convert_masks: bool,
) -> None:
    """Read annotations from a file in an exchange format: an archive, or a bare .xml or .json.

    A file that is wrong changes nothing. Objects as JSON lines come with annotations import.
    """
    client = call.client
    if job_id and (await client.call(client.jobs.GetJob, GetJobRequest(id=job_id))).job.task_id != task_id:
        raise ClientError(f"job {job_id} is none of task {task_id}", code="NOT_FOUND")
    given = await asyncio.to_thread(file_imports.given_file, file)
    with call.out.bytes("uploading", given.size_bytes) as on_bytes:
        upload_id = await file_imports.upload_file(client, file, on_bytes)
    reading = file_imports.Reading(format_name=format_name, append=append, convert_masks=convert_masks)
    with call.out.operation(f"importing {file.name}") as on_change:
        finished = await file_imports.import_upload(
            client,
            upload_id,
            reading,
            task_id=0 if job_id else task_id,
            job_id=job_id or 0,
            on_change=on_change,
        )
    result = file_imports.result_of(finished)
    if call.out.as_json:
        call.out.json({"operation": finished.name, **as_dict(result)})
        return
    counts = f"{result.tags} tags, {result.shapes} shapes, {result.tracks} tracks"
    click.echo(f"imported: {counts}; revision {result.revision}")
    _tell_ignored(call, result.ignored)


@click.command(
    "import",
    epilog=examples(
        "frameyard project import 3 streets.zip --format 'COCO 1.0'",
        "frameyard project import 3 masks.zip --format 'Segmentation mask 1.1' --convert-masks",
    ),
)
@click.argument("project_id", metavar="PROJECT", type=ID)
@click.argument("file", type=click.Path(path_type=Path))
@format_option
@_CONVERT_MASKS
@command
async def import_dataset(
    call: Call, project_id: int, file: Path, format_name: str, convert_masks: bool
) -> None:
    """Make a task of each subset of a data set: a zip with images and annotations.

    A project without labels takes those of the data set. If anything is wrong, nothing is made.
    """
    given = await asyncio.to_thread(file_imports.given_file, file)
    with call.out.bytes("uploading", given.size_bytes) as on_bytes:
        upload_id = await file_imports.upload_file(call.client, file, on_bytes)
    reading = file_imports.Reading(format_name=format_name, convert_masks=convert_masks)
    with call.out.operation(f"importing {file.name}") as on_change:
        result = await file_imports.import_dataset(
            call.client, upload_id, reading, project_id=project_id, on_change=on_change
        )
    if call.out.as_json:
        call.out.json(as_dict(result))
        return
    objects = f"{result.tags} tags, {result.shapes} shapes, {result.tracks} tracks"
    click.echo(f"imported: {len(result.task_ids)} tasks, {result.images} images, {objects}")
    for task_id in result.task_ids:
        click.echo(f"task {task_id}")
    _tell_ignored(call, result.ignored)


def _tell_ignored(call: Call, found: Iterable[Ignored]) -> None:
    for ignored in found:
        call.out.note(f"ignored: {ignored.count} of kind {ignored.kind}: {ignored.reason}")
