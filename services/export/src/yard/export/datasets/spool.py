"""Records on their way from the network to a format, which may want to read them more than once.

Small data sets stay in memory; larger ones go to a file that has no name and vanishes with the process.
"""

import struct
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

_LENGTH = struct.Struct("<I")


class Spool:
    """Records of bytes in the order written; several readers may be under way at the same time."""

    def __init__(self, memory_bytes: int) -> None:
        # Python takes 0 for no limit.
        self._file = SpooledTemporaryFile(max_size=max(1, memory_bytes))  # noqa: SIM115 - __exit__ closes it
        self._end = 0

    @property
    def end(self) -> int:
        """Place of the record that is written next."""
        return self._end

    def append(self, record: bytes) -> None:
        """Writes a record behind the last one."""
        self._file.seek(self._end)
        self._file.write(_LENGTH.pack(len(record)))
        self._file.write(record)
        self._end += _LENGTH.size + len(record)

    def at(self, place: int) -> bytes:
        """The record that was written at a place."""
        self._file.seek(place)
        (length,) = _LENGTH.unpack(self._file.read(_LENGTH.size))
        return self._file.read(length)

    def __iter__(self) -> Iterator[bytes]:
        place = 0
        while place < self._end:
            record = self.at(place)
            place += _LENGTH.size + len(record)
            yield record

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
