"""What the operator decides for chunking."""

from dataclasses import dataclass

from yard.runtime.settings import RuntimeSettings, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RuntimeSettings):
    """Settings of the chunking service."""

    cache_bytes: int = setting(
        21_474_836_480, "Size of all chunks and previews that were made on demand, bytes; more are evicted."
    )
    shares: tuple[str, ...] = setting(
        (), "Read-only file shares that frames are read from, as media_ingest has them."
    )
    build_concurrency: int = setting(2, "Media whose chunks one replica builds in advance at the same time.")
    build_timeout_s: float = setting(86_400.0, "Time limit of building all chunks of one media, seconds.")
