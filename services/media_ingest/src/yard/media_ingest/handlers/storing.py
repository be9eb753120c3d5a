"""Storing that goes on when the call which began it is cancelled: half stored is the worst state to be in."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from yard.runtime import telemetry

T = TypeVar("T")

_log = telemetry.log(__name__)
_begun: set[asyncio.Task[Any]] = set()


async def to_the_end(storing: Coroutine[Any, Any, T]) -> T:
    """The result; a cancelled caller does not end it."""
    return await asyncio.shield(begin(storing))


def begin(storing: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Runs it beside the call, and notes how it ends."""
    task = asyncio.create_task(storing)
    _begun.add(task)
    task.add_done_callback(_ended)
    return task


async def end_storing() -> None:
    """Waits for what is still stored of streams that were cut."""
    while _begun:
        await asyncio.wait(_begun)


def _ended(task: asyncio.Task[Any]) -> None:
    _begun.discard(task)
    if not task.cancelled() and (fault := task.exception()) is not None:
        _log.info("upload_not_stored", error=repr(fault))
