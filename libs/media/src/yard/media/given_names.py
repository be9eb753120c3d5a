"""The files that were given, as a manifest names them."""

import json
import re
from array import array
from typing import BinaryIO

from yard.media.described import WHOLE, Place
from yard.media.errors import MediaError
from yard.media.member_names import shown

SHOWN = 5
"""Names that a refusal shows; the others are counted."""

_PAGE = re.compile(r"(.+)/([0-9]{6})\.png")
_WITH_PAGES = ("gif", "tiff")


class GivenNames:
    """Finds files by name: below the folder of the manifest, or as they were given."""

    def __init__(self, file: BinaryIO, folder: str) -> None:
        """Reads JSON texts [name, bytes, format], a line a file."""
        self._folder = folder
        self._numbers: dict[str, int] = {}
        self._sizes = array("Q")
        self._has_pages = bytearray()
        self._is_used = bytearray()
        self._missing: list[str] = []
        self._missing_count = 0
        while line := file.readline():
            name, size_bytes, form = json.loads(line)
            self._numbers[name] = len(self._sizes)
            self._sizes.append(size_bytes)
            self._has_pages.append(form in _WITH_PAGES)
            self._is_used.append(0)

    def place(self, name: str) -> Place:
        """File and page of an image, called as the file was given; `check` tells of what is not there."""
        if (found := self._found(name)) is not None:
            return found, self._used(found), WHOLE
        match = _PAGE.fullmatch(name)
        if match and (found := self._found(match[1])) is not None and self._has_pages[self._numbers[found]]:
            return f"{found}/{match[2]}.png", self._used(found), int(match[2])
        self._missing_count += 1
        if len(self._missing) < SHOWN:
            self._missing.append(shown(name))
        return name, 0, WHOLE

    def size_of(self, number: int) -> int:
        """Bytes of a file."""
        return self._sizes[number]

    def check(self, undescribed: int, manifest: str) -> None:
        """MediaError if images are missing, or more files are left than frames are not described."""
        faults = []
        if self._missing_count:
            what = _counted(self._missing_count, "image is", "images are")
            faults.append(f"{what} not among the files: {_listed(self._missing, self._missing_count)}")
        extra = self._is_used.count(0)
        if extra > undescribed:
            names = (name for name, number in self._numbers.items() if not self._is_used[number])
            first = [shown(name) for name, _ in zip(names, range(SHOWN), strict=False)]
            faults.append(f"{_counted(extra, 'file is', 'files are')} not in it: {_listed(first, extra)}")
        if faults:
            raise MediaError("invalid_media", "; ".join(faults), manifest)

    def _found(self, name: str) -> str | None:
        """The name as the file was given."""
        for given in (self._folder + name, name):
            if given in self._numbers:
                return given
        return None

    def _used(self, given: str) -> int:
        number = self._numbers[given]
        self._is_used[number] = 1
        return number


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _listed(first: list[str], count: int) -> str:
    more = count - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")
