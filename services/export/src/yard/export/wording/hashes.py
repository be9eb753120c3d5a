"""Numbers found by the hashes of names: 12 bytes a name, whatever its length.

The hashes are those of the process: 64 bits with a secret of its own, which no file can aim at. Two of a
million names share one once in ten million runs.
"""

from array import array

import numpy as np
from numpy.typing import NDArray

MOST_FOUND = 2


class HashIndex:
    """Numbers by name, added first and then asked for."""

    def __init__(self) -> None:
        self._hashes, self._numbers = array("q"), array("i")
        self._sorted: tuple[NDArray[np.int64], NDArray[np.int32]] | None = None

    def add(self, name: str, number: int) -> None:
        """A name may be given to several numbers."""
        self._hashes.append(hash(name))
        self._numbers.append(number)

    def find(self, name: str) -> list[int]:
        """The numbers with this name, ascending as they were added; no more than two."""
        hashes, numbers = self._sorted or self._sort()
        wanted = hash(name)
        place = int(hashes.searchsorted(wanted))
        found: list[int] = []
        while place < len(hashes) and hashes[place] == wanted and len(found) < MOST_FOUND:
            found.append(int(numbers[place]))
            place += 1
        return found

    def repeated(self) -> int:
        """A number whose name was given to another one before, -1 if there is none."""
        hashes, numbers = self._sorted or self._sort()
        again = np.flatnonzero(hashes[1:] == hashes[:-1])
        return int(numbers[again[0] + 1]) if len(again) else -1

    def _sort(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        hashes: NDArray[np.int64] = np.frombuffer(self._hashes, np.int64)
        order = np.argsort(hashes, kind="stable")
        self._sorted = hashes[order], np.frombuffer(self._numbers, np.int32)[order]
        self._hashes, self._numbers = array("q"), array("i")
        return self._sorted
