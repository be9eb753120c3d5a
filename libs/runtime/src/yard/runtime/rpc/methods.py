"""The methods of a server, each behind the boundary, found by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
from yard.runtime.rpc.boundary import Boundary, Handler


class Methods(grpc.GenericRpcHandler):
    """What generated `add_X_to_server` functions take for the server.

    Nothing is registered with the core of gRPC: for each call it would wait on one future a method. Nor is
    the boundary an interceptor, which would be asked anew for each call.
    """

    def __init__(self, boundary: Boundary) -> None:
        self._boundary = boundary
        self._services: list[grpc.GenericRpcHandler] = []
        self._wrapped: dict[str, Handler] = {}

    def add_generic_rpc_handlers(self, services: Sequence[grpc.GenericRpcHandler]) -> None:
        """Called once a service."""
        self._services.extend(services)

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        """The same methods once more, for the core."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """The wrapped handler; an unknown method stays unknown, and is not remembered."""
        method = handler_call_details.method
        wrapped = self._wrapped.get(method)
        if wrapped is None:
            for service in self._services:
                handler = service.service(handler_call_details)
                if handler is not None:
                    wrapped = self._wrapped[method] = self._boundary.wrap(method, handler)
                    break
        return wrapped
