"""Sequences of very many items, each of which is made anew when somebody asks for it."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class LazySequence(Sequence[T]):
    """Subclasses know their length and how to make one item."""

    @abstractmethod
    def item(self, number: int) -> T:
        """The one at this position, from 0 to less than the length."""

    @overload
    def __getitem__(self, wanted: int) -> T: ...
    @overload
    def __getitem__(self, wanted: slice) -> list[T]: ...

    def __getitem__(self, wanted: int | slice) -> T | list[T]:
        numbers = range(len(self))
        if isinstance(wanted, slice):
            return [self.item(number) for number in numbers[wanted]]
        return self.item(numbers[wanted])

    def __iter__(self) -> Iterator[T]:
        return map(self.item, range(len(self)))
