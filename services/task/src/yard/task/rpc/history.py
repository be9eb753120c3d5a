# ruff: noqa: N802 - methods are named as in the proto
"""HistoryService."""

from typing import Any

from frameyard.annotation.v1 import history_service_pb2 as messages
from frameyard.annotation.v1 import history_service_pb2_grpc
from yard.task.handlers.annotations.context import Annotations
from yard.task.handlers.context import Tasks
from yard.task.handlers.history import reading, restoring

HISTORY_SERVICE = messages.DESCRIPTOR.services_by_name["HistoryService"].full_name


class HistoryServicer(history_service_pb2_grpc.HistoryServiceServicer):
    """What was saved, over gRPC."""

    def __init__(self, tasks: Tasks) -> None:
        self._annotations = Annotations.of(tasks)

    async def ListRevisions(
        self, request: messages.ListRevisionsRequest, context: Any
    ) -> messages.ListRevisionsResponse:
        """Lists saves."""
        return await reading.list_revisions(self._annotations, request)

    async def GetRevision(
        self, request: messages.GetRevisionRequest, context: Any
    ) -> messages.GetRevisionResponse:
        """Reads a state."""
        return await reading.get_revision(self._annotations, request)

    async def DiffRevisions(
        self, request: messages.DiffRevisionsRequest, context: Any
    ) -> messages.DiffRevisionsResponse:
        """Compares two states."""
        return await reading.diff_revisions(self._annotations, request)

    async def RestoreRevision(
        self, request: messages.RestoreRevisionRequest, context: Any
    ) -> messages.RestoreRevisionResponse:
        """Brings a state back."""
        return await restoring.restore_revision(self._annotations, request)
