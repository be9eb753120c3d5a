"""A part of a file as a file of its own."""

import io
from typing import BinaryIO

from yard.media.byte_window import read_fully

Buffer = bytearray | memoryview


class PartFile(io.RawIOBase):
    """`size` bytes from `offset` on; others may read the file in between, but not at the same time."""

    def __init__(self, file: BinaryIO | io.RawIOBase, offset: int, size: int) -> None:
        super().__init__()
        self._file = file
        self._offset = offset
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Offset of the next byte."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves without reading."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Buffer) -> int:  # type: ignore[override]
        """Fills the whole buffer unless the part ends."""
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(view.nbytes, self._size - self._position))
        self._file.seek(self._offset + self._position)
        content = read_fully(self._file, wanted)
        view[: len(content)] = content
        self._position += len(content)
        return len(content)
