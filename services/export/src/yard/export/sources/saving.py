"""Objects on their way into a task or a job."""

from __future__ import annotations

from collections.abc import AsyncIterator

from frameyard.annotation.v1 import annotation_service_pb2 as messages
from yard.export.sources.channels import Channels
from yard.runtime.rpc import translated


async def check_may_save(
    channels: Channels,
    authorization: str,
    target: messages.AnnotationTarget,
    mode: messages.ImportMode.ValueType,
) -> None:
    """NotFound or PermissionDenied unless the caller may import there in this way."""
    header = messages.ImportHeader(target=target, mode=mode, check_only=True)
    with translated():
        await channels.annotations_for_caller.ImportAnnotations(
            _requests(header), metadata=(("authorization", authorization),)
        )


async def save(
    channels: Channels, header: messages.ImportHeader, batches: AsyncIterator[bytes]
) -> messages.ImportAnnotationsResponse:
    """Sends serialised batches as our service, which has checked the rights of the author."""
    with translated():
        answer: messages.ImportAnnotationsResponse = await channels.annotations.ImportAnnotations(
            _requests(header, batches)
        )
    return answer


async def _requests(
    header: messages.ImportHeader, batches: AsyncIterator[bytes] | None = None
) -> AsyncIterator[messages.ImportAnnotationsRequest]:
    yield messages.ImportAnnotationsRequest(header=header)
    if batches is not None:
        async for batch in batches:
            request = messages.ImportAnnotationsRequest()
            request.batch.MergeFromString(batch)
            yield request
