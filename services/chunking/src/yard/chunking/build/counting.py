"""What operators count about building: every metric once, with its meaning."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

# Chunks and previews that were built and stored here, and the frames in them.
CHUNKS: Final = "frameyard_chunks_built_total"
FRAMES: Final = "frameyard_chunk_frames_built_total"
# From the claim of a chunk to its being stored.
SECONDS: Final = "frameyard_chunk_build_seconds"
# Builds that ended without a chunk, by the kind of error.
FAILED: Final = "frameyard_chunk_builds_failed_total"
# Runs of chunks that are being made here at present.
RUNS: Final = "frameyard_chunk_runs"
# What was read from other replicas while they built it.
RELAYED: Final = "frameyard_chunks_relayed_total"

_KINDS = ("form", "quality", "lane")
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)

chunks = Counter(CHUNKS, "Chunks and previews that were built and stored.", _KINDS)
frames = Counter(FRAMES, "Frames in chunks that were built and stored.", _KINDS)
seconds = Histogram(SECONDS, "Time from the claim of a chunk to its storing.", _KINDS, buckets=_BUCKETS)
failed = Counter(FAILED, "Builds of chunks that failed.", ("reason",))
runs = Gauge(RUNS, "Runs of chunks that are being made.")
relayed = Counter(RELAYED, "Chunks read from the replica that was building them.", ("outcome",))
