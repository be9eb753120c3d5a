# ruff: noqa: N802 - methods are named as in the proto
"""LabelService."""

from typing import Any

from frameyard.task.v1 import label_service_pb2 as messages
from frameyard.task.v1 import label_service_pb2_grpc
from yard.task.handlers import label_lists, label_texts
from yard.task.handlers.context import Tasks

LABEL_SERVICE = messages.DESCRIPTOR.services_by_name["LabelService"].full_name


class LabelServicer(label_service_pb2_grpc.LabelServiceServicer):
    """Labels over gRPC."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    async def GetLabel(self, request: messages.GetLabelRequest, context: Any) -> messages.GetLabelResponse:
        """Reads a label."""
        return await label_lists.get_label(self._tasks, request)

    async def ListLabels(
        self, request: messages.ListLabelsRequest, context: Any
    ) -> messages.ListLabelsResponse:
        """Lists labels."""
        return await label_lists.list_labels(self._tasks, request)

    async def ParseLabels(
        self, request: messages.ParseLabelsRequest, context: Any
    ) -> messages.ParseLabelsResponse:
        """Reads labels."""
        return await label_texts.parse_labels(request)

    async def FormatLabels(
        self, request: messages.FormatLabelsRequest, context: Any
    ) -> messages.FormatLabelsResponse:
        """Writes labels."""
        return await label_texts.format_labels(self._tasks, request)
