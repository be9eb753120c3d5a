"""What the operator decides for chunking."""

from dataclasses import dataclass
from typing import Literal

from yard.runtime.settings import RuntimeSettings, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RuntimeSettings):
    """Settings of the chunking service."""

    cache_bytes: int = setting(
        21_474_836_480, "Size of all chunks and previews that were made on demand, bytes; more are evicted."
    )
    cache_policy: Literal["lfu", "lru"] = setting(
        "lfu", "What is evicted first: lfu, what is least popular; lru, what was used longest ago."
    )
    read_ahead: int = setting(2, "Chunks made on demand that are made ahead of a reader; 0 for none.")
    shares: tuple[str, ...] = setting(
        (), "Read-only file shares that frames are read from, as media_ingest has them."
    )
    build_concurrency: int = setting(
        2, "Runs of chunks that one replica builds in advance at once; at most its child processes but one."
    )
    build_timeout_s: float = setting(86_400.0, "Time limit of building one run of chunks, seconds.")
    source_attempts: int = setting(
        20, "Times that a run of chunks is begun while a source does not answer, at most a minute apart."
    )
    chunk_timeout_s: float = setting(300.0, "Time limit of making one chunk in a child process, seconds.")
    advertised_host: str = setting(
        "", "Where other replicas reach this one; empty takes its listening address or the machine's name."
    )
