"""Names of frames that are unique in a subset, found without holding a million of them."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.int64]
Pages = Callable[[], Iterator[list[str]]]


class Names:
    """The names of one subset.

    A name that another task has too gets `_1`, `_2`, ... before its extension, by task, then frame. An item
    is called as its file without the extension, or with it where another one would be called the same.

    `parts` give the names of the files of each task, a page at a time, the same ones each time.
    """

    def __init__(self, parts: Sequence[Pages]) -> None:
        self._parts = parts
        self._first: list[int] = []
        self._renamed = _Renamed()
        self._ambiguous: Hashes = np.empty(0, dtype=np.int64)
        self._is_known = False

    def of(self, part: int, page: list[str], first: int) -> tuple[list[str], list[str]]:
        """Files and items of a page of names whose first one is number `first` of its task."""
        self._know()
        files = self._renamed.applied(page, self._first[part] + first)
        items = list(map(stem, files))
        for place in _found(_hashes(items), self._ambiguous).tolist():
            items[place] = files[place]
        return files, items

    def _know(self) -> None:
        if self._is_known:
            return
        self._is_known = True
        hashes = self._hashes_of_files()
        repeated = _repeated(np.frombuffer(hashes, dtype=np.int64))
        if len(repeated):
            self._renamed = self._renames(hashes, repeated)
        self._ambiguous = self._ambiguous_stems()

    def _pages(self) -> Iterator[tuple[int, list[str]]]:
        first = 0
        for part in self._parts:
            for page in part():
                yield first, page
                first += len(page)

    def _hashes_of_files(self) -> "array[int]":
        """Sorted; hashes differ from run to run, but nothing that is seen depends on them."""
        hashes = array("q")
        self._first = []
        for part in self._parts:
            self._first.append(len(hashes))
            for page in part():
                hashes.extend(map(hash, page))
        np.frombuffer(hashes, dtype=np.int64).sort()
        return hashes

    def _renames(self, hashes: "array[int]", repeated: Hashes) -> "_Renamed":
        """`hashes` are those of all files, sorted."""
        last = array("q", [-1]) * len(repeated)
        renamed = _Renamed()
        for first, page in self._pages():
            own = _hashes(page)
            places = _found(own, repeated)
            for place, which in zip(
                places.tolist(), np.searchsorted(repeated, own[places]).tolist(), strict=True
            ):
                number = last[which] + 1
                if number:
                    while _is_in(hash(numbered(page[place], number)), hashes):
                        number += 1
                    renamed.add(first + place, number)
                last[which] = number
        return renamed

    def _ambiguous_stems(self) -> Hashes:
        """Hashes of stems that two files share, or that are another file's whole name."""
        stems = array("q")
        for first, page in self._pages():
            stems.extend(map(hash, map(stem, self._renamed.applied(page, first))))
        found = np.frombuffer(stems, dtype=np.int64)
        found.sort()
        whole = array("q")
        for first, page in self._pages():
            files = self._renamed.applied(page, first)
            whole.extend(hash(files[place]) for place in _found(_hashes(files), found).tolist())
        return np.unique(np.concatenate([_repeated(found), np.frombuffer(whole, dtype=np.int64)]))


class _Renamed:
    """Numbers of the frames whose names were taken, with what is added to them."""

    def __init__(self) -> None:
        self._places = array("q")
        self._numbers = array("q")

    def add(self, place: int, number: int) -> None:
        self._places.append(place)
        self._numbers.append(number)

    def applied(self, page: list[str], first: int) -> list[str]:
        if not self._places:
            return page
        places = np.frombuffer(self._places, dtype=np.int64)
        begin, end = np.searchsorted(places, [first, first + len(page)]).tolist()
        names = page.copy()
        for place, number in zip(self._places[begin:end], self._numbers[begin:end], strict=True):
            names[place - first] = numbered(names[place - first], number)
        return names


def stem(name: str) -> str:
    """The name with its folders, without the last extension; all of it if it has none."""
    before, _, extension = name.rpartition(".")
    return name if not before or before[-1] == "/" or "/" in extension else before


def numbered(name: str, number: int) -> str:
    """The name with a number before its extension."""
    before = stem(name)
    return f"{before}_{number}{name[len(before) :]}"


def _hashes(names: list[str]) -> Hashes:
    return np.fromiter(map(hash, names), dtype=np.int64, count=len(names))


def _repeated(ascending: Hashes) -> Hashes:
    return np.unique(ascending[1:][ascending[1:] == ascending[:-1]])


def _found(hashes: Hashes, ascending: Hashes) -> Hashes:
    """Places of the hashes that are among the others."""
    if not len(ascending):
        return np.empty(0, dtype=np.int64)
    place = np.minimum(np.searchsorted(ascending, hashes), len(ascending) - 1)
    return np.flatnonzero(ascending[place] == hashes)


def _is_in(number: int, ascending: "array[int]") -> bool:
    place = bisect_left(ascending, number)
    return place < len(ascending) and ascending[place] == number
