"""Long work as its asker sees it: state, progress, result; one table in each service that has any."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from frameyard.operation.v1 import operation_pb2
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import status_pb2
from nats.aio.client import Client
from yard.runtime import errors, ids
from yard.runtime.auth import Principal
from yard.runtime.db import CANCEL, OPERATION, Database, Record, Transaction
from yard.runtime.operations_progress import ProgressPublisher, ProgressRecorder

if TYPE_CHECKING:
    from yard.runtime.rpc import Servicer

FINAL: Final = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
MESSAGE_LENGTH: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row; `error` is a google.rpc.Status and `result` a google.protobuf.Any, both serialised."""

    id: UUID
    kind: str
    target: str
    owner: str
    state: str
    progress: float
    message: str
    error: bytes | None
    result: bytes | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    parameters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_row(cls, row: Record) -> "Operation":
        """A row with the columns of COLUMNS."""
        return cls(**dict(row))

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in FINAL


CancelHook = Callable[[Transaction, Operation], Awaitable[None]]


class Operations:
    """The operations of one service.

    Those that work rows drive (`enqueue(..., operation_id=...)`) are moved by the work loop; the others by
    `start`, `complete`, `fail` and `cancel`. A final operation never changes again. Progress that is heard
    from anybody is written to the table by `run`, which returns after `stop`.
    """

    def __init__(self, service: str, database: Database, nc: Client) -> None:
        self.service = service
        self.database = database
        self.nc = nc
        self._hooks: dict[str, CancelHook] = {}
        self._publisher = ProgressPublisher(nc)
        self._recorder = ProgressRecorder(service, database, nc)

    async def run(self) -> None:
        """Record progress until stopped; outlives outages of the database and the broker."""
        await self._recorder.run()

    def stop(self) -> None:
        """End `run` after what it has heard is written."""
        self._recorder.stop()

    def name(self, operation_id: UUID) -> str:
        """`<service>/<uuid>`, as the API calls it."""
        return f"{self.service}/{operation_id}"

    def parse(self, name: str) -> UUID:
        """The id in the name of an operation of this service; NotFound for other names."""
        service, _, text = name.partition("/")
        if service == self.service:
            try:
                return UUID(text)
            except ValueError:
                pass
        raise errors.NotFound("operation", name[:80])

    def on_cancel(self, kind: str, hook: CancelHook) -> None:
        """Runs `hook` in the transaction that makes an operation of this kind CANCELLED."""
        self._hooks[kind] = hook

    async def create(
        self,
        tx: Transaction,
        *,
        kind: str,
        target: str,
        owner: str,
        message: str = "",
        parameters: Mapping[str, str] | None = None,
    ) -> UUID:
        """A QUEUED operation; `owner` is Principal.subject of who asked, `target` for example "tasks/12".

        `parameters` is what was asked for besides, for people who look at their work later.
        """
        operation_id, asked = ids.uuid7(), dict(parameters or {})
        await tx.execute(_CREATE, operation_id, kind, target, owner, message[:MESSAGE_LENGTH], asked)
        return operation_id

    async def start(self, tx: Transaction, operation_id: UUID) -> bool:
        """QUEUED to RUNNING; False if it is not QUEUED."""
        tx.wake(OPERATION)
        return bool(await tx.fetchval(_START, operation_id))

    async def complete(
        self, tx: Transaction, operation_id: UUID, result: Message | None = None, message: str | None = None
    ) -> bool:
        """To SUCCEEDED; False if it is final already. Without a message the last one stays."""
        packed = None if result is None else _packed(result)
        return await self._end(tx, operation_id, "SUCCEEDED", result=packed, message=message)

    async def fail(self, tx: Transaction, operation_id: UUID, error: errors.YardError) -> bool:
        """To FAILED with the error's status; False if it is final already."""
        status: bytes = errors.to_status(error).SerializeToString()
        return await self._end(tx, operation_id, "FAILED", error=status)

    async def reopen(self, tx: Transaction, operation_id: UUID) -> bool:
        """FAILED to RUNNING, where what had failed is driven again; False if it is not FAILED."""
        tx.wake(OPERATION)
        return bool(await tx.fetchval(_REOPEN, operation_id))

    async def cancel(self, tx: Transaction, operation_id: UUID) -> bool:
        """To CANCELLED now, or when the worker that runs it has stopped; False if it is final already."""
        # Work first, then operation: as the work loop locks, so that the two cannot block each other.
        work = await tx.fetch(_LOCK_WORK, operation_id)
        if any(row["state"] == "running" for row in work):
            tx.wake(CANCEL)
            return bool(await tx.fetchval(_REQUEST_CANCEL, operation_id))
        await tx.execute(_CANCEL_WORK, operation_id)
        return await self.finish_cancel(tx, operation_id)

    async def finish_cancel(self, tx: Transaction, operation_id: UUID) -> bool:
        """To CANCELLED, with the hook of its kind; False if it is final already."""
        if not await self._end(tx, operation_id, "CANCELLED"):
            return False
        operation = await self.find(tx, operation_id)
        if operation is not None and operation.kind in self._hooks:
            await self._hooks[operation.kind](tx, operation)
        return True

    async def find(self, tx: Transaction | Database, operation_id: UUID) -> Operation | None:
        """The row as it is."""
        row = await tx.fetchrow(_FIND, operation_id)
        return None if row is None else Operation.from_row(row)

    async def get(self, operation_id: UUID, principal: Principal) -> operation_pb2.Operation:
        """NotFound for what is absent or not for this caller to see."""
        return to_proto(self.service, await self.visible(self.database, operation_id, principal))

    async def visible(
        self, tx: Transaction | Database, operation_id: UUID, principal: Principal
    ) -> Operation:
        """The row; owners see their own, administrators and services all, NotFound for everybody else."""
        found = await self.find(tx, operation_id)
        if found is None or not (sees_all(principal) or found.owner == principal.subject):
            raise errors.NotFound("operation", self.name(operation_id))
        return found

    async def publish_progress(self, name: str, fraction: float, message: str = "") -> None:
        """Tell how far an operation of any service is, 0 to 1; at most 4 a second, lost without a broker."""
        await self._publisher.publish(name, fraction, message[:MESSAGE_LENGTH])

    def servicer(self) -> "Servicer":
        """The OperationService of this service, for the server."""
        from frameyard.operation.v1 import operation_service_pb2_grpc
        from yard.runtime.operations_service import NAME, OperationServicer

        add = operation_service_pb2_grpc.add_OperationServiceServicer_to_server
        return add, OperationServicer(self), NAME

    async def _end(
        self,
        tx: Transaction,
        operation_id: UUID,
        state: str,
        *,
        error: bytes | None = None,
        result: bytes | None = None,
        message: str | None = None,
    ) -> bool:
        tx.wake(OPERATION)
        told = None if message is None else message[:MESSAGE_LENGTH]
        return bool(await tx.fetchval(_END, operation_id, state, error, result, told))


def sees_all(principal: Principal) -> bool:
    """Whether operations of others are this caller's business."""
    return principal.is_admin or principal.is_service


def to_proto(service: str, operation: Operation) -> operation_pb2.Operation:
    """The row as the API shows it."""
    message = operation_pb2.Operation(
        name=f"{service}/{operation.id}",
        kind=operation.kind,
        target=operation.target,
        owner=operation.owner,
        state=operation_pb2.OperationState.Value(f"OPERATION_STATE_{operation.state}"),
        progress=operation.progress,
        message=operation.message,
        parameters=operation.parameters,
    )
    message.create_time.FromDatetime(operation.created_at)
    message.update_time.FromDatetime(operation.updated_at)
    if operation.finished_at is not None:
        message.finish_time.FromDatetime(operation.finished_at)
    if operation.error is not None:
        message.error.CopyFrom(status_pb2.Status.FromString(operation.error))
    if operation.result is not None:
        message.result.CopyFrom(any_pb2.Any.FromString(operation.result))
    return message


def _packed(result: Message) -> bytes:
    packed = any_pb2.Any()
    packed.Pack(result)
    return packed.SerializeToString()


_CREATE = """
INSERT INTO operation (id, kind, target, owner, message, parameters)
VALUES ($1, $2, $3, $4, $5, $6)
"""

_START = """
UPDATE operation
SET state = 'RUNNING', updated_at = now()
WHERE id = $1 AND state = 'QUEUED'
RETURNING true
"""

_REOPEN = """
UPDATE operation
SET state = 'RUNNING', error = NULL, finished_at = NULL, updated_at = now()
WHERE id = $1 AND state = 'FAILED'
RETURNING true
"""

_END = """
UPDATE operation
SET state = $2,
    progress = CASE $2 WHEN 'SUCCEEDED' THEN 1 ELSE progress END,
    error = $3,
    result = $4,
    message = coalesce($5, message),
    finished_at = clock_timestamp(),
    updated_at = clock_timestamp()
WHERE id = $1 AND state IN ('QUEUED', 'RUNNING')
RETURNING true
"""

_LOCK_WORK = """
SELECT id, state
FROM work
WHERE operation_id = $1 AND state IN ('queued', 'running')
ORDER BY id
FOR UPDATE
"""

_REQUEST_CANCEL = """
UPDATE operation
SET cancel_requested = true, updated_at = now()
WHERE id = $1 AND state IN ('QUEUED', 'RUNNING')
RETURNING true
"""

_CANCEL_WORK = """
UPDATE work
SET state = 'cancelled', finished_at = now()
WHERE operation_id = $1 AND state = 'queued'
"""

COLUMNS = """
    id, kind, target, owner, state, progress, message, error, result, created_at, updated_at, finished_at,
    parameters
"""

_FIND = f"SELECT {COLUMNS} FROM operation WHERE id = $1"  # noqa: S608 - literals only
