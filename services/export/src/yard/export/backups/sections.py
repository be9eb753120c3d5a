"""Records one behind the other, each behind its length; a section is a stretch of them, by its bytes."""

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

LENGTH: Final = struct.Struct("<I")
_BUFFERED_BYTES: Final = 65_536
_STORED: Final = struct.Struct("<QHQ")


class Section(NamedTuple):
    """From `begin` to before `end`."""

    begin: int
    end: int


class Stored(NamedTuple):
    """A stored member: where its header stands, the length of its name in there, and its own length."""

    offset: int
    raw_length: int
    size: int

    def packed(self, content: bytes) -> bytes:
        """A record of it, with something that goes with it."""
        return _STORED.pack(*self) + content


def unpacked(record: bytes) -> tuple[Stored, bytes]:
    """The member of a record, and what goes with it."""
    return Stored(*_STORED.unpack_from(record)), record[_STORED.size :]


class Writer:
    """Gathers records and hands them on."""

    def __init__(self, emit: Callable[[bytes], None]) -> None:
        self._emit = emit
        self._held = bytearray()
        self.size = 0

    def add(self, record: bytes) -> None:
        """One more."""
        self._held += LENGTH.pack(len(record)) + record
        self.size += LENGTH.size + len(record)
        if len(self._held) >= _BUFFERED_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hands on what is held."""
        if self._held:
            self._emit(bytes(self._held))
            self._held.clear()
