"""Heads of requests that do not end, or are none."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState
from yard.gateway.edge import protocol
from yard.gateway.edge.protocol import LONGEST_URL, MOST_HEAD_BYTES, Protocol

GET = b"GET /a HTTP/1.1\r\nhost: a\r\n\r\n"


async def app(_scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def address() -> AsyncIterator[tuple[str, int]]:
    """A server with this protocol."""
    config = uvicorn.Config(app, http=Protocol, lifespan="off", log_config=None)
    config.load()
    loop, state = asyncio.get_running_loop(), ServerState()
    server = await loop.create_server(lambda: Protocol(config, state, {}, loop), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[:2]


async def answered(address: tuple[str, int], *sent: bytes) -> tuple[int, Any]:
    """Status and JSON of the last answer, after which the connection is closed."""
    reader, writer = await asyncio.open_connection(*address)
    for piece in sent:
        writer.write(piece)
    head, _, body = (await asyncio.wait_for(reader.read(), 30)).rpartition(b"\r\n\r\n")
    writer.close()
    return int(head.rpartition(b"HTTP/1.1 ")[2][:3]), json.loads(body)


@pytest.mark.parametrize("before", [b"", GET])
@pytest.mark.parametrize(
    ("begin", "piece"),
    [(b"GET /", b"x" * 1024), (GET[:-2] + b"a: ", b"x" * 1024), (GET[:-2], b"name: value\r\n" * 80)],
    ids=["address", "header", "headers"],
)
async def test_a_head_without_end_is_cut(
    address: tuple[str, int], before: bytes, begin: bytes, piece: bytes
) -> None:
    pieces = [piece] * (MOST_HEAD_BYTES // len(piece) + 2)
    status, told = await answered(address, before, begin, *pieces)
    assert (status, str(MOST_HEAD_BYTES) in told["detail"]) == (431, True)


async def test_what_is_no_request_is_refused_in_json(address: tuple[str, int]) -> None:
    status, told = await answered(address, b"hello\r\n\r\n")
    assert (status, "Invalid" in told["detail"]) == (400, True)
    status, told = await answered(address, GET.replace(b"/a", b"/" + b"a" * LONGEST_URL))
    assert (status, str(LONGEST_URL) in told["detail"]) == (414, True)


async def test_who_sends_no_head_is_not_waited_for(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "LONGEST_HEAD_S", 0.05)
    for sent in (b"", GET[:-2]):
        assert (await answered(address, sent))[0] == 408


async def test_a_long_body_is_no_head(address: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*address)
    length = 3 * MOST_HEAD_BYTES
    for _ in range(2):
        writer.write(b"PUT /a HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % length + b"x" * length)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
    writer.close()
