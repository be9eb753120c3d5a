"""What the handlers work with."""

from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

from yard.repo_sync.domain.fields import Pauses
from yard.repo_sync.domain.rows import Repository
from yard.repo_sync.handlers.scratch import Scratch
from yard.repo_sync.settings import Settings, key_of, networks_of
from yard.repo_sync.sources.channels import Channels
from yard.runtime.app import Runtime
from yard.runtime.auth import Secrets
from yard.runtime.db import Database
from yard.runtime.egress import GitRemote, Network
from yard.runtime.operations import Operations

SERVICE_NAME: Final = "repo_sync"
PUSH: Final = "push"
CHECK: Final = "check"
"""Kinds of work and operations."""

DUE: Final = "due"
"""Wakes the loop of automatic pushes."""

HEARD: Final = "heard"
"""Wakes pushes that wait for changes to be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Syncing:
    """The service's runtime, the other services, the way out, the key of secrets, and room."""

    runtime: Runtime[Settings]
    channels: Channels
    networks: tuple[Network, ...]
    secrets: Secrets
    scratch: Scratch

    @classmethod
    def of(cls, runtime: Runtime[Settings]) -> Self:
        """From the settings."""
        settings = runtime.settings
        return cls(
            runtime=runtime,
            channels=Channels.of(settings),
            networks=networks_of(settings),
            secrets=Secrets(key_of(settings)),
            scratch=Scratch(),
        )

    async def close(self) -> None:
        """Ends all connections, and removes what was put aside."""
        await self.channels.close()
        await self.scratch.close()

    @property
    def db(self) -> Database:
        """The database."""
        return self.runtime.db

    @property
    def operations(self) -> Operations:
        """The operations of this service."""
        return self.runtime.operations

    @property
    def pauses(self) -> Pauses:
        """The operator's choice for automatic pushes."""
        settings = self.runtime.settings
        return Pauses(
            quiet_s=settings.quiet_s,
            least_quiet_s=settings.least_quiet_s,
            period_s=settings.period_s,
            least_period_s=settings.least_period_s,
        )


def operation_name(operation_id: UUID | None) -> str:
    """Name of an operation of this service; empty for none."""
    return "" if operation_id is None else f"{SERVICE_NAME}/{operation_id}"


def belongs_to(repository: Repository) -> str:
    """What a credential is sealed for: it opens for no other task and no other host."""
    return f"repository/{repository.task_id}/{host_of(repository.url)}"


def host_of(url: str) -> str:
    """Protocol, host and port; empty for no URL."""
    if not url:
        return ""
    remote = GitRemote.parse(url)
    return f"{remote.scheme}://{remote.host}:{remote.port}"
