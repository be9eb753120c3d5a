"""Annotations: read, replaced, changed."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click
from frameyard.annotation.v1 import annotation_service_pb2 as service
from frameyard.common.v1.common_pb2 import FrameRange
from yard.client.cli.annotation_files import (
    SavedFile,
    counts_of,
    given_file,
    read_annotations,
    read_changes,
    saved_file,
)
from yard.client.cli.context import Call, command
from yard.client.cli.parameters import FRAMES, ID, INT64, Target, examples, stacked, target
from yard.client.client import request_id

base_option = click.option(
    "--base-revision", type=INT64, help="Fail if the objects have changed since this revision."
)
selected = stacked(
    (
        click.option("--frames", type=FRAMES, metavar="FIRST-LAST", help="Only on these frames."),
        click.option(
            "--label", "label_ids", type=ID, multiple=True, metavar="ID", help="Only of this label."
        ),
    )
)
"""`--frames` and `--label`, fields of requests that read."""


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(annotations)


@click.group()
def annotations() -> None:
    """Tags, shapes and tracks of a job or a task."""


@annotations.command(
    epilog=examples(
        "frameyard annotations get --task 5 -o annotations.json",
        "frameyard annotations get --task 5 --frames 100-199 --label 17",
        "frameyard annotations get --job 12 | jq '.shapes | length'",
    )
)
@target
@selected
@saved_file
@command
async def get(
    call: Call, target: Target, frames: FrameRange | None, label_ids: Sequence[int], saved: SavedFile
) -> None:
    """Read objects as JSON, in the form that put takes; a task's are merged on overlap.

    With --json the revision and what was merged are around them.
    """
    saved.check()
    request = service.GetAnnotationsRequest(
        target=service.AnnotationTarget(**target.fields), frames=frames, label_ids=label_ids
    )
    found = await call.client.call(call.client.annotations.GetAnnotations, request)
    saved.write(call, found, found.annotations, key=target.name)
    call.out.note(f"{counts_of(found.annotations)}; revision {found.revision}")


@annotations.command(
    epilog=examples(
        "frameyard annotations put --job 12 annotations.json",
        "frameyard annotations put --job 12 annotations.json --base-revision 7",
        "my-model | frameyard annotations put --task 5 -",
    )
)
@target
@given_file
@base_option
@command
async def put(call: Call, target: Target, file: Path, base_revision: int | None) -> None:
    """Replace all objects by those of a JSON FILE, or of standard input (-); ids are made anew."""
    objects = await asyncio.to_thread(read_annotations, file)
    request = service.PutAnnotationsRequest(
        target=service.AnnotationTarget(**target.fields),
        annotations=objects,
        base_revision=base_revision,
        request_id=request_id(),
    )
    saved = await call.client.call(call.client.annotations.PutAnnotations, request)
    call.out.message(saved, f"{counts_of(saved.annotations)}; revision {saved.revision}")


@annotations.command(
    epilog=examples(
        "frameyard annotations patch --job 12 changes.json",
        'echo \'{"delete": {"shapes": [{"id": 7}]}}\' | frameyard annotations patch --job 12 -',
    )
)
@target
@given_file
@base_option
@command
async def patch(call: Call, target: Target, file: Path, base_revision: int | None) -> None:
    """Create, update and delete objects in one step, by a JSON FILE or standard input (-).

    It holds an object with any of create, update and delete, each with tags, shapes and tracks.
    """
    request = await asyncio.to_thread(read_changes, file)
    request.target.CopyFrom(service.AnnotationTarget(**target.fields))
    if base_revision is not None:
        request.base_revision = base_revision
    request.request_id = request_id()
    saved = await call.client.call(call.client.annotations.PatchAnnotations, request)
    call.out.message(saved, f"created: {counts_of(saved.created)}; revision {saved.revision}")
