"""The files of consecutive frames in one stream: the source's own bytes, PNG for videos."""

from collections.abc import AsyncGenerator

from frameyard.chunk.v1.chunk_service_pb2 import (
    FRAME_FORMAT_PNG,
    FRAME_FORMAT_UNSPECIFIED,
    QUALITY_ORIGINAL,
    GetChunkRequest,
)
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1.media_pb2 import CHUNK_FORMAT_ZIP
from yard.export.domain import Subject
from yard.export.sources.channels import Channels
from yard.runtime.rpc import translated


async def pieces(channels: Channels, subject: Subject, first: int, last: int) -> AsyncGenerator[bytes]:
    """A zip of stored files in the order of the frames, their sizes in front of them."""
    is_video = subject.mode == "interpolation"
    request = GetChunkRequest(
        media_id=subject.media_id,
        frames=FrameRange(first=first, last=last),
        quality=QUALITY_ORIGINAL,
        format=CHUNK_FORMAT_ZIP,
        picture_format=FRAME_FORMAT_PNG if is_video else FRAME_FORMAT_UNSPECIFIED,
    )
    with translated():
        async for part in channels.chunks.GetChunk(request):
            if part.WhichOneof("part") == "content":
                yield part.content
