"""Server-sent events."""

import asyncio
from collections.abc import AsyncGenerator

from yard.gateway.edge.streaming import event, with_heartbeat
from yard.runtime import errors


def test_an_event_is_text_with_one_line_of_json() -> None:
    assert event("operation", {"text": "a\nb"}, "7") == b'id: 7\nevent: operation\ndata: {"text":"a\\nb"}\n\n'


async def test_silence_is_filled_with_signs_of_life() -> None:
    go_on = asyncio.Event()

    async def slow() -> AsyncGenerator[bytes]:
        yield b"a"
        await go_on.wait()
        yield b"b"

    came = []
    async for piece in with_heartbeat(slow(), heartbeat_s=0.01):
        came.append(piece)
        if came.count(b":\n\n") == 3:
            go_on.set()
    assert (came[0], came[-1]) == (b"a", b"b")
    assert came.count(b":\n\n") >= 3


async def test_a_fault_is_the_last_event() -> None:
    async def broken() -> AsyncGenerator[bytes]:
        yield b"a"
        raise errors.Unavailable("gone")

    came = [piece async for piece in with_heartbeat(broken())]
    assert came[0] == b"a"
    assert b"event: error" in came[1]
    assert b"gone" in came[1]


async def test_a_stream_ends_in_time_and_closes_its_source() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[bytes]:
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            closed.set()

    assert [piece async for piece in with_heartbeat(endless(), heartbeat_s=60, longest_s=0.05)] == [b":\n\n"]
    assert closed.is_set()
