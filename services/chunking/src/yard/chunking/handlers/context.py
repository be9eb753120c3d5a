"""What the handlers work with."""

from dataclasses import dataclass
from typing import Self

from yard.chunking.build.builder import Builder
from yard.chunking.build.files import Files
from yard.chunking.build.jobs import Jobs
from yard.chunking.build.plans import Plans
from yard.chunking.build.reading import Reading
from yard.chunking.handlers.ahead import ReadAhead
from yard.chunking.handlers.holding import Holding
from yard.chunking.handlers.knowing import Knowing
from yard.chunking.settings import Settings
from yard.runtime import shares
from yard.runtime.app import Runtime
from yard.runtime.blobs import Blobs, Relay
from yard.runtime.db import Database
from yard.runtime.shares import Shares

SERVICE_NAME = "chunking"
BUILD_CHUNKS = "build_chunks"
BUILD_RUN = "build_run"
PURGE_MEDIA = "purge_media"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunking:
    """The service's runtime, and what makes and finds chunks."""

    runtime: Runtime[Settings]
    plans: Plans
    jobs: Jobs
    builder: Builder
    ahead: ReadAhead
    knowing: Knowing
    holding: Holding
    reading: Reading
    shares: Shares
    relay: Relay

    @classmethod
    def of(cls, runtime: Runtime[Settings]) -> Self:
        """All parts for one process."""
        plans = Plans(runtime.blobs)
        connected = shares.connect(runtime.settings, runtime.settings.shares)
        jobs = Jobs(plans, Files(runtime.blobs, connected))
        builder = Builder(runtime, jobs)
        return cls(
            runtime=runtime,
            plans=plans,
            jobs=jobs,
            builder=builder,
            ahead=ReadAhead(runtime, builder),
            knowing=Knowing(runtime.db),
            holding=Holding(),
            reading=Reading(runtime.db),
            shares=connected,
            relay=Relay.connect(runtime.settings),
        )

    @property
    def db(self) -> Database:
        """Our schema."""
        return self.runtime.db

    @property
    def blobs(self) -> Blobs:
        """The bucket."""
        return self.runtime.blobs

    async def close(self) -> None:
        """Ends what is under way, then what it works with."""
        await self.ahead.close()
        await self.builder.close()
        await self.shares.close()
        self.relay.close()
