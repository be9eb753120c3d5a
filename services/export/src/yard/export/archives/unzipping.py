"""The bytes of members of a zip, checked as they come: length, checksum, no more than was announced."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import BinaryIO, Final, NamedTuple

from yard.export.archives.refusals import refused
from yard.media.byte_window import read_fully

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_STORED: Final = 0
_SMALL: Final = 1 << 20
"""Members up to this length are unpacked at once."""
_PIECE: Final = 1 << 16
_SLACK: Final = 64


class Member(NamedTuple):
    """A member as the directory describes it."""

    name: str
    offset: int
    raw_length: int
    """Of its name, bytes."""
    packed: int
    size: int
    crc32: int
    method: int


def unpacked(file: BinaryIO, member: Member) -> BinaryIO:
    """The content of a member, readable once from the front."""
    head_size = _LOCAL.size + member.raw_length
    is_small = max(member.size, member.packed) <= _SMALL
    file.seek(member.offset)
    head = read_fully(file, head_size + _SLACK + (member.packed if is_small else 0))
    if len(head) < head_size or head[:4] != b"PK\x03\x04":
        raise refused(member.name, "is not where the directory of the zip says")
    _, _, _, method, _, _, _, _, _, name_size, extra_size = _LOCAL.unpack_from(head)
    if name_size != member.raw_length or method != member.method:
        raise refused(member.name, "is another file than the directory of the zip says")
    begin = head_size + extra_size
    if is_small and len(head) >= begin + member.packed:
        return io.BytesIO(_whole(head[begin : begin + member.packed], member))
    return io.BufferedReader(_Streamed(file, member, member.offset + begin), _PIECE)


def _whole(packed: bytes, member: Member) -> bytes:
    if member.method == _STORED:
        content = packed
    else:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = unpacker.decompress(packed, member.size + 1)
        except zlib.error as fault:
            raise refused(member.name, f"does not unpack: {fault}") from fault
    _check(member, len(content), zlib.crc32(content))
    return content


def _check(member: Member, size: int, checksum: int) -> None:
    if size != member.size:
        raise refused(member.name, f"unpacks to other than the {member.size} bytes that the zip says")
    if checksum != member.crc32:
        raise refused(member.name, "is damaged: its content has another checksum than the zip says")


class _Streamed(io.RawIOBase):
    """A long member; the file may be used for others in between."""

    def __init__(self, file: BinaryIO, member: Member, offset: int) -> None:
        super().__init__()
        self._file = file
        self._member = member
        self._next = offset
        self._left = member.packed
        self._size = self._checksum = 0
        self._is_over = False
        self._read = self._stored if member.method == _STORED else self._inflating()

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Some bytes, none at the end; RefusedError if the content is not what the zip says."""
        view = memoryview(buffer).cast("B")
        if self._is_over or not view.nbytes:
            return 0
        try:
            content = self._read(view.nbytes)
        except zlib.error as fault:
            raise refused(self._member.name, f"does not unpack: {fault}") from fault
        self._size += len(content)
        self._checksum = zlib.crc32(content, self._checksum)
        if not content or self._size > self._member.size:
            self._is_over = True
            _check(self._member, self._size, self._checksum)
        view[: len(content)] = content
        return len(content)

    def _stored(self, most: int) -> bytes:
        return self._packed(most)

    def _inflating(self) -> Callable[[int], bytes]:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        left = b""

        def read(most: int) -> bytes:
            nonlocal left
            while not unpacker.eof:
                packed = left or self._packed(_PIECE)
                content = unpacker.decompress(packed, most)
                left = unpacker.unconsumed_tail
                if content or not packed:
                    return content
            return b""

        return read

    def _packed(self, most: int) -> bytes:
        self._file.seek(self._next)
        content = read_fully(self._file, min(most, self._left))
        self._next += len(content)
        self._left -= len(content)
        return content
