"""What the handlers work with."""

from dataclasses import dataclass
from datetime import timedelta

from yard.runtime.app import Runtime
from yard.runtime.blobs import Blobs
from yard.runtime.db import Database
from yard.runtime.operations import Operations
from yard.task.settings import Settings

SERVICE_NAME = "task"
ATTACH_MEDIA = "attach_media"
HIDE_TASKS = "hide_tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """The service's runtime."""

    runtime: Runtime[Settings]

    @property
    def db(self) -> Database:
        """Our schema."""
        return self.runtime.db

    @property
    def blobs(self) -> Blobs:
        """The bucket."""
        return self.runtime.blobs

    @property
    def settings(self) -> Settings:
        """What the operator decided."""
        return self.runtime.settings

    @property
    def purge_after(self) -> timedelta:
        """How long deleted projects and tasks can be brought back."""
        return timedelta(days=self.settings.purge_after_days)

    @property
    def operations(self) -> Operations:
        """The attachments of media."""
        return self.runtime.operations
