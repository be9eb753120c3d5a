"""Names and sizes of frames, and their files."""

from collections.abc import AsyncIterator

from frameyard.chunk.v1.chunk_service_pb2 import QUALITY_ORIGINAL, GetFrameRequest
from frameyard.media.v1.media_service_pb2 import ListFramesRequest, ListFramesResponse
from yard.export.domain import Subject
from yard.export.sources.channels import Channels, translated
from yard.runtime import errors

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


async def image(channels: Channels, subject: Subject, frame: int) -> bytes:
    """The file of a frame in original quality: the source's own bytes, or PNG for videos."""
    request = GetFrameRequest(media_id=subject.media_id, frame=frame, quality=QUALITY_ORIGINAL)
    content = bytearray()
    size = -1
    with translated():
        async for part in channels.chunks.GetFrame(request):
            if part.WhichOneof("part") == "header":
                size = part.header.size_bytes
            else:
                content += part.content
    if len(content) != size:
        raise errors.DataLoss(f"frame {frame}: expected {size} bytes, got {len(content)}")
    return bytes(content)
