"""Annotations of any number: JSON lines out and in, without holding them all."""

import json
import sys
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import click
from frameyard.annotation.v1 import annotation_pb2, columnar_pb2
from frameyard.annotation.v1 import annotation_service_pb2 as service
from frameyard.common.v1.common_pb2 import FrameRange
from google.protobuf.json_format import ParseDict
from yard.client.cli.annotation_files import NOT_JSON, annotations_of, compact, given_file, name_of
from yard.client.cli.annotations import annotations, base_option, selected
from yard.client.cli.context import Call, command
from yard.client.cli.parameters import Target, examples, target
from yard.client.cli.plain import plain_json
from yard.client.client import request_id
from yard.client.failures import ClientError

Object: TypeAlias = annotation_pb2.Tag | annotation_pb2.Shape | annotation_pb2.Track

_KINDS: Final[dict[str, type[Object]]] = {
    "tag": annotation_pb2.Tag,
    "shape": annotation_pb2.Shape,
    "track": annotation_pb2.Track,
}
_LISTS: Final = ("tags", "shapes", "tracks")
_LONGEST_LINE: Final = 64 << 20


def add_to(main: click.Group) -> None:
    """Adds the commands of this module to those of annotations."""
    del main
    annotations.add_command(stream)
    annotations.add_command(import_)


@click.command(
    epilog=examples(
        "frameyard annotations stream --task 5 > objects.jsonl",
        "frameyard annotations stream --job 12 --label 17 | wc -l",
    )
)
@target
@selected
@command
async def stream(call: Call, target: Target, frames: FrameRange | None, label_ids: Sequence[int]) -> None:
    """Print objects as they come, one a line: {"shape": {...}}, in the form that import takes."""
    # Only here: loading it takes a while, and most commands do without.
    from yard.client.columns import unpacked

    request = service.StreamAnnotationsRequest(
        target=service.AnnotationTarget(**target.fields), frames=frames, label_ids=label_ids
    )
    count = 0
    async with aclosing(_batches(call, request)) as batches:
        async for objects in unpacked(batches):
            lines = (plain_json({type(each).__name__.lower(): compact(each)}) for each in objects)
            click.echo("".join(f"{line}\n" for line in lines), nl=False)
            count += len(objects)
    call.out.note(f"{count} objects")


@click.command(
    "import",
    epilog=examples(
        "frameyard annotations import --task 5 objects.jsonl",
        "my-model | frameyard annotations import --job 12 - --replace",
    ),
)
@target
@given_file
@click.option("--replace", is_flag=True, help="In place of all objects that are there; default: they stay.")
@base_option
@command
async def import_(call: Call, target: Target, file: Path, replace: bool, base_revision: int | None) -> None:
    """Add objects of a FILE or standard input (-) in one step: lines of stream, or the JSON of get."""
    from yard.client.imports import import_annotations

    header = service.ImportHeader(
        target=service.AnnotationTarget(**target.fields),
        mode=service.IMPORT_MODE_REPLACE if replace else service.IMPORT_MODE_APPEND,
        base_revision=base_revision,
        request_id=request_id(),
    )
    name = name_of(file)
    with _opened(file) as content:
        objects = _objects(content, name)
        saved = await import_annotations(call.client, header, objects, partial(_place, name))
    counts = f"{saved.tags} tags, {saved.shapes} shapes, {saved.tracks} tracks"
    call.out.message(saved, f"{counts}; revision {saved.revision}")


async def _batches(
    call: Call, request: service.StreamAnnotationsRequest
) -> AsyncGenerator[columnar_pb2.ColumnarBatch, None]:
    async with aclosing(call.client.stream(call.client.annotations.StreamAnnotations, request)) as answers:
        async for answer in answers:
            if answer.HasField("batch"):
                yield answer.batch


def _opened(file: Path) -> BinaryIO:
    try:
        return sys.stdin.buffer if str(file) == "-" else file.open("rb")
    except OSError as fault:
        raise ClientError(f"{file}: {fault.strerror}", code="NOT_FOUND") from fault


def _objects(content: BinaryIO, name: str) -> Iterator[tuple[int, Object]]:
    """Objects with their places; a file whose first line is no object of its own is one JSON document."""
    first = content.readline(_LONGEST_LINE)
    try:
        entry: Any = json.loads(first)
    except (ValueError, RecursionError):
        entry = None
    if isinstance(entry, dict) and len(entry) == 1 and entry.keys() <= _KINDS.keys():
        yield from _of_lines(chain((first,), _lines(content)), name)
    elif first.strip():
        yield from _of_document(first + content.read(), name)


def _lines(content: BinaryIO) -> Iterator[bytes]:
    while line := content.readline(_LONGEST_LINE):
        yield line


def _of_lines(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, Object]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            [(kind, content)] = json.loads(line).items()
            yield number, ParseDict(content, _KINDS[kind]())
        except (*NOT_JSON, KeyError) as fault:
            raise ClientError(
                f"{name}: line {number}: not a tag, shape or track: {fault}", code="INVALID_ARGUMENT"
            ) from fault


def _of_document(content: bytes, name: str) -> Iterator[tuple[int, Object]]:
    try:
        found = annotations_of(json.loads(content))
    except NOT_JSON as fault:
        raise ClientError(f"{name}: not annotations: {fault}", code="INVALID_ARGUMENT") from fault
    for kind, field in enumerate(_LISTS):
        for number, each in enumerate(getattr(found, field)):
            yield -1 - number * len(_LISTS) - kind, each


def _place(name: str, place: int) -> str:
    """A line from 1, or below 0 a number of a list in a document and the list, as one number."""
    if place > 0:
        return f"{name}: line {place}"
    number, kind = divmod(-1 - place, len(_LISTS))
    return f"{name}: {_LISTS[kind]}[{number}]"
