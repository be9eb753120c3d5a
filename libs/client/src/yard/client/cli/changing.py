"""Updates of what the options of a command name, and of nothing else."""

from collections.abc import Mapping
from typing import Any, TypeVar

import click
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from yard.client.cli.listing import person
from yard.client.cli.parameters import given
from yard.client.client import Client

M = TypeVar("M", bound=Message)


async def changed(
    client: Client, blank: M, fields: Mapping[str, Any], people: Mapping[str, str | None]
) -> tuple[M, FieldMask]:
    """`blank` with what is given, people by their user name ("" for nobody); UsageError if nothing is."""
    values, names = given(fields), given(people)
    if not values and not names:
        raise click.UsageError("Nothing to change: give an option.")
    blank.MergeFrom(type(blank)(**values))
    for role, name in names.items():
        if name:
            getattr(blank, role).CopyFrom(await person(client, name))
    return blank, FieldMask(paths=[*values, *names])
