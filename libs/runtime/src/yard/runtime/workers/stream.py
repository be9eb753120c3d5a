"""A call whose emitted bytes are iterated over while it runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

Run = Callable[[Callable[[bytes], Awaitable[None]]], Coroutine[Any, Any, dict[str, Any]]]


class Stream:
    """`async with` it, then `async for` over it; the call's errors are raised by the iteration.

    Leaving the block before the end kills the child. At most 4 MiB are on their way.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)
        self._task: asyncio.Task[dict[str, Any]] | None = None
        self._is_left = False

    async def __aenter__(self) -> "Stream":
        self._task = asyncio.create_task(self._produce())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._task is not None
        self._is_left = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert self._task is not None
        while (chunk := await self._chunks.get()) is not None:
            yield chunk
        await self._task

    @property
    def result(self) -> dict[str, Any]:
        """What the function returned; only after the iteration has ended."""
        assert self._task is not None
        return self._task.result()

    async def _produce(self) -> dict[str, Any]:
        try:
            return await self._run(self._chunks.put)
        finally:
            if not self._is_left:
                await self._chunks.put(None)
