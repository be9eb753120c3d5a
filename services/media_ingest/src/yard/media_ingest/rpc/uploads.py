# ruff: noqa: N802 - methods are named as in the proto
"""UploadService."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from frameyard.media.v1 import upload_service_pb2 as messages
from frameyard.media.v1 import upload_service_pb2_grpc
from yard.media_ingest.handlers import (
    adding,
    direct,
    expiry,
    packing,
    receiving,
    removing,
    uploads,
)
from yard.media_ingest.handlers.context import Ingest
from yard.runtime import errors

UPLOAD_SERVICE = messages.DESCRIPTOR.services_by_name["UploadService"].full_name


class UploadServicer(upload_service_pb2_grpc.UploadServiceServicer):
    """Uploads over gRPC."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    async def CreateUpload(
        self, request: messages.CreateUploadRequest, context: Any
    ) -> messages.CreateUploadResponse:
        """Opens an upload."""
        return await uploads.create_upload(self._ingest, request)

    async def AddUploadFiles(
        self, request: messages.AddUploadFilesRequest, context: Any
    ) -> messages.AddUploadFilesResponse:
        """Adds files to an open upload."""
        return await adding.add_files(self._ingest, request)

    async def RemoveUploadFile(
        self, request: messages.RemoveUploadFileRequest, context: Any
    ) -> messages.RemoveUploadFileResponse:
        """Takes one file out of an open upload."""
        return await removing.remove_file(self._ingest, request)

    async def GetUploadFile(
        self, request: messages.GetUploadFileRequest, context: Any
    ) -> messages.GetUploadFileResponse:
        """Reads one file."""
        return await uploads.get_file(self._ingest, request)

    async def UploadFile(
        self, request_iterator: AsyncIterator[messages.UploadFileRequest], context: Any
    ) -> messages.UploadFileResponse:
        """Takes bytes of one file."""
        return await receiving.receive(self._ingest, request_iterator)

    async def UploadFiles(
        self, request_iterator: AsyncIterator[messages.UploadFilesRequest], context: Any
    ) -> messages.UploadFilesResponse:
        """Takes many small files."""
        return await packing.receive_files(self._ingest, request_iterator)

    async def PresignParts(
        self, request: messages.PresignPartsRequest, context: Any
    ) -> messages.PresignPartsResponse:
        """Gives addresses for the parts of one file."""
        return await direct.presign_parts(self._ingest, request)

    async def CompleteParts(
        self, request: messages.CompletePartsRequest, context: Any
    ) -> messages.CompletePartsResponse:
        """Joins parts that the store has taken."""
        return await direct.complete_parts(self._ingest, request)

    async def GetUpload(self, request: messages.GetUploadRequest, context: Any) -> messages.GetUploadResponse:
        """Reads an upload."""
        return await uploads.get_upload(self._ingest, request)

    async def FinishUpload(
        self, request: messages.FinishUploadRequest, context: Any
    ) -> messages.FinishUploadResponse:
        """Closes an upload."""
        return await uploads.finish_upload(self._ingest, request)

    async def LocateUploadFile(
        self, request: messages.LocateUploadFileRequest, context: Any
    ) -> messages.LocateUploadFileResponse:
        """Tells other services where a file lies."""
        return await uploads.locate_file(self._ingest, request)

    async def DeleteUpload(
        self, request: messages.DeleteUploadRequest, context: Any
    ) -> messages.DeleteUploadResponse:
        """Drops an upload; what the store does not free now, the collector will."""
        upload_id = await uploads.delete_upload(self._ingest, request)
        with suppress(errors.Unavailable):
            await expiry.free_upload(self._ingest, upload_id)
        return messages.DeleteUploadResponse()
