"""Server-sent events: what happens, as it happens, with a sign of life in between.

A stream ends after some minutes at the latest; browsers connect again, and learn what is so then.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import orjson
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from yard.gateway.edge.failures import body_of
from yard.gateway.upstream.caller import Caller
from yard.runtime import clock, errors

HEARTBEAT_S: Final = 15.0
LONGEST_S: Final = 600.0
MOST_OPEN: Final = 50
MEDIA_TYPE: Final = "text/event-stream"
DESCRIBED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events; lines that begin with a colon are signs of life.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}


class OpenStreams:
    """How many streams each caller has open here; one of them may have 50."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @contextmanager
    def one_more(self, caller: Caller) -> Iterator[None]:
        """Counts for the length of the block; ResourceExhausted if that is one too many."""
        name = caller.principal.subject
        if self._open[name] >= MOST_OPEN:
            raise errors.ResourceExhausted(
                f"{MOST_OPEN} streams are open already: close one first",
                HEARTBEAT_S,
                reason="TOO_MANY_STREAMS",
            )
        self._open[name] += 1
        try:
            yield
        finally:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]


def event(kind: str, data: Any, event_id: str = "") -> bytes:
    """One event with JSON."""
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {kind}\ndata: ".encode() + orjson.dumps(data) + b"\n\n"


async def stream(request: Request, caller: Caller, events: AsyncGenerator[bytes]) -> Response:
    """The answer; what goes wrong before the first event is an answer of its own."""
    streams: OpenStreams = request.app.state.streams
    with streams.one_more(caller):
        first = await anext(events, b"")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_counted(streams, caller, first, events), media_type=MEDIA_TYPE, headers=headers)


async def _counted(
    streams: OpenStreams, caller: Caller, first: bytes, events: AsyncGenerator[bytes]
) -> AsyncIterator[bytes]:
    with streams.one_more(caller):
        yield first
        async for piece in with_heartbeat(events):
            yield piece


async def with_heartbeat(
    events: AsyncGenerator[bytes], *, heartbeat_s: float = HEARTBEAT_S, longest_s: float = LONGEST_S
) -> AsyncIterator[bytes]:
    """The events, with a comment where none came for a while; an error becomes the last event."""
    end = clock.monotonic() + longest_s
    pending = asyncio.ensure_future(_next(events))
    try:
        while (left_s := end - clock.monotonic()) > 0:
            done, _ = await asyncio.wait({pending}, timeout=min(heartbeat_s, left_s))
            if not done:
                yield b":\n\n"
                continue
            piece = pending.result()
            if piece is None:
                return
            yield piece
            pending = asyncio.ensure_future(_next(events))
    except errors.YardError as fault:
        yield event("error", body_of(fault))
    finally:
        pending.cancel()
        with suppress(asyncio.CancelledError, errors.YardError):
            await pending
        await events.aclose()


async def _next(events: AsyncGenerator[bytes]) -> bytes | None:
    return await anext(events, None)
