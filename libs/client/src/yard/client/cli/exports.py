"""Exports into archives on this machine."""

from collections.abc import Sequence
from pathlib import Path

import click
from frameyard.export.v1 import export_service_pb2 as service
from frameyard.operation.v1.operation_pb2 import Operation
from yard.client import exports
from yard.client.cli.context import Call, command
from yard.client.cli.listing import one
from yard.client.cli.parameters import Target, examples, stacked, target
from yard.client.cli.plain import plain
from yard.client.files import check_target

_WHERE = stacked(
    (
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path),
            help="File or folder; default: this folder, with the name that the platform offers.",
        ),
        click.option("--force", is_flag=True, help="Replace a file that is there."),
    )
)


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(export)


@click.group()
def export() -> None:
    """Annotations, with or without images, in exchange formats."""


@export.command("formats", epilog=examples("frameyard export formats"))
@command
async def formats(call: Call) -> None:
    """List the formats and what each can hold."""
    await call.out.table(
        ("format", "file", "holds"),
        one(_formats(call)),
        lambda each: (each.name, f".{each.extension}", ", ".join(each.holds)),
    )


@export.command(
    epilog=examples(
        "frameyard export create 'COCO 1.0' --task 5",
        "frameyard export create 'CVAT for video 1.1' --job 12 --images -o job-12.zip",
    )
)
@click.argument("format_name", metavar="FORMAT")
@target
@click.option("--images", "with_images", is_flag=True, help="Put the images in as well.")
@_WHERE
@command
async def create(
    call: Call, format_name: str, target: Target, with_images: bool, output: Path | None, force: bool
) -> None:
    """Export a task or a job and download the archive."""
    place = output or Path()
    check_target(place, replace=force)
    with call.out.operation(f"exporting as {format_name}") as on_change:
        finished = await exports.export(
            call.client, format_name, **target.fields, with_images=with_images, on_change=on_change
        )
    await _download(call, finished, place, force)


@export.command(
    epilog=examples("frameyard export download export/0197f2f0-7c3e-7d8b-9a45-2f0c0d9b6c11 -o coco.zip")
)
@click.argument("operation")
@_WHERE
@command
async def download(call: Call, operation: str, output: Path | None, force: bool) -> None:
    """Download the archive of an export; one that was cut goes on where it stopped."""
    with call.out.operation(operation) as on_change:
        finished = await call.client.wait(operation, on_change)
    await _download(call, finished, output or Path(), force)


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


async def _formats(call: Call) -> list[service.Format]:
    answer = await call.client.call(call.client.exports.ListFormats, service.ListFormatsRequest())
    return list(answer.formats)
