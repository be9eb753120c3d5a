"""How far the building is."""

from frameyard.chunk.v1 import chunk_service_pb2 as messages
from yard.chunking.handlers.access import visible
from yard.chunking.handlers.context import Chunking
from yard.chunking.store import chunks as store


async def get_build_status(
    chunking: Chunking, request: messages.GetBuildStatusRequest
) -> messages.GetBuildStatusResponse:
    """Counts of chunks."""
    media = (await visible(chunking, request.media_id, request.grant)).media
    built = await store.built_chunks(chunking.db, media)
    operation_id = media.operation_id
    return messages.GetBuildStatusResponse(
        chunk_count=media.chunk_count,
        built_count=built.count,
        use_cache=media.use_cache,
        chunk_size=media.chunk_size,
        operation="" if operation_id is None else chunking.runtime.operations.name(operation_id),
    )
