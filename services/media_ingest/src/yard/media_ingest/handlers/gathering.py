"""Bytes on their way into a part: gathered without copies, stored one part at a time beside the stream."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from yard.media_ingest.handlers.storing import begin


class Gathering:
    """Pieces that have come and belong to no part yet."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size_bytes = 0

    def add(self, piece: bytes) -> None:
        """The next bytes."""
        self._pieces.append(piece)
        self.size_bytes += len(piece)

    def take(self) -> bytes:
        """All of it, and begins anew."""
        content = b"".join(self._pieces) if len(self._pieces) != 1 else self._pieces[0]
        self._pieces = []
        self.size_bytes = 0
        return content


class OneAtATime:
    """Stores a part while the next one is gathered: there are never more than two in memory."""

    def __init__(self) -> None:
        self._running: asyncio.Task[None] | None = None

    async def settle(self) -> None:
        """Waits for the part that is on its way; raises what became of it."""
        if self._running is not None:
            await asyncio.shield(self._running)

    async def ended(self) -> None:
        """Waits for the part that is on its way, whatever becomes of it."""
        if self._running is not None:
            await asyncio.wait([self._running])

    def go(self, storing: Coroutine[Any, Any, None]) -> None:
        """Begins with a part once `settle` has returned."""
        self._running = begin(storing)
