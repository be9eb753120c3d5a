"""The frames of the target of an import: their sizes, and which of them a name in a file means.

A name means a frame if both are equal, also without the extension of either, or if one of them ends with the
other at a folder: files often leave out the outer folders or put some before. A name that fits several frames
equally well means none.
"""

import unicodedata
from array import array
from collections.abc import Iterator

from yard.export.wording.hashes import HashIndex

# What stands before a whole name, and behind one that has lost its extension; no file name has either.
_WHOLE, _BARE = "/", "\0"
DEEPEST = 16
_MOST_16 = 0xFFFF
_PICTURES = {"avif", "bmp", "dib", "exr", "gif", "heic", "heif", "hdr", "j2k", "jfif", "jp2", "jpe", "jpeg"}
_PICTURES |= {"jpg", "jxl", "pbm", "pgm", "png", "pnm", "ppm", "tif", "tiff", "webp"}


class FrameTable:
    """Frames from `first` on, added in order; about 60 bytes for each."""

    def __init__(self, first: int) -> None:
        self.first = first
        # Few pictures have sides that two bytes do not hold.
        self._widths, self._heights = array("H"), array("H")
        self._names = HashIndex()
        self._whole = array("q")
        self._last = -1

    def __len__(self) -> int:
        return len(self._widths)

    def add(self, name: str, width: int, height: int) -> None:
        """The next frame."""
        frame = len(self._widths)
        if max(width, height) > _MOST_16 and self._widths.typecode == "H":
            self._widths, self._heights = array("i", self._widths), array("i", self._heights)
        self._widths.append(width)
        self._heights.append(height)
        name = _plain(name)
        bare = _without_extension(name)
        self._whole.append(hash(_WHOLE + name))
        self._names.add(_WHOLE + name, frame)
        self._names.add(f"{_WHOLE}{bare}{_BARE}", frame)
        for ending in _endings(name):
            self._names.add(ending, frame)
        for ending in _endings(bare):
            self._names.add(ending + _BARE, frame)

    def size(self, frame: int) -> tuple[int, int]:
        """Width and height of a relative frame."""
        place = frame - self.first
        return self._widths[place], self._heights[place]

    def size_if_any(self, frame: int) -> tuple[int, int] | None:
        """The same; None for a frame that is not one of them."""
        place = frame - self.first
        return (self._widths[place], self._heights[place]) if 0 <= place < len(self._widths) else None

    def named(self, name: str) -> list[int]:
        """The relative frames that the name may mean, two at most; one is what it means."""
        wanted = hash(_WHOLE + name)
        # Most files go through the frames in order, and some ask for one twice.
        for place in (self._last + 1, self._last):
            if 0 <= place < len(self._whole) and self._whole[place] == wanted:
                self._last = place
                return [self.first + place]
        found = self._found(_plain(name))
        if len(found) == 1:
            self._last = found[0]
        return [self.first + place for place in found]

    def _found(self, name: str) -> list[int]:
        whole = _WHOLE + name
        places = (
            self._names.find(whole) or self._names.find(whole + _BARE) or self._fitting(name, ("", _BARE))
        )
        if not places and name.rpartition(".")[2].lower() in _PICTURES:
            places = self._fitting(_without_extension(name), (_BARE,))
        return places

    def _fitting(self, name: str, ends: tuple[str, ...]) -> list[int]:
        """Frames whose name is this one, ends with it, or is its end; the closest ones only."""
        for key in (_WHOLE + name, name):
            if found := self._of(key, ends):
                return found
        for ending in _endings(name):
            if found := self._of(_WHOLE + ending, ends):
                return found
        return []

    def _of(self, key: str, ends: tuple[str, ...]) -> list[int]:
        return list(dict.fromkeys(place for end in ends for place in self._names.find(key + end)))


def _plain(name: str) -> str:
    """Forward slashes, composed letters, no `./` before it."""
    if "\\" in name:
        name = name.replace("\\", "/")
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    return name.removeprefix("./").strip("/")


def _without_extension(name: str) -> str:
    base = name.rpartition("/")[2]
    stem, dot, _ = base.rpartition(".")
    return name[: len(name) - len(base) + len(stem)] if dot and stem else name


def _endings(name: str) -> Iterator[str]:
    """What follows each folder, the longest first."""
    place = name.find("/")
    for _ in range(DEEPEST):
        if place < 0:
            return
        yield name[place + 1 :]
        place = name.find("/", place + 1)
