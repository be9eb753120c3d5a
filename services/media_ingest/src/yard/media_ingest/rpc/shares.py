# ruff: noqa: N802 - methods are named as in the proto
"""ShareService."""

from typing import Any

from frameyard.media.v1 import share_service_pb2 as messages
from frameyard.media.v1 import share_service_pb2_grpc
from yard.media_ingest.handlers import shares
from yard.media_ingest.handlers.context import Ingest

SHARE_SERVICE = messages.DESCRIPTOR.services_by_name["ShareService"].full_name


class ShareServicer(share_service_pb2_grpc.ShareServiceServicer):
    """Shares over gRPC."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    async def ListShares(
        self, request: messages.ListSharesRequest, context: Any
    ) -> messages.ListSharesResponse:
        """Lists shares."""
        return await shares.list_shares(self._ingest)

    async def ListShareEntries(
        self, request: messages.ListShareEntriesRequest, context: Any
    ) -> messages.ListShareEntriesResponse:
        """Lists a directory."""
        return await shares.list_entries(self._ingest, request)
