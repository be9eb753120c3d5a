# ruff: noqa: N802 - methods are named as in the proto
"""MediaService."""

from collections.abc import AsyncIterator
from typing import Any

from frameyard.media.v1 import media_service_pb2 as messages
from frameyard.media.v1 import media_service_pb2_grpc
from yard.media_ingest.handlers import frames, given, manifest_export, results
from yard.media_ingest.handlers.context import Ingest

MEDIA_SERVICE = messages.DESCRIPTOR.services_by_name["MediaService"].full_name


class MediaServicer(media_service_pb2_grpc.MediaServiceServicer):
    """Media over gRPC."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    async def GetMedia(self, request: messages.GetMediaRequest, context: Any) -> messages.GetMediaResponse:
        """Reads the summary."""
        return await frames.get_media(self._ingest, request)

    async def ListFrames(
        self, request: messages.ListFramesRequest, context: Any
    ) -> messages.ListFramesResponse:
        """Lists frames."""
        return await frames.list_frames(self._ingest, request)

    async def ListFileResults(
        self, request: messages.ListFileResultsRequest, context: Any
    ) -> messages.ListFileResultsResponse:
        """Lists what became of given files."""
        return await results.list_results(self._ingest, request)

    async def ExportManifest(
        self, request: messages.ExportManifestRequest, context: Any
    ) -> AsyncIterator[messages.ExportManifestResponse]:
        """Sends manifest.jsonl."""
        async for piece in manifest_export.export_manifest(self._ingest, request):
            yield piece

    async def StreamMediaFiles(
        self, request: messages.StreamMediaFilesRequest, context: Any
    ) -> AsyncIterator[messages.StreamMediaFilesResponse]:
        """Sends what media was made of."""
        async for part in given.stream_files(self._ingest, request):
            yield part
