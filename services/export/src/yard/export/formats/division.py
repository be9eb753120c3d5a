"""How the archives of a format show which of its files belong to which subset of a data set.

A subset is named by a key, which may have folders. The reader of one subset is given the files that belong to
it, and those of no subset at all (`key_of` gives None).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from yard.annotations.labels import Label
from yard.export.archives.opened import Entry, Opened

DEFAULT = "default"
"""The key of what belongs to no named subset."""
_PICTURES = {"avif", "bmp", "dib", "gif", "heic", "heif", "jfif", "jp2", "jpe", "jpeg", "jpg", "jxl", "pbm"}
_PICTURES |= {"pgm", "png", "pnm", "ppm", "tif", "tiff", "webp"}
_CLUTTER = ("__MACOSX/", "._")


class Surveyed(Protocol):
    """Where a survey puts what it finds; wrong files are refused by `refuse`, see Intake."""

    def label(self, label: Label) -> None:
        """A label that the data set declares or uses; of two with one name the first counts."""

    def key(self, key: str) -> None:
        """There is such a subset, with or without pictures."""

    def picture(self, key: str, name: str, where: str) -> None:
        """A picture of a subset, by a name as annotations have it; refuses one that is not in the archive."""

    def refuse(self, where: str, reason: str) -> None:
        """Notes that the file is wrong."""


def is_picture(name: str) -> bool:
    """Whether a member is a picture of the data set, by its extension: who indexes it looks into it."""
    base = name.rpartition("/")[2]
    return base.rpartition(".")[2].lower() in _PICTURES and not (
        base.startswith(_CLUTTER) or name.startswith(_CLUTTER)
    )


def no_key(name: str) -> str | None:
    """For formats whose files do not say by their names which subset they are of."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """What a format knows of subsets; `survey` tells labels, and pictures whose paths do not say enough."""

    survey: Callable[[Opened, Surveyed], None]
    key_of: Callable[[str], str | None] = no_key
    is_picture: Callable[[str], bool] = is_picture
    shares_files: bool = False
    """Whether files tell of images by name without saying of which subset they are."""


def key_by(pattern: str) -> Callable[[str], str | None]:
    """The first group of a pattern that the whole path matches that is not empty, DEFAULT if all are."""
    compiled = re.compile(pattern, re.IGNORECASE)

    def key_of(name: str) -> str | None:
        match = compiled.fullmatch(name)
        return None if match is None else next(filter(None, match.groups()), DEFAULT)

    return key_of


class OneSubset:
    """An archive as the reader of one subset sees it."""

    def __init__(self, opened: Opened, division: Division, key: str) -> None:
        self.name = opened.name
        self.count = opened.count
        self._opened = opened
        self._key_of = division.key_of
        self._key = key

    def entries(self) -> Iterator[Entry]:
        """See Opened."""
        return (entry for entry in self._opened.entries() if self._is_mine(entry))

    def find(self, name: str) -> Entry | None:
        """See Opened."""
        entry = self._opened.find(name)
        return entry if entry is not None and self._is_mine(entry) else None

    def open(self, entry: Entry) -> BinaryIO:
        """See Opened."""
        return self._opened.open(entry)

    def _is_mine(self, entry: Entry) -> bool:
        return self._key_of(entry.name) in (None, self._key)
