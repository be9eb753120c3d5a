"""The cache keeps its limit: what the policy names goes first, never what is being read."""

from collections.abc import Iterable, Iterator

from yard.chunking.handlers import counting
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
        settings = chunking.runtime.settings
        excess = _excess(await store.cached_bytes(tx), settings.cache_bytes)
        if excess <= 0:
            return 0
        victims = list(_enough(await store.expendable(tx, settings.cache_policy, BATCH), excess))
        await store.begin_eviction(tx, victims, lease)
    await chunking.blobs.delete(*(victim.rendition.key for victim in victims))
    async with chunking.db.transaction() as tx:
        await store.end_eviction(tx, lease)
    counting.evicted.inc(len(victims))
    counting.evicted_bytes.inc(sum(victim.size_bytes for victim in victims))
    return len(victims)


def _excess(cached_bytes: int, limit_bytes: int) -> int:
    counting.cache_bytes.set(cached_bytes)
    counting.cache_limit_bytes.set(limit_bytes)
    return cached_bytes - limit_bytes


def _enough(candidates: Iterable[Cached], excess: int) -> Iterator[Cached]:
    for candidate in candidates:
        if excess <= 0:
            return
        excess -= candidate.size_bytes
        yield candidate
