"""What surrounds every handler: measure, deadline, caller, errors; one wrapper a method."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager, aclosing, nullcontext
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

import grpc
import grpc.aio
from yard.runtime import clock, errors, metrics, tracing
from yard.runtime.auth.principal import become
from yard.runtime.auth.verifier import TokenVerifier
from yard.runtime.rpc.acting import ACTS_FOR, acting
from yard.runtime.rpc.answers import Context, abort
from yard.runtime.rpc.options import AUTHORIZATION, BEARER
from yard.runtime.rpc.reading import check_may_change

DEADLINE_S: Final = 120.0
# Probes and tools come without tokens.
OPEN_SERVICES: Final = ("/grpc.health.v1.Health/", "/grpc.reflection.")

# When the present call ends for its caller, on the monotonic clock: calls made for it must end by then.
ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Behaviour = Callable[[Any, Context], Any]


class Boundary:
    """Telemetry, then deadline, then authentication, then the handler; errors of all of them are mapped.

    `public` names methods (`/package.Service/Method`) that need no token.
    """

    def __init__(self, service: str, verifier: TokenVerifier, public: frozenset[str] = frozenset()) -> None:
        self._service = service
        self._verifier = verifier
        self._public = public
        self._watches = _Watches()

    def end_watches(self) -> None:
        """Ends the streams that nobody ends (Watch methods) with Unavailable: the server goes away."""
        self._watches.end()

    def wrap(self, method: str, handler: Any) -> Handler:
        """The handler of `/package.Service/Method` with all that surrounds it."""
        shapes = {
            (False, False): (grpc.unary_unary_rpc_method_handler, handler.unary_unary, _unary),
            (False, True): (grpc.unary_stream_rpc_method_handler, handler.unary_stream, _stream),
            (True, False): (grpc.stream_unary_rpc_method_handler, handler.stream_unary, _unary),
            (True, True): (grpc.stream_stream_rpc_method_handler, handler.stream_stream, _stream),
        }
        make, behaviour, shape = shapes[handler.request_streaming, handler.response_streaming]
        is_single = not handler.request_streaming and not handler.response_streaming
        call = _Method(self._service, method, DEADLINE_S if is_single else None, self._watches)
        wrapped: Handler = make(
            shape(call, behaviour, None if self._is_open(method) else self._verifier),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
        return wrapped

    def _is_open(self, method: str) -> bool:
        return method in self._public or method.startswith(OPEN_SERVICES)


class _Method:
    """What is known of a method before a call; `longest_s` limits calls that come without a deadline."""

    def __init__(self, service: str, name: str, longest_s: float | None, watches: _Watches) -> None:
        self.name = name
        self.watches = watches if "/Watch" in name else None
        self._service = service
        self._longest_s = longest_s
        self._histograms: dict[Any, Any] = {}

    def deadline(self, context: Context) -> float | None:
        """Seconds that the call may take; notes the end for calls that are made for it."""
        remaining: float | None = context.time_remaining()
        limit = self._longest_s if remaining is None else remaining
        if limit is not None:
            ends_at.set(clock.monotonic() + limit)
        return limit

    def traced(self, context: Context) -> AbstractContextManager[None]:
        """A span that goes on with the caller's trace, if traces are on."""
        if not tracing.is_on():
            return nullcontext()
        return tracing.continued(self.name, _strings(context))

    def observe(self, context: Context, started_at: float) -> None:
        """Counts the call under the code that it ended with."""
        code = _code(context)
        histogram = self._histograms.get(code)
        if histogram is None:
            histogram = metrics.rpc_seconds.labels(self._service, self.name, code)
            self._histograms[code] = histogram
        histogram.observe(clock.monotonic() - started_at)


def _unary(method: _Method, behaviour: Behaviour, verifier: TokenVerifier | None) -> Behaviour:
    async def answer(request: Any, context: Context) -> Any:
        started_at = clock.monotonic()
        limit_s = method.deadline(context)
        timeout = asyncio.timeout(limit_s)
        try:
            with method.traced(context):
                async with timeout:
                    await _authenticate(context, verifier, method.name)
                    return await behaviour(request, context)
        except BaseException as fault:  # noqa: BLE001 - the boundary: a handler may raise anything
            is_late = isinstance(fault, TimeoutError) and timeout.expired()
            late = errors.DeadlineExceeded(f"not done within {limit_s or 0:g} s")
            await abort(context, method.name, late if is_late else fault)
        finally:
            method.observe(context, started_at)

    return answer


def _stream(method: _Method, behaviour: Behaviour, verifier: TokenVerifier | None) -> Behaviour:
    async def answer(request: Any, context: Context) -> AsyncIterator[Any]:
        started_at = clock.monotonic()
        try:
            with method.traced(context):
                method.deadline(context)
                await _authenticate(context, verifier, method.name)
                async with aclosing(_responses(behaviour(request, context))) as responses:
                    async for response in method.watches.over(responses) if method.watches else responses:
                        yield response
        except BaseException as fault:  # noqa: BLE001 - the boundary: a handler may raise anything
            await abort(context, method.name, fault)
        finally:
            method.observe(context, started_at)

    return answer


class _Watches:
    """The tasks of streams that last until somebody leaves."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Task[Any]] = set()
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Ends them all with Unavailable; later ones end at once."""
        self._ended.set()
        for task in self._waiting:
            task.cancel()

    async def over(self, responses: AsyncGenerator[Any]) -> AsyncGenerator[Any]:
        """The messages, until the server goes away.

        A task is cancelled only while it waits for a message: cancelled within gRPC's own code, while a
        message leaves, the call would end without a status and its caller would wait for ever.
        """
        while not self._ended.is_set():
            try:
                response = await self._next(responses)
            except StopAsyncIteration:
                return
            yield response
        raise _going_away()

    async def _next(self, responses: AsyncGenerator[Any]) -> Any:
        task = asyncio.current_task()
        assert task is not None
        self._waiting.add(task)
        try:
            return await anext(responses)
        except asyncio.CancelledError as fault:
            if not self._ended.is_set():
                raise
            task.uncancel()
            raise _going_away() from fault
        finally:
            self._waiting.discard(task)


def _going_away() -> errors.Unavailable:
    return errors.Unavailable("the server is going away", reason="DRAINING")


async def _authenticate(context: Context, verifier: TokenVerifier | None, method: str) -> None:
    """Finds out who calls; methods without a verifier are open to all."""
    if verifier is None:
        return
    metadata = dict(context.invocation_metadata() or ())
    value = metadata.get(AUTHORIZATION)
    if isinstance(value, str) and value.startswith(BEARER):
        caller = await verifier.verify(value.removeprefix(BEARER))
        check_may_change(caller, method)
        named = metadata.get(ACTS_FOR)
        become(acting(caller, method, named) if isinstance(named, bytes) else caller)
        return
    raise errors.Unauthenticated("no token came with the call", reason="TOKEN_MISSING")


async def _responses(result: Any) -> AsyncGenerator[Any]:
    """The messages of a handler that is a generator; one that writes to the context by itself gives none."""
    if not isinstance(result, AsyncGenerator):
        await result
        return
    async with aclosing(result) as responses:
        async for response in responses:
            yield response


def _code(context: Context) -> str:
    # The stubs promise a StatusCode; the real thing gives its number.
    code: Any = context.code()
    return code.name if isinstance(code, grpc.StatusCode) else _CODES.get(code or 0, "UNKNOWN")


def _strings(context: Context) -> dict[str, str]:
    return {name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)}


_CODES = {code.value[0]: code.name for code in grpc.StatusCode}
