"""Annotations as JSON: the mapping of frameyard.annotation.v1.AnnotationSet with the protos' field names."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click
from frameyard.annotation.v1 import annotation_pb2
from frameyard.annotation.v1 import annotation_service_pb2 as service
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from yard.client.cli.context import Call, command
from yard.client.cli.output import as_dict
from yard.client.cli.parameters import INT64, Target, examples, target
from yard.client.cli.plain import plain_json
from yard.client.client import request_id
from yard.client.failures import ClientError
from yard.client.files import PartialFile, check_target


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(annotations)


@click.group()
def annotations() -> None:
    """Tags, shapes and tracks of a job or a task."""


@annotations.command(
    epilog=examples(
        "frameyard annotations get --task 5 -o annotations.json",
        "frameyard annotations get --job 12 | jq '.shapes | length'",
    )
)
@target
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File; default: print.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@command
async def get(call: Call, target: Target, output: Path | None, force: bool) -> None:
    """Read all objects as JSON, in the form that put takes; a task's are merged on overlap.

    With --json the revision and what was merged are around them.
    """
    if output is not None:
        check_target(output, replace=force)
    request = service.GetAnnotationsRequest(target=service.AnnotationTarget(**target.fields))
    found = await call.client.call(call.client.annotations.GetAnnotations, request)
    text = plain_json(as_dict(found) if call.out.as_json else _compact(found.annotations)) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        with PartialFile(output.parent, f"{output.name}-{target.name}") as partial:
            partial.write(text.encode())
            partial.place(output, replace=force)
    call.out.note(f"{_counts(found.annotations)}; revision {found.revision}")


@annotations.command(
    epilog=examples(
        "frameyard annotations put --job 12 annotations.json",
        "frameyard annotations put --job 12 annotations.json --base-revision 7",
        "my-model | frameyard annotations put --task 5 -",
    )
)
@target
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--base-revision", type=INT64, help="Fail if the objects have changed since this revision.")
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
    call.out.message(saved, f"{_counts(saved.annotations)}; revision {saved.revision}")


def read_annotations(file: Path) -> annotation_pb2.AnnotationSet:
    """What `get` writes, with or without --json; ClientError names the file and the place in it."""
    name = "standard input" if str(file) == "-" else str(file)
    try:
        content: Any = json.loads(_read(file))
        if isinstance(content, dict) and "annotations" in content:
            content = content["annotations"]
        return ParseDict(content, annotation_pb2.AnnotationSet())
    except OSError as fault:
        raise ClientError(f"{name}: {fault.strerror}", code="NOT_FOUND") from fault
    except (ValueError, TypeError, AttributeError, RecursionError, ParseError) as fault:
        raise ClientError(f"{name}: not annotations: {fault}", code="INVALID_ARGUMENT") from fault


def _read(file: Path) -> bytes:
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()


def _compact(objects: annotation_pb2.AnnotationSet) -> dict[str, Any]:
    return MessageToDict(objects, preserving_proto_field_name=True)


def _counts(objects: annotation_pb2.AnnotationSet) -> str:
    return f"{len(objects.tags)} tags, {len(objects.shapes)} shapes, {len(objects.tracks)} tracks"
