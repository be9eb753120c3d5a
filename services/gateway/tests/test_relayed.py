"""Answers whose bytes come from somewhere else."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from starlette.types import Message
from yard.gateway.edge.relayed import Relayed

PIECES = (b"a", b"bc", b"d")


class Client:
    """Leaves after so many pieces; None: it stays."""

    def __init__(self, leaves_after: int | None = None) -> None:
        self._leaves_after = leaves_after
        self._leaves, self._has_left = asyncio.Event(), asyncio.Event()
        self.came: list[Message] = []

    async def receive(self) -> Message:
        await self._leaves.wait()
        self._has_left.set()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.came.append(message)
        if self._leaves_after is not None and len(self.came) > self._leaves_after:
            self._leaves.set()
            await self._has_left.wait()

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.came[1:])


class Source:
    """Pieces, and what became of them; `fault` comes at the end of them."""

    def __init__(self, fault: Exception | None = None) -> None:
        self._fault = fault
        self.read = 0
        self.is_closed = False

    async def pieces(self) -> AsyncGenerator[bytes]:
        try:
            for piece in PIECES:
                self.read += 1
                yield piece
            if self._fault is not None:
                raise self._fault
        finally:
            self.is_closed = True


async def relay(client: Client, source: Source) -> None:
    answer = Relayed(source.pieces(), 206, {"Content-Length": "4"}, "application/zip")
    await answer({"type": "http"}, client.receive, client.send)


async def test_all_pieces_come_and_then_the_end() -> None:
    client, source = Client(), Source()
    await relay(client, source)
    start, *pieces = client.came
    assert start["status"] == 206
    assert dict(start["headers"]) == {b"content-length": b"4", b"content-type": b"application/zip"}
    assert [(piece["body"], piece["more_body"]) for piece in pieces] == [
        *((piece, True) for piece in PIECES),
        (b"", False),
    ]
    assert source.is_closed


async def test_nothing_is_read_for_a_client_that_is_gone() -> None:
    client, source = Client(leaves_after=1), Source()
    await relay(client, source)
    assert (client.body, source.read, source.is_closed) == (b"a", 2, True)


async def test_what_breaks_off_has_no_end() -> None:
    client, source = Client(), Source(RuntimeError("cut"))
    with pytest.raises(RuntimeError, match="cut"):
        await relay(client, source)
    assert (client.body, client.came[-1]["more_body"]) == (b"abcd", True)


async def test_an_answer_that_is_given_up_closes_its_source() -> None:
    client, source, has_begun = Client(), Source(), asyncio.Event()

    async def never(message: Message) -> None:
        has_begun.set()
        await asyncio.Event().wait()

    answer = Relayed(source.pieces(), 200, {}, "application/zip")
    task = asyncio.create_task(answer({"type": "http"}, client.receive, never))
    await has_begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(asyncio.all_tasks()) == 1
