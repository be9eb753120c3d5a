"""One object for all services: typed stubs, and the steps that take more than one call."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import uuid4

import grpc.aio
from frameyard.annotation.v1.annotation_service_pb2_grpc import AnnotationServiceStub
from frameyard.annotation.v1.history_service_pb2_grpc import HistoryServiceStub
from frameyard.chunk.v1.chunk_service_pb2_grpc import ChunkServiceStub
from frameyard.export.v1.backup_service_pb2_grpc import BackupServiceStub
from frameyard.export.v1.export_service_pb2_grpc import ExportServiceStub
from frameyard.export.v1.import_service_pb2_grpc import ImportServiceStub
from frameyard.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from frameyard.identity.v1.user_pb2 import User
from frameyard.media.v1.media_service_pb2_grpc import MediaServiceStub
from frameyard.media.v1.share_service_pb2_grpc import ShareServiceStub
from frameyard.media.v1.upload_service_pb2_grpc import UploadServiceStub
from frameyard.operation.v1 import operation_pb2, operation_service_pb2
from frameyard.operation.v1.operation_service_pb2_grpc import OperationServiceStub
from frameyard.sync.v1.repository_service_pb2_grpc import RepositoryServiceStub
from frameyard.task.v1.issue_service_pb2_grpc import IssueServiceStub
from frameyard.task.v1.job_service_pb2_grpc import JobServiceStub
from frameyard.task.v1.label_service_pb2_grpc import LabelServiceStub
from frameyard.task.v1.project_service_pb2_grpc import ProjectServiceStub
from frameyard.task.v1.task_service_pb2_grpc import TaskServiceStub
from frameyard.webhook.v1.webhook_service_pb2_grpc import WebhookServiceStub
from google.protobuf.message import Message
from yard.client.connection import Connection
from yard.client.endpoints import Endpoints
from yard.client.failures import ClientError, translated
from yard.client.patience import Patience
from yard.client.session import Keeper, Session, Tokens

if TYPE_CHECKING:
    from frameyard.operation.v1.operation_service_pb2_grpc import OperationServiceAsyncStub
    from frameyard.sync.v1.repository_service_pb2_grpc import RepositoryServiceAsyncStub
    from frameyard.webhook.v1.webhook_service_pb2_grpc import WebhookServiceAsyncStub

Q = TypeVar("Q")
R = TypeVar("R")
M = TypeVar("M", bound=Message)

CALL_TIMEOUT_S = 60.0
_FINAL = {
    operation_pb2.OPERATION_STATE_SUCCEEDED,
    operation_pb2.OPERATION_STATE_FAILED,
    operation_pb2.OPERATION_STATE_CANCELLED,
}


class Client:
    """Stubs of all services; `call` and `stream` add the token, a deadline and readable errors."""

    def __init__(
        self,
        endpoints: Endpoints,
        *,
        secure: bool = False,
        tokens: Tokens | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self.endpoints = endpoints
        self._connection = Connection(secure=secure)
        channel = self._connection.channel
        self.session = Session(channel(endpoints.identity), keeper)
        self.session.tokens = tokens
        self.identity = IdentityServiceStub(channel(endpoints.identity))
        self.projects = ProjectServiceStub(channel(endpoints.task))
        self.tasks = TaskServiceStub(channel(endpoints.task))
        self.jobs = JobServiceStub(channel(endpoints.task))
        self.labels = LabelServiceStub(channel(endpoints.task))
        self.issues = IssueServiceStub(channel(endpoints.task))
        self.annotations = AnnotationServiceStub(channel(endpoints.task))
        self.history = HistoryServiceStub(channel(endpoints.task))
        self.uploads = UploadServiceStub(channel(endpoints.media_ingest))
        self.media = MediaServiceStub(channel(endpoints.media_ingest))
        self.shares = ShareServiceStub(channel(endpoints.media_ingest))
        self.chunks = ChunkServiceStub(channel(endpoints.chunking))
        self.exports = ExportServiceStub(channel(endpoints.export))
        self.imports = ImportServiceStub(channel(endpoints.export))
        self.backups = BackupServiceStub(channel(endpoints.export))

    @property
    def webhooks(self) -> "WebhookServiceAsyncStub":
        """Stub of the webhook service; ClientError if nobody has said where it is."""
        return WebhookServiceStub(self._channel("webhook", self.endpoints.webhook))

    @property
    def repositories(self) -> "RepositoryServiceAsyncStub":
        """Stub of the service of dataset repositories; ClientError if nobody has said where it is."""
        return RepositoryServiceStub(self._channel("repo_sync", self.endpoints.repo_sync))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.close()

    async def login(self, username: str, password: str) -> User:
        """Opens a session that all later calls use."""
        return await self.session.login(username, password)

    async def call(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Q, R], request: Q, *, timeout_s: float = CALL_TIMEOUT_S
    ) -> R:
        """One call; ClientError if it fails."""
        metadata = await self.session.metadata()
        with translated():
            return await method(request, metadata=metadata, timeout=timeout_s)

    async def stream(
        self, method: grpc.aio.UnaryStreamMultiCallable[Q, R], request: Q, *, timeout_s: float | None = None
    ) -> AsyncGenerator[R, None]:
        """The answers of one streaming call; leaving the loop early ends the call."""
        call = method(request, metadata=await self.session.metadata(), timeout=timeout_s)
        try:
            with translated():
                async for answer in call:
                    yield answer
        finally:
            call.cancel()

    async def watch(self, name: str) -> AsyncIterator[operation_pb2.Operation]:
        """The operation now and on each change, up to its final state; follows on after a lost connection."""
        method = self.operations(name).WatchOperation
        request = operation_service_pb2.WatchOperationRequest(name=name)
        patience = Patience()
        while True:
            try:
                async with aclosing(self.stream(method, request)) as answers:
                    async for answer in answers:
                        patience.has_progressed()
                        yield answer.operation
                        if answer.operation.state in _FINAL:
                            return
            except ClientError as fault:
                await patience.after(fault)

    async def wait(
        self, name: str, on_change: Callable[[operation_pb2.Operation], Any] | None = None
    ) -> operation_pb2.Operation:
        """The operation when it has succeeded; ClientError if it failed or was cancelled."""
        last = operation_pb2.Operation(name=name)
        async for last in self.watch(name):
            if on_change is not None:
                on_change(last)
        if last.state == operation_pb2.OPERATION_STATE_FAILED:
            raise ClientError.from_status(last.error)
        if last.state == operation_pb2.OPERATION_STATE_CANCELLED:
            raise ClientError(f"{last.kind} was cancelled", code="CANCELLED")
        return last

    async def operation(self, name: str) -> operation_pb2.Operation:
        """The operation as it stands."""
        request = operation_service_pb2.GetOperationRequest(name=name)
        return (await self.call(self.operations(name).GetOperation, request)).operation

    async def cancel(self, name: str) -> operation_pb2.Operation:
        """Asks for the end of an operation."""
        request = operation_service_pb2.CancelOperationRequest(name=name)
        return (await self.call(self.operations(name).CancelOperation, request)).operation

    def operations(self, name: str) -> "OperationServiceAsyncStub":
        """The operation service of the service that an operation's name begins with."""
        address = getattr(self.endpoints, name.partition("/")[0], None)
        if not isinstance(address, str) or not address:
            raise ClientError(
                f"{name!r} is not the name of an operation, such as task/<uuid>", code="INVALID_ARGUMENT"
            )
        return OperationServiceStub(self._connection.channel(address))

    def _channel(self, name: str, address: str) -> grpc.aio.Channel:
        if not address:
            hint = "log in again, or name a file of endpoints that has it"
            raise ClientError(f"no address given for {name}", code="FAILED_PRECONDITION", hint=hint)
        return self._connection.channel(address)


def unpacked(operation: operation_pb2.Operation, kind: type[M]) -> M:
    """The result of a finished operation, which is of this kind."""
    result = kind()
    operation.result.Unpack(result)
    return result


def request_id() -> str:
    """A fresh id that makes a repeated create answer as the first one did."""
    return str(uuid4())
