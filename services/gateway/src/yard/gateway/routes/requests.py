"""Long work of all services: how far it is, what came of it, and its end before its time."""

import heapq
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Path, Query, Response
from frameyard.operation.v1 import operation_pb2, operation_service_pb2, operation_service_pb2_grpc
from yard.gateway.cvat.fields import REQUESTS
from yard.gateway.cvat.matching import selected
from yard.gateway.cvat.people import BasicUser
from yard.gateway.cvat.queries import RequestQuery, asked
from yard.gateway.cvat.requests import ACTIONS, RequestRead, request_read, values_of
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Page, Paged
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors

T = TypeVar("T")

router = APIRouter(prefix="/requests", tags=["requests"])

LISTED: Final = ("task", "export")
"""Services whose operations people know of; the others' are parts of these."""

# Results can be long: a page of more would not fit into a message.
PAGE: Final = 100
MOST_LOOKED_AT: Final = 2_000

RequestName = Annotated[str, Path(description="The rq_id that the beginning was answered with.")]


@router.get("", response_model_exclude_unset=True)
async def list_requests(
    caller: Calling, paging: Paged, query: Annotated[RequestQuery, Query()]
) -> Page[RequestRead]:
    """Lists the caller's long work, newest first unless told: of the newest 2,000 that there are."""
    wanted = asked(query, REQUESTS, order="-created_date")
    newest = [_read(caller, one) async for one in _first(_newest_first(caller), MOST_LOOKED_AT)]
    found = selected(newest, values_of, condition=wanted["filter"], keys=wanted["sort"])
    return paging.page(found[paging.skip :][: paging.size], len(found))


@router.get("/{rq_id:path}", response_model_exclude_unset=True)
async def read_request(caller: Calling, rq_id: RequestName) -> RequestRead:
    """Tells how far one piece of long work is."""
    request = operation_service_pb2.GetOperationRequest(name=rq_id)
    answer = await caller.call(_stub(caller, rq_id).GetOperation, request)
    return _read(caller, answer.operation)


@router.post(
    "/{rq_id:path}/cancel",
    response_class=Response,
    status_code=200,
    responses={200: {"description": "No body."}},
)
async def cancel_request(caller: Calling, rq_id: RequestName) -> Response:
    """Asks for the end of long work; what has ended stays as it is."""
    request = operation_service_pb2.CancelOperationRequest(name=rq_id)
    await caller.call(_stub(caller, rq_id).CancelOperation, request)
    return Response(status_code=200)


def _stub(caller: Caller, name: str) -> "operation_service_pb2_grpc.OperationServiceAsyncStub":
    stub = caller.services.operations.get(name.partition("/")[0])
    if stub is None:
        raise errors.NotFound("request", name[:80])
    return stub


def _read(caller: Caller, operation: operation_pb2.Operation) -> RequestRead:
    """With its owner if that is the caller; the names of others are not known here."""
    found = request_read(operation, caller.base_url)
    found.result_url, found.result_id = found.result_url, found.result_id
    if operation.owner == caller.principal.subject:
        user_id = caller.principal.user_id
        found.owner = BasicUser(
            url=f"{caller.base_url}/api/users/{user_id}", id=user_id, username=caller.principal.username
        )
    return found


async def _first(found: AsyncGenerator[T], most: int) -> AsyncGenerator[T]:
    async with aclosing(found):
        async for one in found:
            most -= 1
            yield one
            if not most:
                return


async def _newest_first(caller: Caller) -> AsyncGenerator[operation_pb2.Operation]:
    """The operations of all listed services."""
    sources = [_of_service(caller, name) for name in LISTED]
    heads: list[tuple[int, int, operation_pb2.Operation]] = []

    async def advance(number: int) -> None:
        operation = await anext(sources[number], None)
        if operation is not None:
            heapq.heappush(heads, (-operation.create_time.ToNanoseconds(), number, operation))

    for number in range(len(sources)):
        await advance(number)
    while heads:
        _, number, operation = heapq.heappop(heads)
        yield operation
        await advance(number)


async def _of_service(caller: Caller, name: str) -> AsyncGenerator[operation_pb2.Operation]:
    token = ""
    while True:
        request = operation_service_pb2.ListOperationsRequest(page_size=PAGE, page_token=token, only_own=True)
        answer = await caller.call(caller.services.operations[name].ListOperations, request)
        for operation in answer.operations:
            if operation.kind in ACTIONS:
                yield operation
        token = answer.next_page_token
        if not token:
            return
