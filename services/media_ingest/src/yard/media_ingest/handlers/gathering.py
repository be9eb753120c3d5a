"""Bytes on their way into a part: gathered without copies, stored one part at a time beside the stream."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from yard.media_ingest.handlers.storing import begin


class Gathering:
    """Pieces that have come and belong to no part yet."""

    def __init__(self) -> None:
        self._pieces: list[bytes | memoryview] = []
        self.size_bytes = 0

    def add(self, piece: bytes) -> None:
        """The next bytes."""
        self._pieces.append(piece)
        self.size_bytes += len(piece)

    def take(self) -> bytes:
        """All of it, and begins anew."""
        pieces, self._pieces, self.size_bytes = self._pieces, [], 0
        return _joined(pieces)

    def take_first(self, size_bytes: int) -> bytes:
        """The first of so many bytes as there are or more; the rest stays."""
        taken, left = [], size_bytes
        while left:
            piece = self._pieces.pop(0)
            if len(piece) > left:
                whole = memoryview(piece)
                piece = whole[:left]
                self._pieces.insert(0, whole[left:])
            taken.append(piece)
            left -= len(piece)
        self.size_bytes -= size_bytes
        return _joined(taken)


def _joined(pieces: Sequence[bytes | memoryview]) -> bytes:
    return pieces[0] if len(pieces) == 1 and isinstance(pieces[0], bytes) else b"".join(pieces)


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
