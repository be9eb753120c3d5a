# ruff: noqa: N802 - methods are named as in the proto
"""ChunkPeerService: proto in, proto out."""

from collections.abc import AsyncIterator
from typing import Any

from frameyard.chunk.v1 import chunk_peer_service_pb2 as messages
from frameyard.chunk.v1 import chunk_peer_service_pb2_grpc
from yard.chunking.handlers import peers
from yard.chunking.handlers.context import Chunking

CHUNK_PEER_SERVICE = messages.DESCRIPTOR.services_by_name["ChunkPeerService"].full_name


class ChunkPeerServicer(chunk_peer_service_pb2_grpc.ChunkPeerServiceServicer):
    """What other replicas of chunking ask."""

    def __init__(self, chunking: Chunking) -> None:
        self._chunking = chunking

    async def ReadBuilding(
        self, request: messages.ReadBuildingRequest, context: Any
    ) -> AsyncIterator[messages.ReadBuildingResponse]:
        """Sends what is being built."""
        async for part in peers.read_building(self._chunking, request):
            yield part
