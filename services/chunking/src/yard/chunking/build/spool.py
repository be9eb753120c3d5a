"""Bytes that one writes and several read from the start, at their own pace, while they come."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from typing import IO

from yard.runtime import errors

MEMORY_BYTES = 4 << 20
PIECE_BYTES = 1 << 20


class Spool:
    """The first 4 MiB stay in memory, the rest goes to an unnamed temporary file.

    The file goes when the writing has ended and the last reader has left.
    """

    def __init__(self) -> None:
        self.size_bytes = 0
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._changed = asyncio.Condition()
        self._readers = 0
        self._is_ended = False
        self._fault: BaseException | None = None

    async def append(self, content: bytes) -> None:
        """Adds bytes; ResourceExhausted if the disk is full."""
        room = max(0, MEMORY_BYTES - len(self._memory))
        self._memory += content[:room]
        if len(content) > room:
            await self._spill(content[room:])
        async with self._changed:
            self.size_bytes += len(content)
            self._changed.notify_all()

    async def finish(self) -> None:
        """All bytes are there."""
        await self._end(None)

    async def fail(self, fault: BaseException) -> None:
        """No more bytes will come; readers get the fault behind those that are there. Not after `finish`."""
        await self._end(fault)

    def reader(self) -> "Reader":
        """A reader from the start, to be closed; to be asked for before all others have left."""
        self._readers += 1
        return Reader(self)

    async def piece(self, offset: int) -> bytes:
        """The next bytes from `offset`, at most 1 MiB; empty at the end. Waits for them."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.size_bytes > offset or self._is_ended)
        length = min(PIECE_BYTES, self.size_bytes - offset)
        if length:
            return await self._read(offset, length)
        if self._fault is not None:
            raise self._fault
        return b""

    def leave(self) -> None:
        """A reader is done."""
        self._readers -= 1
        self._close_if_unused()

    async def _end(self, fault: BaseException | None) -> None:
        async with self._changed:
            if not self._is_ended:
                self._fault = fault
                self._is_ended = True
            self._changed.notify_all()
        self._close_if_unused()

    async def _spill(self, content: bytes) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed after the last reader
            await asyncio.to_thread(self._file.write, content)
        except OSError as fault:
            raise errors.ResourceExhausted("the scratch space is full", 5.0) from fault

    async def _read(self, offset: int, length: int) -> bytes:
        if offset < len(self._memory):
            return bytes(self._memory[offset : offset + length])
        assert self._file is not None
        return await asyncio.to_thread(os.pread, self._file.fileno(), length, offset - len(self._memory))

    def _close_if_unused(self) -> None:
        if self._is_ended and self._readers <= 0 and self._file is not None:
            self._file.close()


class Reader:
    """Iterates over a spool's bytes in pieces of at most 1 MiB."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        offset = 0
        while piece := await self._spool.piece(offset):
            offset += len(piece)
            yield piece

    def close(self) -> None:
        """Lets the spool go."""
        if not self._is_closed:
            self._is_closed = True
            self._spool.leave()
