"""What waits on the disk for its reader, so that neither memory grows with it nor a transaction waits."""

import asyncio
import os
import struct
import threading
from collections.abc import AsyncIterator, Iterable
from tempfile import TemporaryFile
from types import TracebackType
from typing import Final, Self

_LENGTH: Final = struct.Struct("<I")
_PIECE_BYTES: Final = 1024 * 1024


class Scratch:
    """Bytes in a file without a name, which grows while others read what is there."""

    def __init__(self) -> None:
        self._file = TemporaryFile(buffering=0)  # noqa: SIM115 - __exit__ closes it
        # A thread that outlives its cancelled task must not write to whatever has the file's number by then.
        self._lock = threading.Lock()
        self.size_bytes = 0

    def append(self, content: bytes) -> None:
        """Adds bytes; from one thread at a time."""
        with self._lock:
            view = memoryview(content)
            place = self.size_bytes
            while view:
                written = os.pwrite(self._file.fileno(), view, place)
                view, place = view[written:], place + written
            # Last, so that what a reader sees is there.
            self.size_bytes = place

    def read(self, place: int, length: int) -> bytes:
        """At most so many bytes from a place on."""
        with self._lock:
            return os.pread(self._file.fileno(), length, place)

    async def pieces(self) -> AsyncIterator[bytes]:
        """All bytes."""
        place = 0
        while piece := await asyncio.to_thread(self.read, place, _PIECE_BYTES):
            yield piece
            place += len(piece)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._file.close()


class Spool(Scratch):
    """Records; one task writes them while another reads them in the same order."""

    def __init__(self) -> None:
        super().__init__()
        self._read = 0
        self._is_complete = False
        self._grown = asyncio.Event()

    async def write(self, records: Iterable[bytes]) -> None:
        """Adds records, which are made on the way in a thread."""

        def run() -> None:
            for record in records:
                self.append(_LENGTH.pack(len(record)) + record)

        await asyncio.to_thread(run)
        self._grown.set()

    def complete(self) -> None:
        """Lets readers end once they have all that was written."""
        self._is_complete = True
        self._grown.set()

    async def records(self) -> AsyncIterator[bytes]:
        """All records, as they come."""
        while True:
            if self._read < self.size_bytes:
                yield await asyncio.to_thread(self._next)
            elif self._is_complete:
                return
            else:
                self._grown.clear()
                await self._grown.wait()

    def _next(self) -> bytes:
        (length,) = _LENGTH.unpack(self.read(self._read, _LENGTH.size))
        record = self.read(self._read + _LENGTH.size, length)
        self._read += _LENGTH.size + length
        return record
