"""What a service says of itself, and what it gets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from nats.aio.client import Client
from yard.runtime import telemetry
from yard.runtime.auth import Grants
from yard.runtime.bus import Subscription
from yard.runtime.db import Database
from yard.runtime.operations import Operations
from yard.runtime.rpc import Servicer
from yard.runtime.settings import RuntimeSettings
from yard.runtime.work import WorkHandler

if TYPE_CHECKING:
    from yard.runtime.blobs import Blobs
    from yard.runtime.workers import Pool

S = TypeVar("S", bound=RuntimeSettings)

Background = tuple[str, Callable[[], Awaitable[None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What `build` made.

    `background` runs beside the server and is started again when it fails; `on_close` is called in order
    after everything has stopped and before the pools close; `jwks` gives the keys of tokens where
    identity is not to be asked for them (that is: in identity).
    """

    servicers: Sequence[Servicer]
    subscriptions: Sequence[Subscription] = ()
    work: Sequence[WorkHandler] = ()
    background: Sequence[Background] = ()
    public_methods: frozenset[str] = frozenset()
    on_close: Sequence[Callable[[], Awaitable[None]]] = ()
    jwks: Callable[[], Awaitable[str]] | None = None


class Runtime(Generic[S]):
    """What a service is built from; `blobs` and `workers` cost nothing until they are used.

    `address` is where the gRPC server listens, host:port, empty until it does.
    """

    def __init__(
        self, service: Service[S], settings: S, *, db: Database, nc: Client, operations: Operations
    ) -> None:
        self.name = service.name
        self.settings = settings
        self.address = ""
        self.db = db
        self.nc = nc
        self.operations = operations
        self.grants = Grants(settings.grant_keys)
        self.log = telemetry.log(f"yard.{service.name}")
        self._preload = service.worker_preload
        self._warm = service.warm_workers

    @cached_property
    def blobs(self) -> Blobs:
        """The bucket."""
        from yard.runtime.blobs import Blobs

        return Blobs.connect(self.settings)

    @cached_property
    def workers(self) -> Pool:
        """The child processes; the first call starts them."""
        from yard.runtime.workers.pool import Pool, Upkeep

        return Pool(
            processes=self.settings.worker_processes,
            memory_mib=self.settings.worker_memory_mib,
            timeout_s=self.settings.worker_timeout_s,
            preload=self._preload,
            upkeep=Upkeep(warm=min(self._warm, self.settings.worker_processes)),
        )

    async def keep_workers_warm(self) -> None:
        """Starts the child processes that are always to be there, where the service has such."""
        if self._warm:
            await self.workers.keep_warm()

    @property
    def workers_waiting(self) -> int:
        """Calls that have no child process yet."""
        return self.workers.waiting if "workers" in self.__dict__ else 0

    async def close(self) -> None:
        """Ends the child processes and gives the bucket's connections back."""
        if "workers" in self.__dict__:
            await self.workers.close()
        if "blobs" in self.__dict__:
            await self.blobs.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Generic[S]):
    """A service: its name is also that of its schema and role, `migrations` the package of its revisions.

    `worker_preload` names modules that child processes load before their first call; so many of them as
    `warm_workers` are there before it, for somebody may be waiting for what it does.
    """

    name: str
    settings: type[S]
    build: Callable[[Runtime[S]], Awaitable[Parts]]
    migrations: str
    worker_preload: tuple[str, ...] = ()
    warm_workers: int = 0
