"""What the operator decides for task."""

from dataclasses import dataclass

from yard.runtime.settings import RuntimeSettings, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RuntimeSettings):
    """Settings of the task service."""

    purge_after_days: float = setting(30.0, "Days after which deleted projects and tasks are gone for good.")
    purge_every_s: float = setting(600.0, "Time between two searches for what is to go, seconds.")
