"""Bytes at any offset of a file of which perhaps only the first part is at hand."""

import io
from typing import BinaryIO, Protocol

from yard.media.errors import MediaError

_PAGE = 4096
_MOST = 1 << 20

MOST_READS = 4_000_000
"""Reads of one window; a GIF of 1 GB needs as many, other honest headers far fewer."""


class MoreNeededError(Exception):
    """The head at hand is too short: `size` is how many bytes of the file are needed at least."""

    def __init__(self, size: int) -> None:
        super().__init__(f"needs the first {size} bytes")
        self.size = size


class Window(Protocol):
    """What parsers of headers read from."""

    def at(self, offset: int, length: int) -> bytes:
        """Exactly these bytes; MediaError if the file ends before, MoreNeededError if only the head does."""


class HeadWindow:
    """The first bytes of a file, or all of them."""

    __slots__ = ("_head", "_is_whole", "_reads")

    def __init__(self, head: bytes, *, is_whole: bool) -> None:
        self._head = head
        self._is_whole = is_whole
        self._reads = 0

    def at(self, offset: int, length: int) -> bytes:
        """As `Window.at`."""
        end = offset + length
        self._reads += 1
        if self._reads > MOST_READS:
            raise _endless()
        if end > len(self._head):
            if self._is_whole:
                raise ended(len(self._head))
            raise MoreNeededError(end)
        return self._head[offset:end]


class FileWindow:
    """A seekable file, or the part of it from `base` on, of which pages of 4 KiB are read where asked for."""

    __slots__ = ("_base", "_cached", "_file", "_reads", "_start", "size")

    def __init__(self, file: BinaryIO | io.RawIOBase, base: int = 0, size: int | None = None) -> None:
        self._file = file
        self._base = base
        self.size = file.seek(0, io.SEEK_END) - base if size is None else size
        self._start = self._reads = 0
        self._cached = b""

    def at(self, offset: int, length: int) -> bytes:
        """As `Window.at`; of at most 1 MiB."""
        end = offset + length
        self._reads += 1
        if self._reads > MOST_READS:
            raise _endless()
        if end > self.size:
            raise ended(self.size)
        if length > _MOST:
            raise MediaError("limit", f"has a header of {length} bytes")
        if offset < self._start or end > self._start + len(self._cached):
            self._file.seek(self._base + offset)
            self._cached = read_fully(self._file, min(max(length, _PAGE), self.size - offset))
            self._start = offset
            if len(self._cached) < length:
                raise ended(offset + len(self._cached))
        return self._cached[offset - self._start : end - self._start]


class PartWindow:
    """A part of another window as if it were a file of its own."""

    __slots__ = ("_length", "_offset", "_window")

    def __init__(self, window: Window, offset: int, length: int) -> None:
        self._window, self._offset, self._length = window, offset, length

    def at(self, offset: int, length: int) -> bytes:
        """As `Window.at`."""
        if offset + length > self._length:
            raise ended(self._length)
        return self._window.at(self._offset + offset, length)


def read_fully(file: BinaryIO | io.RawIOBase, length: int) -> bytes:
    """`length` bytes, or fewer at the end only; raw files may return short before it."""
    content = file.read(length) or b""
    if len(content) == length or not content:
        return content
    pieces, missing = [content], length - len(content)
    while missing and (piece := file.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def ended(size: int) -> MediaError:
    """The fault of a file that ends where more was promised."""
    return MediaError("truncated", f"ends after {size} bytes, before what its header promises")


def _endless() -> MediaError:
    return MediaError("limit", "has a header of too many parts")
