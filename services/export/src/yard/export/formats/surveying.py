"""Which pictures of an archive belong to which subset: by paths, by lists, else by a folder of its name."""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from yard.annotations.labels import Label
from yard.export.archives.opened import Opened
from yard.export.archives.refusals import Refusals, refused
from yard.export.formats.division import DEFAULT, Division
from yard.export.intakes.frame_table import FrameTable

MOST_SUBSETS: Final = 1_000
MOST_LABELS: Final = 1_000
LONGEST_SUBSET: Final = 64
_NOWHERE: Final = -1
_OUTER: Final = re.compile(r"(?:.*?/)?(?:images|JPEGImages|img1|obj_[^/]+_data)/", re.IGNORECASE)
_TASK: Final = re.compile(r"task_[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """A task to be made: its number, the folders that its pictures are named without, and their count."""

    number: int
    key: str
    name: str
    subset: str
    folder: str
    count: int


class Survey:
    """A Surveyed of one archive; 8 bytes a picture beside what a table of frames holds."""

    def __init__(self, opened: Opened, division: Division) -> None:
        self.labels: dict[str, Label] = {}
        self.refuse = (refusals := Refusals()).add
        self._refusals = refusals
        self._opened = opened
        self._division = division
        self._numbers: dict[str, int] = {}
        self._names = FrameTable(0)
        self._keys = array("i")
        self._is_listed = False

    def run(self) -> None:
        """Looks through the archive; RefusedError if it is no data set with pictures."""
        division = self._division
        for entry in self._opened.entries():
            key = division.key_of(entry.name)
            if division.is_picture(entry.name):
                self._names.add(entry.name, 0, 0)
                self._keys.append(_NOWHERE if key is None else self._number(key))
            elif key is not None:
                self.key(key)
        if not self._keys:
            raise refused(self._opened.name, "holds no images: import annotations into tasks that have them")
        division.survey(self._opened, self)
        self._refusals.check()
        self._place_rest()

    def label(self, label: Label) -> None:
        """See Surveyed."""
        self.labels.setdefault(label.name, label)
        if len(self.labels) > MOST_LABELS:
            raise refused(self._opened.name, f"has more than {MOST_LABELS} labels")

    def key(self, key: str) -> None:
        """See Surveyed."""
        self._number(key)

    def picture(self, key: str, name: str, where: str) -> None:
        """See Surveyed."""
        self._is_listed = True
        found = self._names.named(f"{key}/{name}")
        if len(found) != 1:
            found = self._names.named(name)
        if len(found) != 1:
            reason = "there is no image" if not found else "several images could be meant by"
            self.refuse(where, f"{reason} {name[:120]!r} in the archive")
            return
        number, known = self._number(key), self._keys[found[0]]
        if known not in (_NOWHERE, number):
            self.refuse(where, f"the image {name[:120]!r} belongs to another subset too")
        self._keys[found[0]] = number

    def subsets(self) -> list[Subset]:
        """Those that have pictures, in the order of their names."""
        counts: dict[int, int] = {}
        firsts: dict[int, str] = {}
        for number, name in self._placed():
            counts[number] = counts.get(number, 0) + 1
            firsts.setdefault(number, name)
        keys = {number: key for key, number in self._numbers.items()}
        words = [_word(keys[number]) for number in counts]
        found = [
            Subset(
                number=number,
                key=keys[number],
                name=word if words.count(word) == 1 else keys[number],
                subset=word[:LONGEST_SUBSET],
                folder=_folder(firsts[number], word),
                count=count,
            )
            for (number, count), word in zip(counts.items(), words, strict=True)
        ]
        return sorted(found, key=lambda subset: subset.key)

    def pictures(self) -> Iterator[tuple[int, str]]:
        """Paths of pictures with the numbers of their subsets, which stay together, else in archive order."""
        keys = np.frombuffer(self._keys, np.int32)
        keys = keys[keys != _NOWHERE]
        begins = np.flatnonzero(np.diff(keys, prepend=_NOWHERE))
        numbers = np.unique(keys).tolist()
        if len(begins) == len(numbers):
            return self._placed()
        return ((own, name) for number in numbers for own, name in self._placed() if own == number)

    def left_out(self) -> int:
        """Pictures that no list names."""
        return self._keys.count(_NOWHERE)

    def _placed(self) -> Iterator[tuple[int, str]]:
        pictures = (e.name for e in self._opened.entries() if self._division.is_picture(e.name))
        return ((key, name) for key, name in zip(self._keys, pictures, strict=True) if key != _NOWHERE)

    def _number(self, key: str) -> int:
        number = self._numbers.setdefault(key, len(self._numbers))
        if number >= MOST_SUBSETS:
            raise refused(self._opened.name, f"has more than {MOST_SUBSETS} subsets")
        return number

    def _place_rest(self) -> None:
        """Pictures that nothing has named: of the only subset, or of the one whose name a folder has."""
        if _NOWHERE not in self._keys:
            return
        if not self._numbers:
            self._number(DEFAULT)
        is_one = len(self._numbers) == 1 and not self._is_listed
        pictures = (e.name for e in self._opened.entries() if self._division.is_picture(e.name))
        for place, name in enumerate(pictures):
            if self._keys[place] == _NOWHERE:
                self._keys[place] = 0 if is_one else self._by_folder(name)
        if all(key == _NOWHERE for key in self._keys):
            raise refused(self._opened.name, "does not tell which of its images belong to which subset")

    def _by_folder(self, name: str) -> int:
        if self._is_listed:
            return _NOWHERE
        folders = name.split("/")[:-1]
        return next((self._numbers[each] for each in reversed(folders) if each in self._numbers), _NOWHERE)


def _word(key: str) -> str:
    """What people call a subset: exports put sequences of one below folders `task_<id>`."""
    folders = key.split("/")
    return folders[-2] if len(folders) > 1 and _TASK.fullmatch(folders[-1]) else folders[-1]


def _folder(name: str, word: str) -> str:
    """What stands before the name of a picture as annotations have it."""
    match = _OUTER.match(name)
    outer = match[0] if match else ""
    return f"{outer}{word}/" if name.startswith(f"{outer}{word}/") else outer
