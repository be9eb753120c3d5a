"""Bytes on their way: cut to size, bridged between tasks with back-pressure, read exactly."""

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from yard.runtime import errors

T = TypeVar("T")


async def rechunk(chunks: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """The same bytes in pieces of exactly `size`; the last one may be shorter and is never empty."""
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)


class Reader:
    """Reads an exact number of bytes from pieces of any length."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._held = bytearray()

    async def read_exactly(self, size: int) -> bytes:
        """The next `size` bytes; DataLoss if the stream ends before."""
        while len(self._held) < size:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                raise errors.DataLoss(f"expected {size} bytes, the stream ended after {len(self._held)}")
            self._held += chunk
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken


async def read_exactly(chunks: AsyncIterator[bytes], size: int) -> bytes:
    """The first `size` bytes of a stream; DataLoss if it ends before, what comes behind them is lost."""
    return await Reader(chunks).read_exactly(size)


class PipeClosed(errors.Cancelled):
    """The reader has left: nobody wants what is written."""


class Pipe(Generic[T]):
    """One writer task, one reader task, at most `capacity` items between them.

    The reader iterates; `fail` hands an error over behind what was written. When the reader leaves (`close`),
    a writer that waits and all later writes raise PipeClosed.
    """

    def __init__(self, capacity: int = 4) -> None:
        self._capacity = capacity
        self._items: list[T] = []
        self._changed = asyncio.Condition()
        self._fault: BaseException | None = None
        self._is_finished = False
        self._is_closed = False

    async def write(self, item: T) -> None:
        """Waits for room; PipeClosed when nobody reads any more."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._is_closed or len(self._items) < self._capacity)
            if self._is_closed:
                raise PipeClosed("the reader has left")
            self._items.append(item)
            self._changed.notify_all()

    async def finish(self) -> None:
        """Ends the iteration behind the last item."""
        await self._end(None)

    async def fail(self, fault: BaseException) -> None:
        """Makes the iteration raise `fault` behind the last item."""
        await self._end(fault)

    async def close(self) -> None:
        """The reader leaves; what was not read is dropped."""
        async with self._changed:
            self._is_closed = True
            self._items.clear()
            self._changed.notify_all()

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            async with self._changed:
                await self._changed.wait_for(self._has_news)
                if not self._items:
                    break
                item = self._items.pop(0)
                self._changed.notify_all()
            yield item
        if self._fault is not None:
            raise self._fault

    def _has_news(self) -> bool:
        return bool(self._items) or self._is_finished or self._is_closed

    async def _end(self, fault: BaseException | None) -> None:
        async with self._changed:
            self._fault = fault
            self._is_finished = True
            self._changed.notify_all()
