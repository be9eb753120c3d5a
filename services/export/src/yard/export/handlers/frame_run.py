"""A stream of the files of consecutive frames, taken apart in a thread."""

import struct
from collections.abc import Iterator
from zlib import crc32

from yard.export.handlers.pipe import Pipe
from yard.runtime import errors

_LOCAL = struct.Struct("<4s5H3L2H")
_SIGNATURE = b"PK\x03\x04"


class FrameRun:
    """The files of the frames first..last of a part, in their order; unwanted ones are passed over."""

    def __init__(self, part: int, first: int, last: int, pipe: Pipe) -> None:
        self.part = part
        self.last = last
        self.files = self.size_bytes = 0
        """Those that came so far."""
        self._pipe = pipe
        self._next = first
        self._held = memoryview(b"")

    def has(self, part: int, frame: int) -> bool:
        """Whether the file of the frame can still be had."""
        return part == self.part and self._next <= frame <= self.last

    def file(self, frame: int) -> Iterator[bytes]:
        """The bytes of a file, to be iterated before the next one is asked for."""
        while self._next < frame:
            for _ in self._file():
                pass
        return self._file()

    def close(self) -> None:
        """Ends the stream."""
        self._pipe.close()

    def _file(self) -> Iterator[bytes]:
        frame, self._next = self._next, self._next + 1
        header = _LOCAL.unpack(b"".join(self._exactly(_LOCAL.size, frame)))
        if header[0] != _SIGNATURE:
            raise errors.DataLoss(f"frame {frame}: no file came")
        wanted_crc, size, name_length = header[6], header[7], header[9]
        for _ in self._exactly(name_length, frame):
            pass
        crc = 0
        for piece in self._exactly(size, frame):
            crc = crc32(piece, crc)
            yield piece
        self.size_bytes += size
        self.files += 1
        if crc != wanted_crc:
            raise errors.DataLoss(f"frame {frame}: its file came damaged")

    def _exactly(self, size: int, frame: int) -> Iterator[bytes]:
        while size:
            if not self._held:
                self._held = memoryview(self._pipe.take())
                if not self._held:
                    raise errors.DataLoss(f"frame {frame}: {size} bytes of its file did not come")
            piece, self._held = self._held[:size], self._held[size:]
            size -= len(piece)
            yield bytes(piece)
