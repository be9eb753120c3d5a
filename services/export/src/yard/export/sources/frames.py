"""Names and sizes of frames."""

from collections.abc import AsyncIterator

from frameyard.media.v1.media_service_pb2 import ListFramesRequest, ListFramesResponse
from yard.export.domain import Subject
from yard.export.sources.channels import Channels
from yard.runtime.rpc import translated

PAGE = 10_000


async def pages(channels: Channels, subject: Subject) -> AsyncIterator[ListFramesResponse]:
    """All frames of the subject, a page at a time."""
    token = ""
    while True:
        request = ListFramesRequest(
            media_id=subject.media_id,
            first=subject.first,
            last=subject.last,
            page_size=PAGE,
            page_token=token,
        )
        with translated():
            page = await channels.media.ListFrames(request)
        yield page
        token = page.next_page_token
        if not token:
            return
