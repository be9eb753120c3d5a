"""Annotations from files in exchange formats."""

import asyncio
from pathlib import Path

import click
from frameyard.task.v1.job_service_pb2 import GetJobRequest
from yard.client import file_imports
from yard.client.cli.context import Call, command
from yard.client.cli.output import as_dict
from yard.client.cli.parameters import ID, examples
from yard.client.cli.tasks import task
from yard.client.failures import ClientError


def add_to(main: click.Group) -> None:
    """Adds the command of this module to those of tasks."""
    del main
    task.add_command(import_file)


@click.command(
    "import",
    epilog=examples(
        "frameyard task import 5 street.zip --format 'COCO 1.0'",
        "frameyard task import 5 annotations.xml --format 'CVAT 1.1' --append",
        "frameyard task import 5 job-12.zip --format 'CVAT for video 1.1' --job 12",
    ),
)
@click.argument("task_id", metavar="TASK", type=ID)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format", "format_name", required=True, metavar="FORMAT", help="See frameyard export formats."
)
@click.option("--job", "job_id", type=ID, metavar="ID", help="Only into this job of the task.")
@click.option(
    "--append/--replace",
    default=False,
    help="Keep the objects that are there; default: replace all of them.",
)
@command
async def import_file(
    call: Call, task_id: int, file: Path, format_name: str, job_id: int | None, append: bool
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
    with call.out.operation(f"importing {file.name}") as on_change:
        finished = await file_imports.import_upload(
            client,
            upload_id,
            format_name,
            task_id=0 if job_id else task_id,
            job_id=job_id or 0,
            append=append,
            on_change=on_change,
        )
    result = file_imports.result_of(finished)
    if call.out.as_json:
        call.out.json({"operation": finished.name, **as_dict(result)})
        return
    counts = f"{result.tags} tags, {result.shapes} shapes, {result.tracks} tracks"
    click.echo(f"imported: {counts}; revision {result.revision}")
    for ignored in result.ignored:
        call.out.note(f"ignored: {ignored.count} of kind {ignored.kind}: {ignored.reason}")
