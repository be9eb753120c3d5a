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
    import_concurrency: int = setting(2, "Files that one replica reads into tasks at the same time.")
    import_timeout_s: float = setting(6 * 3600.0, "Time limit of one import, seconds.")
    import_max_file_bytes: int = setting(68_719_476_736, "Largest file that is imported, bytes.")
    import_max_members: int = setting(2_000_000, "Files in an imported archive.")
    import_max_member_bytes: int = setting(
        17_179_869_184, "Largest file that is read inside an imported archive, unpacked bytes."
    )
    import_max_unpacked_bytes: int = setting(
        274_877_906_944, "All files of an imported archive together, unpacked bytes."
    )
    import_max_expansion: int = setting(
        300, "Bytes that each byte of an imported archive may unpack to, beyond the first 64 MiB."
    )
    import_max_objects: int = setting(10_000_000, "Objects and keyframes that one file may bring.")
