"""Very many names in little memory: 8 bytes a name and its own."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, pairwise

from yard.media.lazy_sequence import LazySequence


class NameColumn(LazySequence[bytes]):
    """Names in UTF-8, one behind the other."""

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

    def item(self, number: int) -> bytes:
        """A name."""
        start = self._ends[number - 1] if number else 0
        return bytes(self._text[start : self._ends[number]])

    def __iter__(self) -> Iterator[bytes]:
        return (bytes(self._text[start:end]) for start, end in pairwise(chain((0,), self._ends)))
