"""A sequence in another order, without another copy of what is in it."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class Arranged(Sequence[T]):
    """The items at some positions, in the order of these."""

    def __init__(self, items: Sequence[T], positions: Iterable[int]) -> None:
        self._items = items
        self._positions = array("Q", positions)

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, wanted: int) -> T: ...
    @overload
    def __getitem__(self, wanted: slice) -> list[T]: ...

    def __getitem__(self, wanted: int | slice) -> T | list[T]:
        if isinstance(wanted, slice):
            return [self._items[position] for position in self._positions[wanted]]
        return self._items[self._positions[wanted]]

    def __iter__(self) -> Iterator[T]:
        return map(self._items.__getitem__, self._positions)
