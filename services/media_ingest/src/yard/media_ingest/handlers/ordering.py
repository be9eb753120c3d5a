"""Parts that are stored a few at a time, and noted in their order."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from yard.media_ingest.handlers.storing import begin

T = TypeVar("T")

PARTS_AT_ONCE = 2


class InOrder(Generic[T]):
    """What is noted is always a beginning without a hole; a fault ends all that come behind it."""

    def __init__(self) -> None:
        self._running: deque[asyncio.Task[None]] = deque()

    async def room(self) -> None:
        """Waits until another part may begin; raises what became of an earlier one."""
        while len(self._running) >= PARTS_AT_ONCE:
            await self._first()

    async def settle(self) -> None:
        """Waits for all; raises the first fault."""
        while self._running:
            await self._first()

    def go(self, store: Awaitable[T], note: Callable[[T], Awaitable[None]]) -> None:
        """Begins to store a part; it is noted once all before it are."""
        before = self._running[-1] if self._running else None
        self._running.append(begin(_run(before, store, note)))

    async def _first(self) -> None:
        await asyncio.shield(self._running[0])
        self._running.popleft()


async def _run(
    before: asyncio.Task[None] | None, store: Awaitable[T], note: Callable[[T], Awaitable[None]]
) -> None:
    stored = await store
    if before is not None:
        await asyncio.shield(before)
    await note(stored)
