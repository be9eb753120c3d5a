"""What a zip says of its members: their headers, and the central directory, kept in a file until the end."""

import struct
from array import array
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
from yard.runtime import errors

_MEMORY_BYTES = 1_048_576
_BLOCK_BYTES = 262_144
_LOCAL = struct.Struct("<4s5HLLL2H")
_CENTRAL = struct.Struct("<4s4B4HLLL5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_DESCRIPTOR = struct.Struct("<4sLQQ")
_SIZES_64 = struct.Struct("<HHQQ")
_HEAD_BYTES = _CENTRAL.size
_PLAIN, _LARGE = 20, 45
_UTF_8, _SIZES_FOLLOW = 0x800, 0x8
_STORED, _DEFLATED = 0, 8
# The oldest time that a zip can tell (1 January 1980, 0:00): the real one would make equal content differ.
_TIME, _DATE = 0, 33
_UNIX = 3
_REGULAR_FILE = 0o100644 << 16
_MOST_32 = 0xFFFF_FFFF
_MOST_16 = 0xFFFF
# Readers take numbers from here on as signed.
_SAFE_32 = 0x7FFF_FFFF


class Entry(NamedTuple):
    """A member: `streamed` ones have their sizes behind the data, as 64-bit numbers."""

    name: bytes
    deflated: bool
    streamed: bool
    crc: int
    packed: int
    size: int


def local_header(entry: Entry) -> bytes:
    """What stands in front of the data."""
    method = _DEFLATED if entry.deflated else _STORED
    if not entry.streamed:
        return (
            _LOCAL.pack(
                b"PK\3\4",
                _PLAIN,
                _UTF_8,
                method,
                _TIME,
                _DATE,
                entry.crc,
                entry.packed,
                entry.size,
                len(entry.name),
                0,
            )
            + entry.name
        )
    flags = _UTF_8 | _SIZES_FOLLOW
    fixed = (b"PK\3\4", _LARGE, flags, method, _TIME, _DATE, 0, _MOST_32, _MOST_32, len(entry.name), 20)
    return _LOCAL.pack(*fixed) + entry.name + _SIZES_64.pack(1, 16, 0, 0)


def descriptor(entry: Entry) -> bytes:
    """What stands behind the data of a streamed member."""
    return _DESCRIPTOR.pack(b"PK\7\x08", entry.crc, entry.packed, entry.size)


class Directory:
    """The central directory of one archive; its members must be added in the order of the archive."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115 - __exit__ closes it
        self._hashes = array("q")
        self._offset = 0
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, entry: Entry) -> None:
        """Takes a member whose header stands where the one before has ended."""
        if len(entry.name) > _MOST_16:
            raise errors.Internal(f"the name of a member has {len(entry.name)} bytes")
        record = _central(entry, self._offset)
        self._file.write(record)
        self._bytes += len(record)
        self._hashes.append(hash(entry.name))
        self._offset += _LOCAL.size + len(entry.name) + entry.packed
        if entry.streamed:
            self._offset += _SIZES_64.size + _DESCRIPTOR.size

    def finished(self) -> Iterator[bytes]:
        """The end of the archive; Internal if two members have the same name."""
        self._check_names()
        self._file.seek(0)
        while block := self._file.read(_BLOCK_BYTES):
            yield block
        yield self._end()

    def _end(self) -> bytes:
        count, place = len(self._hashes), self._offset
        large = b""
        if count >= _MOST_16 or place > _SAFE_32 or self._bytes > _SAFE_32:
            large = _END_64.pack(
                b"PK\6\6", _END_64.size - 12, _LARGE, _LARGE, 0, 0, count, count, self._bytes, place
            ) + _LOCATOR.pack(b"PK\6\7", 0, place + self._bytes, 1)
        short = min(count, _MOST_16)
        size, begin = min(self._bytes, _MOST_32), min(place, _MOST_32)
        return large + _END.pack(b"PK\5\6", 0, 0, short, short, size, begin, 0)

    def _check_names(self) -> None:
        """Compares names only where hashes are equal: a million names would be too much to hold."""
        hashes = np.sort(np.frombuffer(self._hashes, dtype=np.int64))
        suspected = set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())
        if not suspected:
            return
        seen = set()
        for name in self._names():
            if hash(name) in suspected:
                if name in seen:
                    raise errors.Internal(f"two members of the archive are called {name.decode()!r}")
                seen.add(name)

    def _names(self) -> Iterator[bytes]:
        place = 0
        while place < self._bytes:
            self._file.seek(place)
            fields = _CENTRAL.unpack(self._file.read(_HEAD_BYTES))
            name_bytes, extra_bytes = fields[12], fields[13]
            yield self._file.read(name_bytes)
            place += _HEAD_BYTES + name_bytes + extra_bytes


def _central(entry: Entry, offset: int) -> bytes:
    """The record of one member; numbers that do not fit into 32 bits stand behind the name."""
    numbers = (entry.size, entry.packed, offset)
    large = [number for number in numbers if number > _SAFE_32]
    size, packed, begin = (_MOST_32 if number > _SAFE_32 else number for number in numbers)
    extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    version = _LARGE if large or entry.streamed else _PLAIN
    head = _CENTRAL.pack(
        b"PK\1\2",
        version,
        _UNIX,
        version,
        0,
        _UTF_8 | (_SIZES_FOLLOW if entry.streamed else 0),
        _DEFLATED if entry.deflated else _STORED,
        _TIME,
        _DATE,
        entry.crc,
        packed,
        size,
        len(entry.name),
        len(extra),
        0,
        0,
        0,
        _REGULAR_FILE,
        begin,
    )
    return head + entry.name + extra
