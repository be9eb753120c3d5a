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

    The file goes when the writing has ended and the last reader has left. With a `window`, for one reader
    only, the file holds no more than so many bytes, and the writer waits for the reader.
    """

    def __init__(self, window: int = 0) -> None:
        self._window = window
        self._taken = 0  # bytes that the reader of a window does not need any more
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
        await self._grow(len(content[:room]))
        step = self._window or max(1, len(content))
        for start in range(room, len(content), step):
            part = content[start : start + step]
            await self._wait_for_room(len(part))
            await self._spill(part)
            await self._grow(len(part))

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
            self._taken = offset
            self._changed.notify_all()
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

    async def _grow(self, length: int) -> None:
        async with self._changed:
            self.size_bytes += length
            self._changed.notify_all()

    async def _wait_for_room(self, length: int) -> None:
        if self._window:
            async with self._changed:
                await self._changed.wait_for(lambda: self.size_bytes + length - self._taken <= self._window)

    async def _spill(self, content: bytes) -> None:
        """Writes behind what is there, from the start of the file again where a window ends."""
        position = self._place(self.size_bytes)
        room = self._window - position if self._window else len(content)
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed after the last reader
            await asyncio.to_thread(_write, self._file.fileno(), content[:room], position)
            if len(content) > room:
                await asyncio.to_thread(_write, self._file.fileno(), content[room:], 0)
        except OSError as fault:
            raise errors.ResourceExhausted("the scratch space is full", 5.0) from fault

    async def _read(self, offset: int, length: int) -> bytes:
        if offset < len(self._memory):
            return bytes(self._memory[offset : offset + length])
        assert self._file is not None
        position = self._place(offset)
        if self._window:
            length = min(length, self._window - position)
        return await asyncio.to_thread(os.pread, self._file.fileno(), length, position)

    def _place(self, offset: int) -> int:
        """Where a byte lies in the file."""
        position = offset - len(self._memory)
        return position % self._window if self._window else position

    def _close_if_unused(self) -> None:
        if self._is_ended and self._readers <= 0 and self._file is not None:
            self._file.close()


def _write(descriptor: int, content: bytes, position: int) -> None:
    while content:
        written = os.pwrite(descriptor, content, position)
        content, position = content[written:], position + written


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
