"""Objects of a task or a job as columnar batches."""

from collections.abc import AsyncIterator

from frameyard.annotation.v1.annotation_service_pb2 import (
    AnnotationTarget,
    StreamAnnotationsRequest,
    StreamAnnotationsResponse,
)
from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from yard.export.domain import Subject
from yard.export.sources.channels import Channels
from yard.runtime.rpc import translated


async def batches(channels: Channels, subject: Subject) -> AsyncIterator[StreamAnnotationsResponse]:
    """The stream as the task service sends it; its last word on order is checked by the reader."""
    if subject.job_id:
        target = AnnotationTarget(job_id=subject.job_id)
    else:
        target = AnnotationTarget(task_id=subject.task_id)
    with translated():
        async for response in channels.annotations.StreamAnnotations(StreamAnnotationsRequest(target=target)):
            yield response


async def batches_of_job(channels: Channels, job_id: int) -> AsyncIterator[ColumnarBatch]:
    """The objects of a job as it holds them."""
    request = StreamAnnotationsRequest(target=AnnotationTarget(job_id=job_id))
    with translated():
        async for response in channels.annotations.StreamAnnotations(request):
            if response.HasField("batch"):
                yield response.batch
