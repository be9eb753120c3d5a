"""A server with one method of each shape, whose behaviour a test chooses."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import grpc
import grpc.aio
from google.protobuf.wrappers_pb2 import StringValue
from yard.runtime import auth, rpc
from yard.runtime.auth import Principal, TokenIssuer, TokenVerifier
from yard.runtime.rpc import Servicer

NAME = "probe.v1.Probe"
ANN = Principal(user_id=7, username="ann", role="user")

Unary = Callable[[str], Awaitable[str]]


async def echo(text: str) -> str:
    return text


@dataclass
class Probe:
    """`answer` gives the answer to a text; the streams answer it for each of their messages."""

    answer: Unary = echo
    callers: list[Principal] = field(default_factory=list)
    metadata: list[dict[str, Any]] = field(default_factory=list)
    seconds_left: list[float | None] = field(default_factory=list)

    async def one(self, request: StringValue, context: Any) -> StringValue:
        """Unary."""
        self.callers.append(auth.current())
        self.metadata.append(dict(context.invocation_metadata()))
        self.seconds_left.append(context.time_remaining())
        return StringValue(value=await self.answer(request.value))

    async def open(self, request: StringValue, context: Any) -> StringValue:
        """Unary, without a caller."""
        return StringValue(value=await self.answer(request.value))

    async def many(self, request: StringValue, context: Any) -> AsyncIterator[StringValue]:
        """A server stream: each word."""
        for word in request.value.split():
            yield StringValue(value=await self.answer(word))

    async def gathered(self, requests: AsyncIterator[StringValue], context: Any) -> StringValue:
        """A client stream."""
        return StringValue(value=" ".join([await self.answer(request.value) async for request in requests]))

    async def both(self, requests: AsyncIterator[StringValue], context: Any) -> AsyncIterator[StringValue]:
        """Both ways."""
        async for request in requests:
            yield StringValue(value=await self.answer(request.value))

    def servicer(self) -> Servicer:
        """For the server."""
        return add, self, NAME


def add(probe: Any, server: grpc.aio.Server) -> None:
    """Registers the methods, as generated code does."""
    shapes = {
        "One": (grpc.unary_unary_rpc_method_handler, probe.one),
        "Open": (grpc.unary_unary_rpc_method_handler, probe.open),
        "Many": (grpc.unary_stream_rpc_method_handler, probe.many),
        "WatchMany": (grpc.unary_stream_rpc_method_handler, probe.many),
        "Gathered": (grpc.stream_unary_rpc_method_handler, probe.gathered),
        "Both": (grpc.stream_stream_rpc_method_handler, probe.both),
    }
    handlers = {
        name: make(
            behaviour,
            request_deserializer=StringValue.FromString,
            response_serializer=StringValue.SerializeToString,
        )
        for name, (make, behaviour) in shapes.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))


class Stub:
    """Calls the methods through any channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        codec = {
            "request_serializer": StringValue.SerializeToString,
            "response_deserializer": StringValue.FromString,
        }
        made = cast("Any", channel)
        self._one = made.unary_unary(f"/{NAME}/One", **codec)
        self._open = made.unary_unary(f"/{NAME}/Open", **codec)
        self._many = made.unary_stream(f"/{NAME}/Many", **codec)
        self._watch = made.unary_stream(f"/{NAME}/WatchMany", **codec)
        self._gathered = made.stream_unary(f"/{NAME}/Gathered", **codec)
        self._both = made.stream_stream(f"/{NAME}/Both", **codec)

    async def one(self, text: str = "x", **how: Any) -> str:
        """Unary."""
        return str((await self._one(StringValue(value=text), **how)).value)

    async def open(self, text: str = "x") -> str:
        """Unary, without a token."""
        return str((await self._open(StringValue(value=text))).value)

    async def many(self, text: str) -> list[str]:
        """All of a server stream."""
        return [answer.value async for answer in self._many(StringValue(value=text))]

    async def watch(self, text: str) -> AsyncIterator[str]:
        """A server stream that is a Watch method."""
        async for answer in self._watch(StringValue(value=text)):
            yield answer.value

    async def gathered(self, *texts: str) -> str:
        """A client stream."""
        return str((await self._gathered(StringValue(value=text) for text in texts)).value)

    async def both(self, *texts: str) -> list[str]:
        """Both ways."""
        return [answer.value async for answer in self._both(StringValue(value=text) for text in texts)]


@dataclass(frozen=True, kw_only=True)
class Serving:
    """A server that runs; `token(principal)` is good for it."""

    address: str
    server: rpc.Server
    boundary: rpc.Boundary
    issuer: TokenIssuer

    def token(self, principal: Principal = ANN) -> str:
        """A token for the caller."""
        return self.issuer.issue(principal).token

    @asynccontextmanager
    async def channel(self, principal: Principal | None = ANN) -> AsyncIterator[grpc.aio.Channel]:
        """A channel that acts for the caller; None for nobody."""
        async with rpc.channel(self.address, token=self.token(principal) if principal else None) as channel:
            yield channel


@asynccontextmanager
async def serve(*servicers: Servicer, listen: str = "127.0.0.1:0") -> AsyncIterator[Serving]:
    """A server with these for the length of the block; Open needs no token."""
    issuer = TokenIssuer.generate()
    verifier = TokenVerifier.from_jwks(issuer.jwks)
    boundary = rpc.Boundary("probe", verifier, frozenset({f"/{NAME}/Open"}))
    server = rpc.Server(listen, boundary, servicers, reflection=True)
    address = await server.start()
    try:
        yield Serving(address=address, server=server, boundary=boundary, issuer=issuer)
    finally:
        await server.stop(0)


async def fault_of(call: Awaitable[object]) -> grpc.aio.AioRpcError:
    """What the call is refused with."""
    try:
        await call
    except grpc.aio.AioRpcError as fault:
        return fault
    raise AssertionError("the call was answered")
