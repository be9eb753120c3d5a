"""A balancer that gives every request to the next gateway."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle

import httpx

_PIECE = 1 << 16


@dataclass(slots=True)
class Balancer:
    """`served` counts the requests by gateway."""

    url: str = ""
    served: Counter[str] = field(default_factory=Counter)


@asynccontextmanager
async def round_robin(gateways: Sequence[httpx.URL]) -> AsyncIterator[Balancer]:
    """In front of the gateways; a connection is closed after one request, so that the next goes elsewhere."""
    turns = cycle(gateways)
    balancer = Balancer()
    open_ends: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            writer.close()
            return
        gateway = next(turns)
        balancer.served[str(gateway)] += 1
        back, there = await asyncio.open_connection(gateway.host, gateway.port)
        there.write(_alone(head))
        open_ends.update((writer, there))
        sending = asyncio.create_task(_copy(reader, there))
        await _copy(back, writer)
        sending.cancel()
        for end in (writer, there):
            end.close()
            open_ends.discard(end)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    async with server:
        balancer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield balancer
        for end in open_ends:
            end.close()


def _alone(head: bytes) -> bytes:
    """The head of a request that is the last of its connection."""
    rest = re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head[:-4])
    return rest + b"\r\nConnection: close\r\n\r\n"


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while piece := await source.read(_PIECE):
            target.write(piece)
            await target.drain()
    except ConnectionError:
        return
