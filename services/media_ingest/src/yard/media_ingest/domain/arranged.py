"""A sequence in another order, without another copy of what is in it."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from yard.media.lazy_sequence import LazySequence

T = TypeVar("T")


class Arranged(LazySequence[T]):
    """The items at some positions, in the order of these."""

    def __init__(self, items: Sequence[T], positions: Iterable[int]) -> None:
        self._items = items
        self._positions = array("Q", positions)

    def __len__(self) -> int:
        return len(self._positions)

    def item(self, number: int) -> T:
        """The one that comes then."""
        return self._items[self._positions[number]]

    def __iter__(self) -> Iterator[T]:
        return map(self._items.__getitem__, self._positions)
