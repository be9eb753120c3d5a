"""Image file directories, of TIFF files and of EXIF."""

import struct
from dataclasses import dataclass
from typing import Literal

from yard.media.byte_window import Window
from yard.media.errors import MediaError

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
ORIENTATION, SAMPLES, EXTRA = 274, 277, 338
_WANTED = frozenset((WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION, SAMPLES, EXTRA))
_INTEGERS = {1: 1, 3: 2, 4: 4, 16: 8}
_MOST_ENTRIES = 1000


@dataclass(frozen=True, slots=True)
class Layout:
    """How numbers are written, and whether offsets have 64 bits (BigTIFF)."""

    order: Literal["little", "big"]
    is_big: bool
    entry: struct.Struct

    def number(self, content: bytes) -> int:
        """An unsigned number of any length."""
        return int.from_bytes(content, self.order)


@dataclass(frozen=True, slots=True)
class Directory:
    """The wanted integer tags: number of values and the first one; `next_offset` 0 ends the chain."""

    tags: dict[int, tuple[int, int]]
    next_offset: int

    def first(self, tag: int, default: int) -> int:
        """The first value of a tag."""
        return self.tags.get(tag, (0, default))[1]


_LAYOUTS = {
    b"II*\0": Layout("little", False, struct.Struct("<HHI4s")),
    b"MM\0*": Layout("big", False, struct.Struct(">HHI4s")),
    b"II+\0": Layout("little", True, struct.Struct("<HHQ8s")),
    b"MM\0+": Layout("big", True, struct.Struct(">HHQ8s")),
}


def first_directory(window: Window) -> tuple[Layout, int]:
    """Layout and offset of the first directory, from the header of the file."""
    layout = _LAYOUTS.get(window.at(0, 4))
    if layout is None:
        raise MediaError("invalid_media", "is no TIFF")
    return layout, layout.number(window.at(8, 8) if layout.is_big else window.at(4, 4))


def read_directory(window: Window, layout: Layout, offset: int) -> Directory:
    """One directory; tags of other types than unsigned integers are left out."""
    counter, link = (8, 8) if layout.is_big else (2, 4)
    count = layout.number(window.at(offset, counter))
    if not 0 < count <= _MOST_ENTRIES:
        raise MediaError("invalid_media", f"has a TIFF directory of {count} entries")
    entries = window.at(offset + counter, count * layout.entry.size + link)
    tags: dict[int, tuple[int, int]] = {}
    for tag, kind, values, content in layout.entry.iter_unpack(entries[:-link]):
        if tag in _WANTED and values and (size := _INTEGERS.get(kind)):
            if values * size > len(content):
                content = window.at(layout.number(content), size)
            tags[tag] = (values, layout.number(content[:size]))
    return Directory(tags, layout.number(entries[-link:]))


def orientation_of(exif: Window) -> int:
    """EXIF orientation, 1 to 8; 1 if EXIF makes no sense, as such a picture is shown as it is stored."""
    try:
        layout, offset = first_directory(exif)
        count, orientation = read_directory(exif, layout, offset).tags.get(ORIENTATION, (1, 1))
    except MediaError:
        return 1
    return orientation if count == 1 and 1 <= orientation <= 8 else 1
