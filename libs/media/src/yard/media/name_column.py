"""Very many names in little memory: 8 bytes a name and its own."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, pairwise
from typing import overload


class NameColumn(Sequence[bytes]):
    """Names in UTF-8, one behind the other; each is made anew when somebody asks for it."""

    def __init__(self, names: Iterable[bytes] = ()) -> None:
        self._text = bytearray()
        self._ends = array("Q")
        for name in names:
            self.append(name)

    def append(self, name: bytes) -> None:
        """One more."""
        self._text += name
        self._ends.append(len(self._text))

    def extend(self, names: Sequence[bytes]) -> None:
        """Some more, faster than one by one."""
        ends = accumulate(map(len, names), initial=len(self._text))
        next(ends)
        self._ends.extend(ends)
        self._text += b"".join(names)

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, wanted: int) -> bytes: ...
    @overload
    def __getitem__(self, wanted: slice) -> list[bytes]: ...

    def __getitem__(self, wanted: int | slice) -> bytes | list[bytes]:
        if isinstance(wanted, slice):
            return [self[number] for number in range(*wanted.indices(len(self)))]
        number = wanted if wanted >= 0 else len(self) + wanted
        end = self._ends[number]
        return bytes(self._text[self._ends[number - 1] if number else 0 : end])

    def __iter__(self) -> Iterator[bytes]:
        return (bytes(self._text[start:end]) for start, end in pairwise(chain((0,), self._ends)))
