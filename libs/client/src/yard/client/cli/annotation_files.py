"""Annotations in files: the JSON of frameyard.annotation.v1.AnnotationSet with the protos' field names."""

import functools
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from frameyard.annotation.v1 import annotation_pb2
from frameyard.annotation.v1 import annotation_service_pb2 as service
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message
from yard.client.cli.context import Call
from yard.client.cli.output import as_dict
from yard.client.cli.plain import plain_json
from yard.client.failures import ClientError
from yard.client.files import PartialFile, check_target

NOT_JSON = (ValueError, TypeError, AttributeError, RecursionError, ParseError)
"""What reading hostile JSON raises."""
_CHANGES = ("create", "update", "delete")

given_file = click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
"""A file, or standard input (-)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFile:
    """Where objects go: into a file, or to standard output."""

    output: Path | None
    force: bool

    def check(self) -> None:
        """ClientError before anything is asked for, if the file is there already."""
        if self.output is not None:
            check_target(self.output, replace=self.force)

    def write(self, call: Call, answer: Message, objects: annotation_pb2.AnnotationSet, *, key: str) -> None:
        """The objects, or with --json the answer that they came in."""
        text = plain_json(as_dict(answer) if call.out.as_json else compact(objects)) + "\n"
        if self.output is None:
            click.echo(text, nl=False)
            return
        with PartialFile(self.output.parent, f"{self.output.name}-{key}") as partial:
            partial.write(text.encode())
            partial.place(self.output, replace=self.force)


def saved_file(run: Callable[..., None]) -> Callable[..., None]:
    """Adds `--output` and `--force`, and hands a SavedFile on as `saved`."""
    path = click.Path(path_type=Path, dir_okay=False)

    @click.option("-o", "--output", type=path, help="File; default: print.")
    @click.option("--force", is_flag=True, help="Replace a file that is there.")
    @functools.wraps(run)
    def entry(*arguments: Any, output: Path | None, force: bool, **options: Any) -> None:
        run(*arguments, saved=SavedFile(output=output, force=force), **options)

    return entry


def read_annotations(file: Path) -> annotation_pb2.AnnotationSet:
    """What `get` writes, with or without --json; ClientError names the file and the place in it."""
    try:
        return annotations_of(json.loads(_read(file)))
    except NOT_JSON as fault:
        raise _not(file, "annotations", fault) from fault


def annotations_of(content: Any) -> annotation_pb2.AnnotationSet:
    """The same from JSON values; raises one of NOT_JSON."""
    if isinstance(content, dict) and "annotations" in content:
        content = content["annotations"]
    return ParseDict(content, annotation_pb2.AnnotationSet())


def read_changes(file: Path) -> service.PatchAnnotationsRequest:
    """A request with what to create, update and delete; ClientError names the file and the place in it."""
    try:
        content: Any = json.loads(_read(file))
        if unknown := set(content) - set(_CHANGES):
            raise ValueError(f"{min(unknown)!r} is none of {', '.join(_CHANGES)}")
        return ParseDict(content, service.PatchAnnotationsRequest())
    except NOT_JSON as fault:
        raise _not(file, "changes of annotations", fault) from fault


def counts_of(objects: annotation_pb2.AnnotationSet) -> str:
    """How many there are, in words."""
    return f"{len(objects.tags)} tags, {len(objects.shapes)} shapes, {len(objects.tracks)} tracks"


def compact(message: Message) -> dict[str, Any]:
    """As JSON values, without fields that have their default."""
    return MessageToDict(message, preserving_proto_field_name=True)


def name_of(file: Path) -> str:
    """For people."""
    return "standard input" if str(file) == "-" else str(file)


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as fault:
        raise ClientError(f"{name_of(file)}: {fault.strerror}", code="NOT_FOUND") from fault


def _not(file: Path, what: str, fault: Exception) -> ClientError:
    return ClientError(f"{name_of(file)}: not {what}: {fault}", code="INVALID_ARGUMENT")
