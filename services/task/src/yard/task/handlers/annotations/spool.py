"""Messages that wait for a client who reads slowly, so that no transaction waits for it."""

import struct
from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Final, Self

_LENGTH: Final = struct.Struct("<I")
MEMORY_BYTES: Final = 4 * 1024 * 1024


class Spool:
    """Records in the order written: in memory while they are few, then in a file without a name."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115 - __exit__ closes it

    def write(self, records: Iterable[bytes]) -> None:
        """Adds records."""
        for record in records:
            self._file.write(_LENGTH.pack(len(record)))
            self._file.write(record)

    def read(self) -> Iterator[bytes]:
        """All records; nothing may be added any more."""
        self._file.seek(0)
        while header := self._file.read(_LENGTH.size):
            yield self._file.read(_LENGTH.unpack(header)[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
