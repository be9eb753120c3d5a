"""Start in order, run, end in the reverse order without losing what is under way."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from yard.runtime import bus, clock, errors, telemetry, tracing
from yard.runtime.app import sampling, schema
from yard.runtime.app.endpoint import Endpoint
from yard.runtime.app.engines import Engines
from yard.runtime.app.readiness import Readiness
from yard.runtime.app.service import Parts, Runtime, S, Service
from yard.runtime.app.supervision import Supervised, end_all
from yard.runtime.auth import TokenVerifier
from yard.runtime.db import Database
from yard.runtime.operations import Operations
from yard.runtime.rpc import Boundary, Server, jwks_of_identity
from yard.runtime.settings import RuntimeSettings

T = TypeVar("T")

# How long a start waits for the database and the broker.
PATIENCE_S: Final = 60.0
RETRY_S: Final = 0.5
CLOSE_TIMEOUT_S: Final = 5.0

_log = telemetry.log(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running(Generic[S]):
    """A service that answers at `address` (gRPC) and `metrics_address` (HTTP), both host:port."""

    address: str
    metrics_address: str
    runtime: Runtime[S]


@asynccontextmanager
async def serving(service: Service[S], settings: S) -> AsyncIterator[Running[S]]:
    """The whole service in this process, from an up-to-date schema to an ordered drain."""
    await _patiently(lambda: schema.ensure(settings.database_url, service.migrations))
    async with opened(service, settings) as runtime:
        parts = await service.build(runtime)
        process = _Process(runtime, parts)
        try:
            yield await process.start()
        finally:
            await process.drain()


@asynccontextmanager
async def opened(service: Service[S], settings: S) -> AsyncIterator[Runtime[S]]:
    """The pools without anything that runs, closed at the end in reverse order."""
    flush_traces = tracing.configure(service.name, settings.otlp_endpoint) if settings.otlp_endpoint else None
    db = await _patiently(lambda: Database.connect(settings.database_url))
    nc = await _patiently(
        lambda: bus.connect(settings.nats_url, token=settings.nats_token, name=service.name)
    )
    runtime = Runtime(service, settings, db=db, nc=nc, operations=Operations(service.name, db, nc))
    try:
        yield runtime
    finally:
        await runtime.close()
        with suppress(*bus.NATS_FAULTS):
            await nc.close()
        with suppress(TimeoutError, errors.Unavailable):
            await asyncio.wait_for(db.close(), CLOSE_TIMEOUT_S)
        if flush_traces is not None:
            await asyncio.to_thread(flush_traces)


class _Process:
    """The moving parts of a service, started and ended in order."""

    def __init__(self, runtime: Runtime[Any], parts: Parts) -> None:
        settings = runtime.settings
        self._runtime = runtime
        self._parts = parts
        self._engines = Engines(runtime, parts)
        self._boundary = Boundary(runtime.name, _verifier(settings, parts), parts.public_methods)
        self._server = Server(
            settings.rpc_listen,
            self._boundary,
            (*parts.servicers, runtime.operations.servicer()),
            reflection=settings.reflection,
        )
        self._readiness = Readiness(runtime.db, runtime.nc, self._server.set_ready, self._engines.ailing)
        self._endpoint = Endpoint(
            settings.metrics_listen, away=lambda: self._readiness.away, sample=self._sample
        )
        background = (("warm_workers", runtime.keep_workers_warm), *parts.background)
        self._background = [Supervised(name, run) for name, run in background]
        self._checks = Supervised("readiness", self._readiness.run)

    async def start(self) -> Running[Any]:
        """Answers and works; the port file is written last."""
        address = self._runtime.address = await self._server.start()
        metrics_address = await self._endpoint.start()
        self._engines.start()
        for task in self._background:
            task.start()
        await self._readiness.check()
        self._checks.start()
        if self._runtime.settings.port_file:
            _write_ports(Path(self._runtime.settings.port_file), address, metrics_address)
        _log.info("serving", rpc=address, metrics=metrics_address)
        return Running(address=address, metrics_address=metrics_address, runtime=self._runtime)

    async def drain(self) -> None:
        """Nothing new, then what runs, then what was committed, then the pools' users."""
        ends_at = clock.monotonic() + self._runtime.settings.drain_timeout_s
        await self._readiness.drain()
        self._engines.take_no_more()
        self._boundary.end_watches()
        left_s = max(0.0, ends_at - clock.monotonic())
        await asyncio.gather(
            self._server.stop(left_s), self._engines.finish(left_s), end_all(self._background, left_s)
        )
        await self._engines.flush(CLOSE_TIMEOUT_S)
        await self._checks.end(CLOSE_TIMEOUT_S)
        for close in self._parts.on_close:
            await close()
        await self._endpoint.close()
        _log.info("drained")

    async def _sample(self) -> None:
        await sampling.sample(self._runtime, has_consumer=bool(self._parts.subscriptions))


def _verifier(settings: RuntimeSettings, parts: Parts) -> TokenVerifier:
    if parts.jwks is not None:
        return TokenVerifier(parts.jwks)
    if settings.jwks:
        return TokenVerifier.from_jwks(settings.jwks)
    if settings.identity_address:
        return TokenVerifier(jwks_of_identity(settings.identity_address))
    return TokenVerifier.from_jwks('{"keys": []}')


async def _patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    """Tries again while what we need is starting itself."""
    gives_up_at = clock.monotonic() + PATIENCE_S
    while True:
        try:
            return await attempt()
        except errors.Unavailable as fault:
            if clock.monotonic() > gives_up_at:
                raise
            _log.warning("waiting", reason=fault.reason, error=fault.message)
        await asyncio.sleep(RETRY_S)


def _write_ports(path: Path, rpc: str, metrics: str) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps({"rpc": rpc, "metrics": metrics}))
    fresh.replace(path)
