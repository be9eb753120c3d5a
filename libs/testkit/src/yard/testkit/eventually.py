"""The one way in which tests wait."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

_FIRST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.1


@overload
async def eventually(check: Callable[[], Awaitable[T]], timeout_s: float = 30.0) -> T: ...
@overload
async def eventually(check: Callable[[], T], timeout_s: float = 30.0) -> T: ...
async def eventually(check: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    """Repeats `check` until it gives something true, and returns that; an AssertionError is "not yet"."""
    deadline = time.monotonic() + timeout_s
    pause = _FIRST_PAUSE_S
    while True:
        value, failure = await _attempt(check)
        if failure is None and value:
            return value
        if time.monotonic() > deadline:
            raise failure or AssertionError(f"not within {timeout_s} s: the check last gave {value!r}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_S)


async def _attempt(check: Callable[[], Any]) -> tuple[Any, AssertionError | None]:
    try:
        result = check()
        return (await result if inspect.isawaitable(result) else result), None
    except AssertionError as failure:
        return None, failure
