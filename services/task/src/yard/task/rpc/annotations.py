# ruff: noqa: N802 - methods are named as in the proto
"""AnnotationService."""

from collections.abc import AsyncIterator
from typing import Any

from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1 import annotation_service_pb2_grpc
from yard.task.handlers import deleted_frames
from yard.task.handlers.annotations import importing, reading, saving, streaming
from yard.task.handlers.annotations.context import Annotations
from yard.task.handlers.context import Tasks

ANNOTATION_SERVICE = messages.DESCRIPTOR.services_by_name["AnnotationService"].full_name


class AnnotationServicer(annotation_service_pb2_grpc.AnnotationServiceServicer):
    """Annotations over gRPC."""

    def __init__(self, tasks: Tasks) -> None:
        self._annotations = Annotations.of(tasks)

    async def GetAnnotations(
        self, request: messages.GetAnnotationsRequest, context: Any
    ) -> messages.GetAnnotationsResponse:
        """Reads objects."""
        return await reading.get_annotations(self._annotations, request)

    async def PutAnnotations(
        self, request: messages.PutAnnotationsRequest, context: Any
    ) -> messages.PutAnnotationsResponse:
        """Replaces all objects."""
        return await saving.put_annotations(self._annotations, request)

    async def PatchAnnotations(
        self, request: messages.PatchAnnotationsRequest, context: Any
    ) -> messages.PatchAnnotationsResponse:
        """Changes some objects."""
        return await saving.patch_annotations(self._annotations, request)

    async def StreamAnnotations(
        self, request: messages.StreamAnnotationsRequest, context: Any
    ) -> AsyncIterator[messages.StreamAnnotationsResponse]:
        """Reads all objects as columns."""
        async for response in streaming.stream_annotations(self._annotations, request):
            yield response

    async def GetDeletedFrames(
        self, request: messages.GetDeletedFramesRequest, context: Any
    ) -> messages.GetDeletedFramesResponse:
        """Tells which frames are deleted."""
        return await deleted_frames.get_deleted_frames(self._annotations.tasks, request)

    async def UpdateDeletedFrames(
        self, request: messages.UpdateDeletedFramesRequest, context: Any
    ) -> messages.UpdateDeletedFramesResponse:
        """Deletes frames and brings deleted ones back."""
        return await deleted_frames.update_deleted_frames(self._annotations.tasks, request)

    async def ImportAnnotations(
        self, request_iterator: AsyncIterator[messages.ImportAnnotationsRequest], context: Any
    ) -> messages.ImportAnnotationsResponse:
        """Writes objects that come as columns."""
        return await importing.import_annotations(self._annotations, request_iterator)
