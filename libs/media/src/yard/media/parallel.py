"""Order-keeping parallel work in threads, for code that releases the interpreter lock."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(function: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """`map` with `threads` threads; at most one item more than threads is taken ahead of what was yielded.

    What is ready is yielded before the next item is taken.
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="media") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                while waiting and (len(waiting) > threads or waiting[0].done()):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def first_at_once(function: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """As `in_order`, but the first result is there before the second item is taken."""
    rest = iter(items)
    for item in rest:
        yield function(item)
        yield from in_order(function, rest, threads)
