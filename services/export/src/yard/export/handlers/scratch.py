"""A file without a name for what one piece of work puts aside; it goes with the process."""

import asyncio
import os
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

_PENDING_BYTES = 1 << 20


class Scratch:
    """Bytes written once from the front, then read by range."""

    def __init__(self) -> None:
        self._file = TemporaryFile(buffering=0)  # noqa: SIM115 - __exit__ closes it
        self._pending = bytearray()
        self.size = 0
        """Bytes in all."""

    async def append(self, content: bytes) -> None:
        """Writes behind what is there; small pieces wait until they are worth it."""
        self._pending += content
        self.size += len(content)
        if len(self._pending) >= _PENDING_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Writes what still waits, so that it can be read."""
        content, self._pending = bytes(self._pending), bytearray()
        await asyncio.to_thread(self._write, content)

    async def read(self, offset: int, length: int) -> bytes:
        """The range."""
        return await asyncio.to_thread(os.pread, self._file.fileno(), length, offset)

    def _write(self, content: bytes) -> None:
        view = memoryview(content)
        while view.nbytes:
            view = view[self._file.write(view) :]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
