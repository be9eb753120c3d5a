"""Long work of all services: state, progress, result, its end before its time, and how it goes on."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

from fastapi import APIRouter, Path, Query, Request, Response
from frameyard.operation.v1 import operation_pb2, operation_service_pb2, operation_service_pb2_grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from pydantic import BaseModel
from yard.gateway.cvat.moments import moment, moment_if_set
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.streaming import DESCRIBED, event, stream
from yard.gateway.routes.own.paths import PageSize, PageToken
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors

router = APIRouter(prefix="/operations", tags=["operations"])

State: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled"]
STATES: Final[dict[operation_pb2.OperationState.ValueType, State]] = {
    operation_pb2.OPERATION_STATE_QUEUED: "queued",
    operation_pb2.OPERATION_STATE_RUNNING: "running",
    operation_pb2.OPERATION_STATE_SUCCEEDED: "succeeded",
    operation_pb2.OPERATION_STATE_FAILED: "failed",
    operation_pb2.OPERATION_STATE_CANCELLED: "cancelled",
}

Service: TypeAlias = Literal["task", "export", "media_ingest", "chunking", "repo_sync"]
ServiceName = Annotated[str, Path(max_length=64, description="First part of the operation's name.")]
OperationId = Annotated[str, Path(max_length=64, description="Second part of the operation's name.")]


class Fault(BaseModel):
    """Why it failed."""

    reason: str
    message: str


class Operation(BaseModel):
    """One piece of long work; `result` is what its kind has, in the JSON form of its message.

    `parameters` are what was asked for beside the target, such as the format.
    """

    name: str
    kind: str
    target: str
    parameters: dict[str, str]
    owner: str
    state: State
    progress: float
    message: str
    error: Fault | None
    result: dict[str, Any] | None
    create_time: datetime
    update_time: datetime
    finish_time: datetime | None


class Operations(BaseModel):
    """One page, newest first."""

    operations: list[Operation]
    next_page_token: str


@router.get("")
async def list_operations(
    caller: Calling,
    service: Annotated[Service, Query(description="Whose operations.")] = "task",
    kind: Annotated[str, Query(max_length=64, description="Only those of this kind.")] = "",
    target: Annotated[str, Query(max_length=200, description="Only those of this, such as tasks/12.")] = "",
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    page_size: PageSize = 50,
    page_token: PageToken = "",
) -> Operations:
    """Lists operations of a service, newest first: the caller's own, administrators see all."""
    wanted = {word: number for number, word in STATES.items()}
    request = operation_service_pb2.ListOperationsRequest(
        page_size=page_size,
        page_token=page_token,
        kind=kind,
        target=target,
        state=wanted[state] if state else operation_pb2.OPERATION_STATE_UNSPECIFIED,
    )
    answer = await caller.call(_stub(caller, service).ListOperations, request)
    return Operations(
        operations=[operation_read(one) for one in answer.operations], next_page_token=answer.next_page_token
    )


@router.get("/{service}/{operation_id}")
async def read_operation(caller: Calling, service: ServiceName, operation_id: OperationId) -> Operation:
    """Reads an operation."""
    request = operation_service_pb2.GetOperationRequest(name=f"{service}/{operation_id}")
    return operation_read((await caller.call(_stub(caller, service).GetOperation, request)).operation)


@router.post("/{service}/{operation_id}/cancel")
async def cancel_operation(caller: Calling, service: ServiceName, operation_id: OperationId) -> Operation:
    """Asks for the end of an operation; one that has ended stays as it is."""
    request = operation_service_pb2.CancelOperationRequest(name=f"{service}/{operation_id}")
    return operation_read((await caller.call(_stub(caller, service).CancelOperation, request)).operation)


@router.get("/{service}/{operation_id}/watch", response_class=Response, responses=DESCRIBED)
async def watch_operation(
    request: Request, caller: Calling, service: ServiceName, operation_id: OperationId
) -> Response:
    """Sends the operation now and on each change, as server-sent events, and ends with the final state."""
    wanted = operation_service_pb2.WatchOperationRequest(name=f"{service}/{operation_id}")
    return await stream(request, caller, _states(caller, _stub(caller, service), wanted))


async def _states(
    caller: Caller,
    stub: "operation_service_pb2_grpc.OperationServiceAsyncStub",
    wanted: operation_service_pb2.WatchOperationRequest,
) -> AsyncGenerator[bytes]:
    async with aclosing(caller.stream(stub.WatchOperation, wanted)) as answers:
        async for answer in answers:
            found = operation_read(answer.operation)
            number = str(answer.operation.update_time.ToNanoseconds())
            yield event("operation", found.model_dump(mode="json"), number)


def operation_read(operation: operation_pb2.Operation) -> Operation:
    """The operation as JSON has it."""
    failed = operation.state == operation_pb2.OPERATION_STATE_FAILED
    fault = errors.from_status(operation.error) if failed else None
    return Operation(
        name=operation.name,
        kind=operation.kind,
        target=operation.target,
        parameters=dict(operation.parameters),
        owner=operation.owner,
        state=STATES.get(operation.state, "queued"),
        progress=operation.progress,
        message=operation.message,
        error=Fault(reason=fault.reason, message=fault.message) if fault else None,
        result=_result(operation) if operation.HasField("result") else None,
        create_time=moment(operation.create_time),
        update_time=moment(operation.update_time),
        finish_time=moment_if_set(operation.finish_time),
    )


def _result(operation: operation_pb2.Operation) -> dict[str, Any] | None:
    """Numbers of 64 bits are texts in the JSON form of messages; None for a message unknown here."""
    try:
        return MessageToDict(operation.result, preserving_proto_field_name=True)
    except (TypeError, DecodeError):
        return None


def _stub(caller: Caller, service: str) -> "operation_service_pb2_grpc.OperationServiceAsyncStub":
    stub = caller.services.operations.get(service)
    if stub is None:
        raise errors.NotFound("operation", service[:80])
    return stub
