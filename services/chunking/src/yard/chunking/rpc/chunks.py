# ruff: noqa: N802 - methods are named as in the proto
"""ChunkService: proto in, proto out."""

from collections.abc import AsyncIterator
from typing import Any

from frameyard.chunk.v1 import chunk_service_pb2 as messages
from frameyard.chunk.v1 import chunk_service_pb2_grpc
from yard.chunking.handlers import chunks, corrupt, frames, status
from yard.chunking.handlers.context import Chunking

CHUNK_SERVICE = messages.DESCRIPTOR.services_by_name["ChunkService"].full_name


class ChunkServicer(chunk_service_pb2_grpc.ChunkServiceServicer):
    """Pixels over gRPC."""

    def __init__(self, chunking: Chunking) -> None:
        self._chunking = chunking

    async def GetChunk(
        self, request: messages.GetChunkRequest, context: Any
    ) -> AsyncIterator[messages.GetChunkResponse]:
        """Sends a chunk."""
        async for part in chunks.get_chunk(self._chunking, request):
            yield part

    async def GetFrame(
        self, request: messages.GetFrameRequest, context: Any
    ) -> AsyncIterator[messages.GetFrameResponse]:
        """Sends a frame."""
        async for part in frames.get_frame(self._chunking, request):
            yield part

    async def GetPreview(
        self, request: messages.GetPreviewRequest, context: Any
    ) -> messages.GetPreviewResponse:
        """Reads a preview."""
        return await frames.get_preview(self._chunking, request)

    async def ListCorruptFrames(
        self, request: messages.ListCorruptFramesRequest, context: Any
    ) -> messages.ListCorruptFramesResponse:
        """Lists damaged frames."""
        return await corrupt.list_corrupt_frames(self._chunking, request)

    async def GetBuildStatus(
        self, request: messages.GetBuildStatusRequest, context: Any
    ) -> messages.GetBuildStatusResponse:
        """Counts chunks."""
        return await status.get_build_status(self._chunking, request)
