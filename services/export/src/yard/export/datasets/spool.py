"""Records on their way from the network to a format, which may want to read them more than once.

Small data sets stay in memory; larger ones go to a file that has no name and vanishes with the process.
"""

import struct
from array import array
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

    def between(self, begin: int, end: int) -> Iterator[bytes]:
        """The records from the one at a place to the one that ends at another."""
        while begin < end:
            record = self.at(begin)
            begin += _LENGTH.size + len(record)
            yield record

    def __iter__(self) -> Iterator[bytes]:
        return self.between(0, self._end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class Strand:
    """The records of one of several writers of a spool: many tasks need no file each."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        # Where runs of own records begin and end; mostly there is one.
        self._begins, self._ends = array("q"), array("q")

    def __bool__(self) -> bool:
        return len(self._begins) > 0

    def append(self, record: bytes) -> None:
        """Writes a record behind all that the spool holds."""
        begin = self._spool.end
        self._spool.append(record)
        if self._ends and self._ends[-1] == begin:
            self._ends[-1] = self._spool.end
        else:
            self._begins.append(begin)
            self._ends.append(self._spool.end)

    def __iter__(self) -> Iterator[bytes]:
        for begin, end in zip(self._begins, self._ends, strict=True):
            yield from self._spool.between(begin, end)
