"""Stored members of an uploaded archive, read by ranges out of the bucket."""

import struct
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final

from yard.export.sources.uploads import Located
from yard.runtime import errors
from yard.runtime.blobs import Blobs

_WINDOW_BYTES: Final = 4_194_304
_BLOCK_BYTES: Final = 1_048_576
_HEADER: Final = struct.Struct("<4s5H3I2H")


class Archived:
    """One archive; what is read in the order in which it lies is asked for in long ranges."""

    def __init__(self, blobs: Blobs, file: Located) -> None:
        self._blobs = blobs
        self._file = file
        self._begin = 0
        self._window = b""

    async def member(
        self, offset: int, raw_length: int, size: int, *, after: int = 0
    ) -> AsyncIterator[bytes]:
        """The bytes behind the header at `offset`, without the first `after`, in pieces of at most 1 MiB."""
        begin = offset + await self._header_length(offset, raw_length) + after
        end = begin + size - after
        if end > self._file.size_bytes:
            raise self._damaged()
        if size <= _WINDOW_BYTES:
            content = await self._read(begin, end - begin)
            for start in range(0, len(content), _BLOCK_BYTES):
                yield content[start : start + _BLOCK_BYTES]
            return
        first = self._file.offset + begin
        blocks = self._blobs.stream(self._file.key, offset=first, length=end - begin, chunk=_BLOCK_BYTES)
        async with aclosing(blocks):  # type: ignore[type-var]
            async for block in blocks:
                yield block

    async def _header_length(self, offset: int, raw_length: int) -> int:
        header = await self._read(offset, _HEADER.size)
        signature, _, _, method, _, _, _, _, _, name_length, extra_length = _HEADER.unpack(header)
        if signature != b"PK\x03\x04" or method or name_length != raw_length:
            raise self._damaged()
        return int(_HEADER.size + name_length + extra_length)

    async def _read(self, offset: int, length: int) -> bytes:
        if not (self._begin <= offset and offset + length <= self._begin + len(self._window)):
            wanted = min(max(length, _WINDOW_BYTES), self._file.size_bytes - offset)
            first = self._file.offset + offset
            self._window = await self._blobs.get(self._file.key, offset=first, length=wanted)
            self._begin = offset
        content = self._window[offset - self._begin : offset - self._begin + length]
        if len(content) != length:
            raise self._damaged()
        return content

    def _damaged(self) -> errors.YardError:
        message = f"{self._file.name} is damaged: a member is not where the directory of the zip says"
        return errors.InvalidArgument(message, reason="FILE_REFUSED", metadata={"file": self._file.name})
