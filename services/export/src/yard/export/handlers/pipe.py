"""Bytes on their way from the loop to a thread, a bounded number of them ahead."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from contextlib import aclosing

AHEAD_BYTES = 4_194_304
TIMEOUT_S = 600.0


class Pipe:
    """Reads a stream on the loop as soon as it is made; `take` is called in one thread, `close` in any."""

    def __init__(self, stream: AsyncGenerator[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0
        self._is_over = False
        self._changed = asyncio.Condition()
        self._taking: Future[bytes] | None = None
        self._filling = asyncio.run_coroutine_threadsafe(self._fill(stream), loop)

    def take(self) -> bytes:
        """All that is at hand, at least something, or what the stream raised; empty: it is over."""
        self._taking = asyncio.run_coroutine_threadsafe(self._take(), self._loop)
        taken = self._taking.result(TIMEOUT_S)
        if not taken:
            self._filling.result(TIMEOUT_S)
        return taken

    def close(self) -> None:
        """Ends the stream; who takes is told so by Cancelled."""
        self._filling.cancel()
        if self._taking is not None:
            self._taking.cancel()

    async def _fill(self, stream: AsyncGenerator[bytes]) -> None:
        try:
            async with aclosing(stream):
                async for piece in stream:
                    await self._put(piece)
        finally:
            self._is_over = True
            async with self._changed:
                self._changed.notify_all()

    async def _put(self, piece: bytes) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._size < AHEAD_BYTES)
            self._held.append(piece)
            self._size += len(piece)
            self._changed.notify_all()

    async def _take(self) -> bytes:
        async with self._changed:
            await self._changed.wait_for(lambda: self._held or self._is_over)
            taken = b"".join(self._held)
            self._held.clear()
            self._size = 0
            self._changed.notify_all()
        return taken
