"""What this replica is building, for other replicas."""

from collections.abc import AsyncIterator
from uuid import UUID

from frameyard.chunk.v1 import chunk_peer_service_pb2 as messages
from yard.chunking.build.peers import FORMATS, QUALITIES
from yard.chunking.domain import Form, Frames, Quality, Rendition
from yard.chunking.handlers.context import SERVICE_NAME, Chunking
from yard.runtime import auth, errors

_QUALITIES: dict[int, Quality] = {number: quality for quality, number in QUALITIES.items()}
_FORMS: dict[int, Form] = {number: form for form, number in FORMATS.items()}


async def read_building(
    chunking: Chunking, request: messages.ReadBuildingRequest
) -> AsyncIterator[messages.ReadBuildingResponse]:
    """No bytes at once, which says that it is being built, then its bytes as they come, then the end."""
    rendition = _rendition(request)
    joined = None if rendition is None else chunking.builder.joined(rendition)
    if joined is None:
        raise errors.NotFound("building", request.media_id[:64])
    try:
        yield messages.ReadBuildingResponse(content=b"")
        async for piece in joined.reader:
            yield messages.ReadBuildingResponse(content=piece)
        picture = await joined.building.picture()
    finally:
        joined.close()
    yield messages.ReadBuildingResponse(
        end=messages.BuildingEnd(
            width=picture.width, height=picture.height, corrupt_frames=picture.corrupt_frames
        )
    )


def _rendition(request: messages.ReadBuildingRequest) -> Rendition | None:
    """None for callers other than our own replicas, and for what does not exist."""
    quality, form = _QUALITIES.get(request.quality), _FORMS.get(request.format)
    if auth.current().service != SERVICE_NAME or quality is None or form is None:
        return None
    if (quality == "preview") != (form == "jpeg"):
        return None
    try:
        media_id = UUID(request.media_id)
    except ValueError:
        return None
    frames = Frames(first=request.frames.first, last=request.frames.last)
    return Rendition(media_id=media_id, quality=quality, form=form, frames=frames)
