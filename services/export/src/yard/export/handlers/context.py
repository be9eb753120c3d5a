"""What the handlers work with."""

from dataclasses import dataclass
from uuid import UUID

from frameyard.operation.v1 import operation_pb2
from yard.export.formats import FORMATS
from yard.export.formats.format import Format
from yard.export.settings import Settings
from yard.export.sources.channels import Channels
from yard.runtime import errors
from yard.runtime.app import Runtime
from yard.runtime.db import Transaction
from yard.runtime.operations import to_proto

SERVICE_NAME = "export"
KIND = "export"
"""Of the work and the operations of exports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporting:
    """The service's runtime and the other services."""

    runtime: Runtime[Settings]
    channels: Channels


def format_named(name: str) -> Format:
    """The format; InvalidArgument names all there are."""
    for known in FORMATS:
        if known.full_name == name:
            return known
    offered = ", ".join(repr(known.full_name) for known in FORMATS)
    raise errors.invalid("format", f"{name[:64]!r} is none of {offered}")


def operation_name(operation_id: UUID) -> str:
    """Name of an operation of this service."""
    return f"{SERVICE_NAME}/{operation_id}"


def archive_key(export_id: UUID) -> str:
    """Where the archive lies; a second try of the same work writes to the same place."""
    return f"exports/{export_id}/archive"


async def made(exporting: Exporting, tx: Transaction, id_: UUID) -> operation_pb2.Operation:
    """The operation that this transaction has made, as its answer shows it."""
    operations = exporting.runtime.operations
    operation = await operations.find(tx, id_)
    assert operation is not None
    return to_proto(operations.service, operation)
