"""What the operator decides for export."""

from dataclasses import dataclass

from yard.runtime.settings import RuntimeSettings, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RuntimeSettings):
    """Settings of the export service."""

    task_address: str = setting(doc="host:port of the task service.")
    media_ingest_address: str = setting(doc="host:port of the media service.")
    chunking_address: str = setting(doc="host:port of the chunk service.")
    export_concurrency: int = setting(2, "Archives that one replica writes at the same time.")
    export_timeout_s: float = setting(6 * 3600.0, "Time limit of one archive, seconds.")
    spool_memory_bytes: int = setting(
        4_194_304, "Annotations of one archive held in memory a kind, bytes; more goes to a temporary file."
    )
