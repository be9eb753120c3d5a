"""Which frames are damaged."""

from frameyard.chunk.v1 import chunk_service_pb2 as messages
from yard.chunking.domain import Frames
from yard.chunking.handlers.access import visible
from yard.chunking.handlers.context import Chunking
from yard.chunking.store import corrupt_frames as store
from yard.runtime import paging


async def list_corrupt_frames(
    chunking: Chunking, request: messages.ListCorruptFramesRequest
) -> messages.ListCorruptFramesResponse:
    """One page of those that the caller may see, by number."""
    limit = paging.size(request.page_size)
    bound = _bound(request)
    after = paging.decode_number(request.page_token, bound)
    found = await visible(chunking, request.media_id, request.grant)
    first = found.granted.first if after is None else max(found.granted.first, after + 1)
    wanted = Frames(first=first, last=found.granted.last)
    frames = await store.page(chunking.db, found.media.id, wanted, limit + 1)
    return messages.ListCorruptFramesResponse(
        frames=[messages.CorruptFrame(frame=each.frame, reason=each.reason) for each in frames[:limit]],
        next_page_token=paging.encode([frames[limit - 1].frame], bound) if len(frames) > limit else "",
    )


def _bound(request: messages.ListCorruptFramesRequest) -> messages.ListCorruptFramesRequest:
    """What a page token belongs to: grants are renewed between pages."""
    bound = messages.ListCorruptFramesRequest()
    bound.CopyFrom(request)
    bound.ClearField("grant")
    return bound
