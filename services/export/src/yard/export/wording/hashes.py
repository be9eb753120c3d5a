"""Numbers found by the hashes of names: 12 bytes a name, whatever its length.

The hashes are those of the process: 64 bits with a secret of its own, which no file can aim at. Two of a
million names share one once in ten million runs.
"""

from array import array
from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

MOST_FOUND = 2
# Hashes are sorted in parts by their first bits, so that little more is held than there is.
_PART_BITS = 5


class HashIndex:
    """Numbers by name, added first and then asked for."""

    def __init__(self) -> None:
        self._hashes, self._numbers = array("q"), array("i")
        self._sorted: tuple[array[int], array[int]] | None = None

    def add(self, name: str, number: int) -> None:
        """A name may be given to several numbers."""
        self._hashes.append(hash(name))
        self._numbers.append(number)

    def find(self, name: str) -> list[int]:
        """The numbers with this name, ascending as they were added; no more than two."""
        hashes, numbers = self._sorted or self._sort()
        wanted = hash(name)
        place = bisect_left(hashes, wanted)
        found: list[int] = []
        while place < len(hashes) and hashes[place] == wanted and len(found) < MOST_FOUND:
            found.append(numbers[place])
            place += 1
        return found

    def repeated(self) -> int:
        """A number whose name was given to another one before, -1 if there is none."""
        in_order, numbers = self._sorted or self._sort()
        hashes: NDArray[np.int64] = np.frombuffer(in_order, np.int64)
        again = np.flatnonzero(hashes[1:] == hashes[:-1])
        return numbers[again[0] + 1] if len(again) else -1

    def _sort(self) -> "tuple[array[int], array[int]]":
        hashes: NDArray[np.int64] = np.frombuffer(self._hashes, np.int64)
        numbers: NDArray[np.int32] = np.frombuffer(self._numbers, np.int32)
        own = array("i", bytes(4 * len(numbers)))
        in_order: NDArray[np.int32] = np.frombuffer(own, np.int32)
        parts = np.empty(len(hashes), np.int8)
        np.right_shift(hashes, 64 - _PART_BITS, out=parts, casting="unsafe")
        end = 0
        for part in range(-(1 << _PART_BITS - 1), 1 << _PART_BITS - 1):
            rows = np.flatnonzero(parts == part)
            begin, end = end, end + len(rows)
            in_order[begin:end] = numbers[rows[np.argsort(hashes[rows], kind="stable")]]
        # In place: it is a view of the array.
        hashes.sort()
        self._sorted = self._hashes, own
        self._hashes, self._numbers = array("q"), array("i")
        return self._sorted
