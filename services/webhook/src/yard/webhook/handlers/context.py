"""What the handlers work with."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

from yard.runtime.app import Runtime
from yard.runtime.auth import Secrets
from yard.runtime.db import Database
from yard.runtime.egress import Posting
from yard.webhook.settings import Settings, key_of, networks_of
from yard.webhook.sources.channels import Channels

SERVICE_NAME: Final = "webhook"
# Longer than reading what is sent and sending it may take.
LEASE: Final = timedelta(seconds=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """The service's runtime, the task service, the way out, and the key of secrets."""

    runtime: Runtime[Settings]
    channels: Channels
    posting: Posting
    secrets: Secrets

    @classmethod
    def of(cls, runtime: Runtime[Settings]) -> Self:
        """From the settings."""
        settings = runtime.settings
        return cls(
            runtime=runtime,
            channels=Channels.of(settings),
            posting=Posting(
                networks=networks_of(settings),
                ca_file=settings.egress_ca_file,
                # Pings come on top of what is delivered behind the scenes.
                connections=2 * settings.delivery_concurrency,
                timeout_s=settings.delivery_timeout_s,
            ),
            secrets=Secrets(key_of(settings)),
        )

    @property
    def db(self) -> Database:
        """The database."""
        return self.runtime.db

    async def close(self) -> None:
        """Ends all connections."""
        await self.posting.close()
        await self.channels.close()
