from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class MemoryHost:
    """The parent of a job, in this process: sources are bytes."""

    sources: Mapping[str, bytes]
    emitted: bytearray = field(default_factory=bytearray)
    told: list[float] = field(default_factory=list)

    def open(self, name: str, /) -> io.RawIOBase:
        return Source(self.sources[name])

    def emit(self, chunk: bytes, /) -> None:
        self.emitted += chunk

    def progress(self, fraction: float, /) -> None:
        self.told.append(fraction)


class Source(io.RawIOBase):
    """Bytes as a raw file."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._file = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        return self._file.readinto(buffer)
