"""The server: servicers behind the boundary, health, reflection, a bounded number of calls."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from yard.runtime import errors
from yard.runtime.rpc.boundary import Boundary
from yard.runtime.rpc.methods import Methods
from yard.runtime.rpc.options import SERVER

CONCURRENT_CALLS: Final = 4096
LIVE: Final = ""
READY: Final = "ready"

# add_X_to_server, the servicer, and the full name of its gRPC service.
Servicer = tuple[Callable[[Any, grpc.aio.Server], None], object, str]


class Server:
    """One gRPC server; its health says "" while it lives, and "ready" and its services' names as told."""

    def __init__(
        self, listen: str, boundary: Boundary, servicers: Iterable[Servicer], *, reflection: bool = False
    ) -> None:
        self._listen = listen
        methods: Any = Methods(boundary)
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, methods)
        self._names: list[str] = []
        for add, servicer, name in servicers:
            add(servicer, methods)
            self._names.append(name)
        if reflection:
            _reflect(self._names, methods)
        self._server = grpc.aio.server(
            handlers=[methods], options=SERVER, maximum_concurrent_rpcs=CONCURRENT_CALLS
        )

    async def start(self) -> str:
        """Begins to answer, live but not ready; returns host:port."""
        host, _, _ = self._listen.rpartition(":")
        try:
            port = self._server.add_insecure_port(self._listen)
        except RuntimeError as fault:
            raise errors.Unavailable(f"cannot listen on {self._listen}") from fault
        await self._server.start()
        await self._health.set(LIVE, health_pb2.HealthCheckResponse.SERVING)
        await self.set_ready(False)
        return f"{host}:{port}"

    async def set_ready(self, is_ready: bool) -> None:
        """Tells "ready" and all services."""
        statuses = health_pb2.HealthCheckResponse
        status = statuses.SERVING if is_ready else statuses.NOT_SERVING
        for name in (READY, *self._names):
            await self._health.set(name, status)

    async def stop(self, grace_s: float) -> None:
        """Takes no new calls, and ends those that still run after `grace_s`."""
        await self._server.stop(grace_s)


def _reflect(names: Iterable[str], methods: Any) -> None:
    # A library of 2 MiB: only who reflects pays for it.
    from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

    servicer = reflection.aio.ReflectionServicer((*names, health.SERVICE_NAME, reflection.SERVICE_NAME))
    add: Any = reflection_pb2_grpc.add_ServerReflectionServicer_to_server
    add(servicer, methods)
