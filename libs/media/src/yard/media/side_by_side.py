"""Parts of a whole made at the same time by threads that each make one from its start to its end."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R", bound=Sized)

MOST_BYTES = 48 << 20
"""What may wait for results that come before it."""


def side_by_side(
    parts: Sequence[T], makers: Sequence[Callable[[T], Iterable[R]]], most_bytes: int = MOST_BYTES
) -> Generator[R]:
    """The results of all parts in order; each maker belongs to one thread, and makes a part at a time.

    A part is begun when all but one a maker of those before it are yielded. Results of later parts wait in
    memory, up to `most_bytes`; then their makers do. All threads have ended when this is closed.
    """
    return _SideBySide(parts, makers, most_bytes).results()


class _SideBySide(Generic[T, R]):
    """What the threads know of one another."""

    def __init__(
        self, parts: Sequence[T], makers: Sequence[Callable[[T], Iterable[R]]], most_bytes: int
    ) -> None:
        self._parts = parts
        self._makers = makers
        self._most_bytes = most_bytes
        self._changed = Condition()
        self._made: list[deque[R]] = [deque() for _ in parts]
        self._ended: dict[int, BaseException | None] = {}
        """Parts of which there are no more results, and the fault that was the reason."""
        self._begun = self._current = self._bytes = 0
        self._is_stopped = False

    def results(self) -> Generator[R]:
        with ThreadPoolExecutor(len(self._makers), thread_name_prefix="media") as pool:
            try:
                for maker in self._makers:
                    pool.submit(self._work, maker)
                for part in range(len(self._parts)):
                    while (result := self._next(part)) is not None:
                        yield result
            finally:
                with self._changed:
                    self._is_stopped = True
                    self._changed.notify_all()

    def _next(self, part: int) -> R | None:
        with self._changed:
            if self._current != part:
                self._current = part
                self._changed.notify_all()
            made = self._made[part]
            self._changed.wait_for(lambda: made or part in self._ended)
            if not made:
                if (fault := self._ended[part]) is not None:
                    raise fault
                return None
            self._bytes -= len(made[0])
            self._changed.notify_all()
            return made.popleft()

    def _work(self, maker: Callable[[T], Iterable[R]]) -> None:
        while (part := self._next_part()) is not None:
            fault: BaseException | None = None
            try:
                for result in maker(self._parts[part]):
                    if not self._take(part, result):
                        break
            except BaseException as raised:  # noqa: BLE001 - raised where its result would have come
                fault = raised
            with self._changed:
                self._ended[part] = fault
                self._changed.notify_all()

    def _next_part(self) -> int | None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopped or self._is_all_begun() or self._is_near())
            if self._is_stopped or self._is_all_begun():
                return None
            self._begun += 1
            return self._begun - 1

    def _take(self, part: int, result: R) -> bool:
        """Waits until there is room; False if nobody wants it any more."""
        size = len(result)
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_stopped or part == self._current or self._bytes + size <= self._most_bytes
            )
            self._bytes += size
            self._made[part].append(result)
            self._changed.notify_all()
            return not self._is_stopped

    def _is_all_begun(self) -> bool:
        return self._begun == len(self._parts)

    def _is_near(self) -> bool:
        return self._begun <= self._current + len(self._makers)
