"""What runs on the loop, taken by one thread as plain values: a zip is written in a thread."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any, Self, TypeVar

from yard.runtime import errors

T = TypeVar("T")


class Bridge:
    """Made on the loop; `call` and `each` are for the thread, leaving ends what they wait for."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: Future[Any] | None = None
        self._is_closed = False

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What it returns or raises; Cancelled once nobody wants it any more."""
        if self._is_closed:
            coroutine.close()
            raise errors.Cancelled("the work has ended")
        self._waiting = future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except CancelledError as fault:
            raise errors.Cancelled("the work has ended") from fault

    def each(self, stream: AsyncIterator[T]) -> Iterator[T]:
        """The items one by one."""
        while (item := self.call(_next(stream))) is not None:
            yield item

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closed = True
        if self._waiting is not None:
            self._waiting.cancel()


async def _next(stream: AsyncIterator[T]) -> T | None:
    return await anext(stream, None)
