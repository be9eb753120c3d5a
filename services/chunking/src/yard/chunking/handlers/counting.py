"""What operators count about serving: every metric once, with its meaning."""

from typing import Final

from prometheus_client import Counter, Gauge

# Chunks and previews that were asked for, and where their bytes came from.
REQUESTS: Final = "frameyard_chunk_requests_total"
# Chunks that were made ahead of a reader, and those that were given up before they were begun.
AHEAD: Final = "frameyard_chunks_ahead_total"
# Length of all that may be evicted, and the limit that it keeps.
CACHE_BYTES: Final = "frameyard_chunk_cache_bytes"
CACHE_LIMIT_BYTES: Final = "frameyard_chunk_cache_limit_bytes"
# What was evicted here.
EVICTED: Final = "frameyard_chunks_evicted_total"
EVICTED_BYTES: Final = "frameyard_chunk_evicted_bytes_total"

requests = Counter(REQUESTS, "Chunks and previews that were asked for.", ("kind", "outcome"))
ahead = Counter(AHEAD, "Chunks to be made ahead of a reader.", ("outcome",))
cache_bytes = Gauge(CACHE_BYTES, "Length of all chunks and previews that may be evicted.")
cache_limit_bytes = Gauge(CACHE_LIMIT_BYTES, "Limit of the cache.")
evicted = Counter(EVICTED, "Chunks and previews that were evicted.")
evicted_bytes = Counter(EVICTED_BYTES, "Length of what was evicted.")
