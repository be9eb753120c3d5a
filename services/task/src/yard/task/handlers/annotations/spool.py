"""Messages that wait on the disk for a client who reads slowly, so that no transaction waits for it."""

import asyncio
import os
import struct
from collections.abc import AsyncIterator, Iterable
from tempfile import TemporaryFile
from types import TracebackType
from typing import Final, Self

_LENGTH: Final = struct.Struct("<I")


class Spool:
    """Records in a file without a name; one writes them while another reads them in the same order."""

    def __init__(self) -> None:
        self._file = TemporaryFile(buffering=0)  # noqa: SIM115 - __exit__ closes it
        self._written = self._read = 0
        self._is_complete = False
        self._grown = asyncio.Event()

    async def write(self, records: Iterable[bytes]) -> None:
        """Adds records, which are made on the way in a thread."""
        await asyncio.to_thread(self._append, records)
        self._grown.set()

    def complete(self) -> None:
        """Lets readers end once they have all that was written."""
        self._is_complete = True
        self._grown.set()

    async def records(self) -> AsyncIterator[bytes]:
        """All records, as they come."""
        while True:
            if self._read < self._written:
                yield await asyncio.to_thread(self._next)
            elif self._is_complete:
                return
            else:
                self._grown.clear()
                await self._grown.wait()

    def _append(self, records: Iterable[bytes]) -> None:
        for record in records:
            # The place is moved last: what a reader sees is there.
            self._put(_LENGTH.pack(len(record)) + record)

    def _put(self, content: bytes) -> None:
        view, place = memoryview(content), self._written
        while view:
            done = os.pwrite(self._file.fileno(), view, place)
            view, place = view[done:], place + done
        self._written = place

    def _next(self) -> bytes:
        (length,) = _LENGTH.unpack(os.pread(self._file.fileno(), _LENGTH.size, self._read))
        record = os.pread(self._file.fileno(), length, self._read + _LENGTH.size)
        self._read += _LENGTH.size + length
        return record

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
