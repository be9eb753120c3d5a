"""Where a job's bytes come from: the parent reads ranges, the child sees a file."""

import asyncio
from pathlib import Path
from typing import Protocol

from yard.runtime import errors


class RangeSource(Protocol):
    """Bytes of a known size, read by range."""

    @property
    def size(self) -> int:
        """Bytes in all."""
        ...

    async def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes; only asked for what lies inside the size."""
        ...


class BytesSource:
    """Bytes in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def size(self) -> int:
        """Bytes in all."""
        return len(self._content)

    async def read(self, offset: int, length: int) -> bytes:
        """The slice."""
        return self._content[offset : offset + length]


class FileSource:
    """A local file, read in a thread; its size is that of the moment of construction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._size = path.stat().st_size
        except FileNotFoundError as exc:
            raise errors.NotFound("file", path.name) from exc

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._size

    async def read(self, offset: int, length: int) -> bytes:
        """The range; Unavailable if the disk does not give it."""
        try:
            return await asyncio.to_thread(self._read, offset, length)
        except OSError as exc:
            raise errors.Unavailable(f"cannot read {self._path.name}: {exc.strerror}") from exc

    def _read(self, offset: int, length: int) -> bytes:
        with self._path.open("rb", buffering=0) as file:
            file.seek(offset)
            return file.read(length)


class _RangeStore(Protocol):
    """The part of Blobs that a source needs."""

    async def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes: ...


class BlobSource:
    """An object of the blob store, read by range requests."""

    def __init__(self, blobs: _RangeStore, key: str, size: int) -> None:
        self._blobs = blobs
        self._key = key
        self._size = size

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._size

    async def read(self, offset: int, length: int) -> bytes:
        """The range; the store's own errors."""
        return await self._blobs.get(self._key, offset=offset, length=length)


class PartSource:
    """A part of another source as if it were all."""

    def __init__(self, whole: RangeSource, offset: int, size: int) -> None:
        self._whole = whole
        self._offset = offset
        self._size = size

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._size

    async def read(self, offset: int, length: int) -> bytes:
        """The range of the part."""
        return await self._whole.read(self._offset + offset, length)
