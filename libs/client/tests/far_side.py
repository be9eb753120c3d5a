"""A small real server that cuts, damages and misnames what it sends, as no platform should."""

# ruff: noqa: N802 - methods are named as in the proto
import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from frameyard.export.v1 import export_service_pb2 as export
from frameyard.export.v1 import export_service_pb2_grpc
from frameyard.identity.v1 import identity_service_pb2 as identity
from frameyard.identity.v1 import identity_service_pb2_grpc
from frameyard.media.v1 import upload_service_pb2 as upload
from frameyard.media.v1 import upload_service_pb2_grpc
from yard.client import Endpoints
from yard.testkit import peers

ARCHIVE = bytes(range(256)) * 1000
BLOCK = 1000


class FarSide(
    export_service_pb2_grpc.ExportServiceServicer,
    upload_service_pb2_grpc.UploadServiceServicer,
    identity_service_pb2_grpc.IdentityServiceServicer,
):
    """Cuts every stream after `cut_after` bytes, `cuts` times."""

    def __init__(self) -> None:
        self.cut_after = 100_000
        self.cuts = 0
        self.file_name = "task-5.zip"
        self.sha256 = hashlib.sha256(ARCHIVE).hexdigest()
        self.offsets: list[int] = []
        self.received = bytearray()
        self.size_bytes = len(ARCHIVE)
        self.gate = asyncio.Event()
        self.gate.set()
        self.refresh_tokens = {"refresh-0"}
        self.renewals = 0

    async def DownloadExport(
        self, request: export.DownloadExportRequest, context: Any
    ) -> AsyncIterator[export.DownloadExportResponse]:
        self.offsets.append(request.offset)
        if request.operation == "export/gone":
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such export")
        if request.offset > len(ARCHIVE):
            await context.abort(grpc.StatusCode.OUT_OF_RANGE, "past the end")
        header = export.DownloadHeader(file_name=self.file_name, size_bytes=len(ARCHIVE), sha256=self.sha256)
        yield export.DownloadExportResponse(header=header)
        for start in range(request.offset, len(ARCHIVE), BLOCK):
            if self.cuts and start - request.offset >= self.cut_after:
                await self._cut(context)
            yield export.DownloadExportResponse(content=ARCHIVE[start : start + BLOCK])

    async def UploadFile(
        self, requests: AsyncIterator[upload.UploadFileRequest], context: Any
    ) -> upload.UploadFileResponse:
        taken = 0
        async for request in requests:
            if request.HasField("header"):
                self.offsets.append(request.header.offset)
                continue
            if self.cuts and taken >= self.cut_after:
                await self._cut(context)
            self.received += request.content
            await self.gate.wait()
            taken += len(request.content)
        return upload.UploadFileResponse(file=self._file())

    async def GetUpload(self, request: upload.GetUploadRequest, context: Any) -> upload.GetUploadResponse:
        return upload.GetUploadResponse(upload=upload.Upload(id=request.id, files=[self._file()]))

    async def FinishUpload(
        self, request: upload.FinishUploadRequest, context: Any
    ) -> upload.FinishUploadResponse:
        if len(self.received) != self.size_bytes:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "incomplete")
        return upload.FinishUploadResponse()

    async def RefreshSession(
        self, request: identity.RefreshSessionRequest, context: Any
    ) -> identity.RefreshSessionResponse:
        if request.refresh_token not in self.refresh_tokens:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the session has ended")
        self.refresh_tokens.discard(request.refresh_token)
        self.renewals += 1
        tokens = identity.TokenPair(
            access_token=f"access-{self.renewals}", refresh_token=f"refresh-{self.renewals}"
        )
        tokens.expire_time.FromJsonString("2099-01-01T00:00:00Z")
        self.refresh_tokens.add(tokens.refresh_token)
        return identity.RefreshSessionResponse(tokens=tokens)

    async def _cut(self, context: Any) -> None:
        self.cuts -= 1
        await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")

    def _file(self) -> upload.UploadFile:
        return upload.UploadFile(
            name="long.mp4", size_bytes=self.size_bytes, received_bytes=len(self.received)
        )


def new_far_side() -> FarSide:
    """Methods that nobody calls answer UNIMPLEMENTED."""
    return FarSide()  # type: ignore[abstract]


@asynccontextmanager
async def serving(far_side: FarSide) -> AsyncIterator[Endpoints]:
    """Its address, for all services."""
    adds = (
        export_service_pb2_grpc.add_ExportServiceServicer_to_server,
        upload_service_pb2_grpc.add_UploadServiceServicer_to_server,
        identity_service_pb2_grpc.add_IdentityServiceServicer_to_server,
    )
    async with peers.serving(far_side, adds) as address:
        yield Endpoints(
            identity=address, task=address, media_ingest=address, chunking=address, export=address
        )
