"""Channels to other services: token, deadline and trace travel along, what is down is asked again."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import grpc
import grpc.aio
from google.rpc import status_pb2
from yard.runtime import clock, errors, tracing
from yard.runtime.rpc.boundary import ends_at
from yard.runtime.rpc.options import AUTHORIZATION, BEARER, CHANNEL, STATUS_DETAILS

# Unary calls that name no deadline get this one.
DEADLINE_S: Final = 120.0

Token = Callable[[], Awaitable[str]] | str | None
Details = grpc.aio.ClientCallDetails


def channel(address: str, *, token: Token = None) -> grpc.aio.Channel:
    """A channel to host:port; `token` is asked before each call. Errors come as gRPC raises them."""
    return grpc.aio.insecure_channel(address, options=CHANNEL, interceptors=_interceptors(token))


def errors_from_rpc(fault: grpc.aio.AioRpcError) -> errors.YardError:
    """The error that the other side raised, or the one that stands for the code."""
    for name, value in fault.trailing_metadata() or ():
        if name == STATUS_DETAILS and isinstance(value, bytes):
            return errors.from_status(status_pb2.Status.FromString(value))
    code: int = fault.code().value[0]
    return errors.from_status(status_pb2.Status(code=code, message=fault.details() or fault.code().name))


@contextmanager
def translated() -> Iterator[None]:
    """Raises what another service answered within as an error of our tree."""
    try:
        yield
    except grpc.aio.AioRpcError as fault:
        raise errors_from_rpc(fault) from fault


class _Dressing:
    """Adds what every call carries."""

    def __init__(self, token: Token) -> None:
        self._token = token

    async def _dress(self, details: Details, longest_s: float | None) -> Details:
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        for name, value in await self._carried():
            metadata.add(name, value)
        return Details(
            method=details.method,
            timeout=_timeout(details.timeout, longest_s),
            metadata=metadata,
            credentials=details.credentials,
            wait_for_ready=details.wait_for_ready,
        )

    async def _carried(self) -> Iterable[tuple[str, str]]:
        token = await self._token() if callable(self._token) else self._token
        if token is None:
            return tracing.carried()
        return ((AUTHORIZATION, BEARER + token), *tracing.carried())


# One class a shape: gRPC asks an interceptor for the first shape that it has, and no further.
class _UnaryUnary(_Dressing, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: Details, request: Any
    ) -> Any:
        return await continuation(await self._dress(client_call_details, DEADLINE_S), request)


class _UnaryStream(_Dressing, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self, continuation: Callable[..., Any], client_call_details: Details, request: Any
    ) -> Any:
        return await continuation(await self._dress(client_call_details, None), request)


class _StreamUnary(_Dressing, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(
        self, continuation: Callable[..., Any], client_call_details: Details, request_iterator: Any
    ) -> Any:
        return await continuation(await self._dress(client_call_details, None), request_iterator)


class _StreamStream(_Dressing, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(
        self, continuation: Callable[..., Any], client_call_details: Details, request_iterator: Any
    ) -> Any:
        return await continuation(await self._dress(client_call_details, None), request_iterator)


def _interceptors(token: Token) -> list[grpc.aio.ClientInterceptor]:
    return [shape(token) for shape in (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)]


def _timeout(asked_s: float | None, longest_s: float | None) -> float | None:
    """The shortest of what was asked, what the present call has left, and the default."""
    end = ends_at.get()
    left_s = None if end is None else max(0.001, end - clock.monotonic())
    limits = [limit for limit in (asked_s, left_s) if limit is not None]
    return min(limits) if limits else longest_s
