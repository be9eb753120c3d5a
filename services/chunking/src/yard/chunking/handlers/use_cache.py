"""Chunks that are kept become cached ones, and the other way round."""

from uuid import UUID

from frameyard.task.v1.task_events_pb2 import UseCacheChanged
from yard.chunking.handlers import building
from yard.chunking.handlers.context import Chunking
from yard.chunking.handlers.knowing import MEDIA_CHANGED
from yard.chunking.store import cache
from yard.chunking.store import media as store
from yard.runtime import errors
from yard.runtime.bus import Event
from yard.runtime.db import Transaction


async def change_use_cache(chunking: Chunking, tx: Transaction, event: Event[UseCacheChanged]) -> None:
    """What is built stays as it is; what is missing is queued, or no longer built.

    Conflict, so that it is tried again, if the media is not known yet.
    """
    changed = event.message
    media_id = UUID(changed.media_id)
    media = await store.media_of(tx, media_id, lock=True)
    if media is None:
        # "Known" would not do: the media may be told between the two reads.
        if await store.is_deleted(tx, media_id):
            return
        raise errors.Conflict(f"media {media_id} is not known here yet", reason="MEDIA_NOT_KNOWN_YET")
    if media.use_cache == changed.use_cache:
        return
    if media.operation_id is not None:
        await chunking.runtime.operations.cancel(tx, media.operation_id)
    operation_id = None
    if not changed.use_cache:
        operation_id = await building.queue_build(chunking, tx, media_id, media.task_id)
    await store.set_use_cache(tx, media_id, changed.use_cache, operation_id)
    await cache.set_kept(tx, media, is_kept=not changed.use_cache)
    tx.wake(MEDIA_CHANGED)
