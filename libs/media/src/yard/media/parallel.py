"""Order-keeping parallel work in threads, for code that releases the interpreter lock."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(function: Callable[[T], R], items: Iterable[T], threads: int, ahead: int = 0) -> Iterator[R]:
    """`map` with `threads` threads; at most one item more than `ahead` is taken ahead of what was yielded.

    `ahead` is at least the number of threads; more pays where to take an item is work that comes in bursts.
    What is ready is yielded before the next item is taken.
    """
    ahead = max(ahead, threads)
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="media") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                while waiting and (len(waiting) > ahead or waiting[0].done()):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def first_at_once(
    function: Callable[[T], R], items: Iterable[T], threads: int, ahead: int = 0
) -> Iterator[R]:
    """As `in_order`, but the first result is there before the second item is taken."""
    rest = iter(items)
    for item in rest:
        yield function(item)
        yield from in_order(function, rest, threads, ahead)
