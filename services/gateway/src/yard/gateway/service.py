"""Puts the gateway together."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
import uvloop
from yard.gateway.app import application
from yard.gateway.edge.protocol import Protocol
from yard.gateway.edge.proxied import Proxied
from yard.gateway.settings import Settings
from yard.gateway.upstream.credentials import Credentials
from yard.gateway.upstream.services import NAME, Services
from yard.runtime import errors, telemetry, tracing
from yard.runtime.app import Edge
from yard.runtime.app.endpoint import Endpoint
from yard.runtime.auth import TokenVerifier
from yard.runtime.rpc import jwks_of_identity

BACKLOG: Final = 2048
# Slow clients of large files are not cut while they take something.
KEEP_ALIVE_S: Final = 75

_log = telemetry.log(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A gateway that answers at `address` and `metrics_address`, both host:port."""

    address: str
    metrics_address: str


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Running]:
    """The gateway in this process; at the end requests that run are finished within the drain time."""
    flush_traces = tracing.configure(NAME, settings.otlp_endpoint) if settings.otlp_endpoint else None
    services = Services(settings)
    verifier = (
        TokenVerifier.from_jwks(settings.jwks)
        if settings.jwks
        else TokenVerifier(jwks_of_identity(settings.identity_address))
    )
    listener = _listen(settings.http_listen)
    server = _Server(_config(settings, services, Credentials(services, verifier)))
    endpoint = Endpoint(settings.metrics_listen, away=lambda: server.away, sample=_nothing)
    running = Running(address=_name(listener), metrics_address=await endpoint.start())
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        await server.began(task)
        _write_ports(settings, running)
        _log.info("serving", http=running.address, metrics=running.metrics_address)
        yield running
    finally:
        server.should_exit = True
        await asyncio.wait([task])
        await endpoint.close()
        await services.close()
        if flush_traces is not None:
            await asyncio.to_thread(flush_traces)
        _log.info("drained")


class _Server(uvicorn.Server):
    """uvicorn's server without its own handlers of signals: those of the process tell it to end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._began = asyncio.Event()

    @property
    def away(self) -> tuple[str, ...]:
        """What keeps it from taking requests."""
        if self.should_exit:
            return ("drain",)
        return () if self.started else ("start",)

    def install_signal_handlers(self) -> None:
        """None."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to answer."""
        await super().startup(sockets)
        self._began.set()

    async def began(self, task: asyncio.Task[None]) -> None:
        """Returns when it answers; raises why it does not."""
        waiting = asyncio.create_task(self._began.wait())
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done():
            task.result()
            raise errors.Unavailable("the HTTP server did not start")


def _config(settings: Settings, services: Services, credentials: Credentials) -> uvicorn.Config:
    app = application(settings, services, credentials)
    return uvicorn.Config(
        Proxied(app, settings.trusted_proxies) if settings.trusted_proxies else app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(settings.drain_timeout_s),
        proxy_headers=False,
    )


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small pieces at once only where the protocol is named: they would wait for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, int(port)))
    except OSError as fault:
        listener.close()
        raise errors.Unavailable(f"cannot listen on {address}: {fault.strerror}") from fault
    return listener


def _name(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _write_ports(settings: Settings, running: Running) -> None:
    if not settings.port_file:
        return
    path = Path(settings.port_file)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps({"http": running.address, "metrics": running.metrics_address}))
    fresh.replace(path)


async def _nothing() -> None:
    """There is nothing to sample."""


SERVICE = Edge(name=NAME, settings=Settings, serving=serving, new_loop=uvloop.new_event_loop)
