"""Who makes the present request, and calls in that name."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import TypeVar

import grpc.aio
from yard.gateway.upstream.services import Services
from yard.runtime import errors, rpc
from yard.runtime.auth import Principal

Q = TypeVar("Q")
R = TypeVar("R")

CALL_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`base_url` is the address that the client used, without a slash at the end; links are built from it."""

    services: Services
    principal: Principal
    token: str
    base_url: str
    credential: str = ""
    """Digest of what the caller showed; names the caller in rate limits and caches."""

    async def call(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Q, R], request: Q, *, timeout_s: float = CALL_TIMEOUT_S
    ) -> R:
        """One call; errors of our tree."""
        with rpc.translated():
            return await method(request, metadata=self._metadata(), timeout=timeout_s)

    async def stream(
        self, method: grpc.aio.UnaryStreamMultiCallable[Q, R], request: Q
    ) -> AsyncGenerator[R, None]:
        """The answers of a streaming call; leaving early ends it."""
        call = method(request, metadata=self._metadata())
        try:
            with rpc.translated():
                async for answer in call:
                    yield answer
        finally:
            call.cancel()

    async def send(self, method: grpc.aio.StreamUnaryMultiCallable[Q, R], requests: AsyncIterator[Q]) -> R:
        """One call that takes a stream; errors of our tree."""
        with rpc.translated():
            return await method(requests, metadata=self._metadata())

    def needs(self, stub: R | None, what: str) -> R:
        """The stub of a service that an installation may lack; Unimplemented names it."""
        if stub is None:
            raise errors.Unimplemented(f"this installation has no {what}")
        return stub

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),)
