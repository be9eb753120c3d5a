"""People who ask for exports, and their view of the service."""

import io
import zipfile
from dataclasses import dataclass

import grpc.aio
from frameyard.export.v1 import export_service_pb2 as messages
from frameyard.export.v1 import export_service_pb2_grpc, import_service_pb2_grpc
from frameyard.export.v1 import import_service_pb2 as imports
from frameyard.operation.v1 import operation_pb2, operation_service_pb2, operation_service_pb2_grpc
from yard.runtime import auth
from yard.testkit.eventually import eventually

FINAL = {
    operation_pb2.OPERATION_STATE_SUCCEEDED,
    operation_pb2.OPERATION_STATE_FAILED,
    operation_pb2.OPERATION_STATE_CANCELLED,
}
# Tokens are made when this is imported, which may be half an hour before their test.
ISSUER = auth.TokenIssuer.generate(ttl_s=86_400)


def token(user_id: int, role: auth.Role = "user") -> str:
    return ISSUER.issue(auth.Principal(user_id=user_id, username=f"user{user_id}", role=role)).token


ANN, BOB, EVE, ADMIN = token(1), token(2), token(3), token(4, "admin")


def reaching(address: str) -> dict[str, str]:
    """Settings of a service that knows these people, and finds all others at one address."""
    others = ("identity", "task", "media_ingest", "chunking")
    return {"jwks": ISSUER.jwks, **{f"{name}_address": address for name in others}}


@dataclass
class Client:
    """A user's view of the service."""

    channel: grpc.aio.Channel

    async def create(self, known: str = "CVAT for video 1.1", **more: object) -> operation_pb2.Operation:
        if not more.keys() & {"job_id", "project_id"}:
            more = {"task_id": 12, **more}
        request = messages.CreateExportRequest(format=known, **more)  # type: ignore[arg-type]
        stub = export_service_pb2_grpc.ExportServiceStub(self.channel)
        return (await stub.CreateExport(request)).operation

    async def bring(self, known: str = "CVAT 1.1", **more: object) -> operation_pb2.Operation:
        if "job_id" not in more:
            more = {"task_id": 12, **more}
        request = imports.CreateImportRequest(format=known, **more)  # type: ignore[arg-type]
        stub = import_service_pb2_grpc.ImportServiceStub(self.channel)
        return (await stub.CreateImport(request)).operation

    async def state(self, name: str) -> operation_pb2.Operation:
        stub = operation_service_pb2_grpc.OperationServiceStub(self.channel)
        request = operation_service_pb2.GetOperationRequest(name=name)
        return (await stub.GetOperation(request)).operation

    async def ended(self, operation: operation_pb2.Operation) -> operation_pb2.Operation:
        async def final() -> operation_pb2.Operation:
            found = await self.state(operation.name)
            assert found.state in FINAL
            return found

        return await eventually(final)

    async def download(self, name: str, offset: int = 0) -> tuple[messages.DownloadHeader, bytes]:
        stub = export_service_pb2_grpc.ExportServiceStub(self.channel)
        request = messages.DownloadExportRequest(operation=name, offset=offset)
        parts = [part async for part in stub.DownloadExport(request)]
        return parts[0].header, b"".join(part.content for part in parts[1:])

    async def cancel(self, name: str) -> None:
        stub = operation_service_pb2_grpc.OperationServiceStub(self.channel)
        await stub.CancelOperation(operation_service_pb2.CancelOperationRequest(name=name))


def result_of(operation: operation_pb2.Operation) -> messages.ExportResult:
    result = messages.ExportResult()
    assert operation.result.Unpack(result), operation
    return result


def inside(content: bytes) -> dict[str, bytes]:
    """The files of an archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
