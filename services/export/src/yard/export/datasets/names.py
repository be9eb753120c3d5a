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
        files, stems = self._all_hashes()
        repeated = _repeated(files)
        if len(repeated):
            self._renamed = self._renames(files, repeated)
            files, stems = self._all_hashes()
        # Stems that two files share, or that are a whole name.
        whole = files[_found(files, stems)]
        self._ambiguous = np.unique(np.concatenate([_repeated(stems), whole]))

    def _pages(self) -> Iterator[tuple[int, list[str]]]:
        first = 0
        self._first = []
        for part in self._parts:
            self._first.append(first)
            for page in part():
                yield first, page
                first += len(page)

    def _all_hashes(self) -> tuple[Hashes, Hashes]:
        """Those of files and their stems, sorted; they differ from run to run, but nothing shows it."""
        files, stems = array("q"), array("q")
        for first, page in self._pages():
            names = self._renamed.applied(page, first)
            files.extend(map(hash, names))
            stems.extend(map(hash, map(stem, names)))
        found = (np.frombuffer(files, dtype=np.int64), np.frombuffer(stems, dtype=np.int64))
        for hashes in found:
            hashes.sort()
        return found

    def _renames(self, files: Hashes, repeated: Hashes) -> "_Renamed":
        """`files` are the hashes of all, sorted; `repeated` those that come more than once."""
        hashes = array("q", files.tobytes())
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
