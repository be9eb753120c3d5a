"""The cache keeps its limit: the least popular goes first, never what is being read."""

from collections.abc import Iterable, Iterator

from yard.chunking.handlers.context import Chunking
from yard.chunking.store import cache as store
from yard.chunking.store.cache import Cached
from yard.runtime import ids

BATCH = 500


async def evict(chunking: Chunking) -> int:
    """Removes one batch of what is too much; returns how many went."""
    lease = ids.uuid7()
    async with chunking.db.transaction() as tx:
        if not await store.lock(tx):
            return 0
        excess = await store.cached_bytes(tx) - chunking.runtime.settings.cache_bytes
        if excess <= 0:
            return 0
        victims = list(_enough(await store.least_popular(tx, BATCH), excess))
        await store.begin_eviction(tx, victims, lease)
    await chunking.blobs.delete(*(victim.rendition.key for victim in victims))
    async with chunking.db.transaction() as tx:
        await store.end_eviction(tx, lease)
    return len(victims)


def _enough(candidates: Iterable[Cached], excess: int) -> Iterator[Cached]:
    for candidate in candidates:
        if excess <= 0:
            return
        excess -= candidate.size_bytes
        yield candidate
