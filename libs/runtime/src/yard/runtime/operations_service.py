"""frameyard.operation.v1.OperationService over the operations of one service."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import grpc.aio
from frameyard.operation.v1 import operation_pb2, operation_service_pb2, operation_service_pb2_grpc
from nats.aio.msg import Msg
from yard.runtime import auth, bus, clock, errors, paging
from yard.runtime.db import OPERATION
from yard.runtime.operations import COLUMNS, Operation, Operations, sees_all, to_proto
from yard.runtime.operations_progress import THINNING_S, parse, subject_of
from yard.runtime.pauses import until_any

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]

NAME: Final = "frameyard.operation.v1.OperationService"
# A wake-up that was lost costs a watcher this long.
POLL_S: Final = 1.0
# A watcher looks at once when the state of any operation has changed, but not more often than this a second.
MOST_LOOKS: Final = 8


class OperationServicer(operation_service_pb2_grpc.OperationServiceServicer):
    """Owners see their own operations, administrators and services all."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def GetOperation(  # noqa: N802 - named by the proto
        self, request: operation_service_pb2.GetOperationRequest, context: Context
    ) -> operation_service_pb2.GetOperationResponse:
        """Reads one."""
        operation_id = self._operations.parse(request.name)
        found = await self._operations.get(operation_id, auth.current())
        return operation_service_pb2.GetOperationResponse(operation=found)

    async def ListOperations(  # noqa: N802
        self, request: operation_service_pb2.ListOperationsRequest, context: Context
    ) -> operation_service_pb2.ListOperationsResponse:
        """One page, newest first."""
        size = paging.size(request.page_size)
        rows = await self._page(request, size + 1)
        listed = [to_proto(self._operations.service, row) for row in rows[:size]]
        token = paging.encode([str(rows[size - 1].id)], request) if len(rows) > size else ""
        return operation_service_pb2.ListOperationsResponse(operations=listed, next_page_token=token)

    async def CancelOperation(  # noqa: N802
        self, request: operation_service_pb2.CancelOperationRequest, context: Context
    ) -> operation_service_pb2.CancelOperationResponse:
        """Asks for the end; a final one is answered as it is."""
        operation_id, principal = self._operations.parse(request.name), auth.current()
        async with self._operations.database.transaction() as tx:
            await self._operations.visible(tx, operation_id, principal)
            await self._operations.cancel(tx, operation_id)
        found = await self._operations.get(operation_id, principal)
        return operation_service_pb2.CancelOperationResponse(operation=found)

    async def WatchOperation(  # noqa: N802
        self, request: operation_service_pb2.WatchOperationRequest, context: Context
    ) -> AsyncIterator[operation_service_pb2.WatchOperationResponse]:
        """Now, on each change, and the final state."""
        async for operation in self._changes(self._operations.parse(request.name), auth.current()):
            yield operation_service_pb2.WatchOperationResponse(operation=operation)

    async def _page(
        self, request: operation_service_pb2.ListOperationsRequest, limit: int
    ) -> list[Operation]:
        after = _after(request)
        _check(request)
        principal = auth.current()
        owner = None if sees_all(principal) and not request.only_own else principal.subject
        state = operation_pb2.OperationState.Name(request.state).removeprefix("OPERATION_STATE_")
        filters = (owner, request.kind, request.target, state, after)
        rows = await self._operations.database.fetch(_LIST, *filters, limit)
        return [Operation.from_row(row) for row in rows]

    async def _changes(
        self, operation_id: UUID, principal: auth.Principal
    ) -> AsyncIterator[operation_pb2.Operation]:
        last = operation_pb2.Operation()
        async with self._listening(operation_id) as news:
            while True:
                news.begin_look()
                found = news.merged(await self._operations.get(operation_id, principal), last.progress)
                if found != last:
                    yield found
                    last = found
                if found.HasField("finish_time"):
                    return
                await news.until_due()

    @asynccontextmanager
    async def _listening(self, operation_id: UUID) -> AsyncIterator[_News]:
        database, nc = self._operations.database, self._operations.nc
        async with database.signals.listening(OPERATION) as changed:
            news = _News(changed)
            heard = await nc.subscribe(subject_of(self._operations.name(operation_id)), cb=news.hear)
            try:
                yield news
            finally:
                with suppress(*bus.NATS_FAULTS):
                    await heard.unsubscribe()


def _check(request: operation_service_pb2.ListOperationsRequest) -> None:
    violations = [
        errors.Violation(name, "must not have the character U+0000")
        for name in ("kind", "target")
        if "\x00" in getattr(request, name)
    ]
    if request.state not in operation_pb2.OperationState.values():
        violations.append(errors.Violation("state", f"is no state: {request.state}"))
    errors.refuse(violations)


def _after(request: operation_service_pb2.ListOperationsRequest) -> UUID | None:
    text = paging.decode_text(request.page_token, request)
    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise paging.foreign_token() from None


class _News:
    """What a watcher has heard since it began."""

    def __init__(self, changed: asyncio.Event) -> None:
        self._changed = changed
        self._told = asyncio.Event()
        self._heard: operation_pb2.Operation | None = None
        self._looks: deque[float] = deque(maxlen=MOST_LOOKS)

    def begin_look(self) -> None:
        """What has come so far is about to be seen."""
        self._changed.clear()
        self._told.clear()
        self._looks.append(clock.monotonic())

    async def until_due(self) -> None:
        """Waits for news: a change of state is due at once, progress not before its time."""
        if len(self._looks) == MOST_LOOKS:
            await asyncio.sleep(max(0.0, self._looks[0] + 1.0 - clock.monotonic()))
        thinning_s = self._looks[-1] + THINNING_S - clock.monotonic()
        await until_any(self._changed, timeout_s=max(0.0, thinning_s))
        if not self._changed.is_set():
            await until_any(self._changed, self._told, timeout_s=POLL_S)

    async def hear(self, message: Msg) -> None:
        """A progress message."""
        self._heard = parse(message) or self._heard
        self._told.set()

    def merged(self, stored: operation_pb2.Operation, least: float) -> operation_pb2.Operation:
        """The stored state with the newest progress, never below `least`; a final state is left alone."""
        if stored.HasField("finish_time"):
            return stored
        heard = self._heard
        if heard is not None:
            stored.state = operation_pb2.OPERATION_STATE_RUNNING
            if heard.progress >= stored.progress:
                stored.message = heard.message
        stored.progress = max(stored.progress, least, heard.progress if heard else 0.0)
        return stored


_LIST = f"""
SELECT {COLUMNS}
FROM operation
WHERE ($1::text IS NULL OR owner = $1)
    AND ($2 = '' OR kind = $2)
    AND ($3 = '' OR target = $3)
    AND ($4 = 'UNSPECIFIED' OR state = $4)
    AND ($5::uuid IS NULL OR id < $5)
ORDER BY id DESC
LIMIT $6
"""  # noqa: S608 - literals only
