"""Objects of any number into a job or a task, in one stream and one step."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TypeAlias

import grpc
from frameyard.annotation.v1 import annotation_pb2, columnar_pb2
from frameyard.annotation.v1 import annotation_service_pb2 as service
from yard.client.client import Client
from yard.client.columns import Packer
from yard.client.failures import ClientError, Violation, translated

Object: TypeAlias = annotation_pb2.Tag | annotation_pb2.Shape | annotation_pb2.Track


async def import_annotations(
    client: Client,
    header: service.ImportHeader,
    objects: Iterable[tuple[int, Object]],
    name: Callable[[int], str],
) -> service.ImportAnnotationsResponse:
    """Sends objects, each with the number of its place; faults say `name` of that instead of a row.

    Nothing is changed unless all of them came and were found good: whatever is raised by `objects` ends
    the call.
    """
    packer = Packer()
    try:
        return await _send(client, header, _batches(packer, objects, name))
    except ClientError as fault:
        violations = tuple(
            Violation(field=packer.named(each.field, name), description=each.description)
            for each in fault.violations
        )
        raise ClientError(fault.message, code=fault.code, violations=violations, hint=fault.hint) from fault


async def _send(
    client: Client, header: service.ImportHeader, batches: Iterator[columnar_pb2.ColumnarBatch]
) -> service.ImportAnnotationsResponse:
    call = client.annotations.ImportAnnotations(metadata=await client.session.metadata())
    try:
        with translated():
            # Where the platform has ended the call already, its answer says why.
            with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                await call.write(service.ImportAnnotationsRequest(header=header))
                while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                    await call.write(service.ImportAnnotationsRequest(batch=batch))
                await call.done_writing()
            return await call
    finally:
        call.cancel()


def _batches(
    packer: Packer, objects: Iterable[tuple[int, Object]], name: Callable[[int], str]
) -> Iterator[columnar_pb2.ColumnarBatch]:
    for place, item in objects:
        try:
            yield from packer.add(item, place)
        except ValueError as fault:
            field, _, description = str(fault).partition(": ")
            violation = Violation(field=f"{name(place)}.{field}", description=description)
            raise ClientError(
                "objects are not understood", code="INVALID_ARGUMENT", violations=(violation,)
            ) from fault
    yield from packer.flush()
