"""What the operator decides for task."""

from dataclasses import dataclass

from yard.runtime.settings import RuntimeSettings, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RuntimeSettings):
    """Settings of the task service."""

    purge_after_days: float = setting(30.0, "Days after which deleted projects and tasks are gone for good.")
    purge_every_s: float = setting(600.0, "Time between two searches for what is to go, seconds.")
    history_max_revisions: int = setting(1_000, "Saves of a job that are kept; 0 for all.")
    history_max_bytes: int = setting(
        64 * 1024 * 1024, "Bytes of objects as they were that are kept of a job; 0 for no limit."
    )
    history_days: float = setting(365.0, "Days after which saves are forgotten; 0 for never.")
    import_max_objects: int = setting(
        10_000_000, "Objects and keyframes that one import of annotations may bring."
    )
    import_max_bytes: int = setting(
        1024 * 1024 * 1024, "Bytes that one import of annotations may bring; twice as many wait on the disk."
    )
