"""The central directory of a zip, found from its end and read as a stream of records."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from yard.media.byte_window import read_fully
from yard.media.errors import MediaError

_END = struct.Struct("<4s4H2IH")
_LOCATOR = struct.Struct("<4sIQI")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_RECORD = struct.Struct("<4s2B5H3I5H2I")
_LONGEST_COMMENT = 65_535
_PIECE = 1 << 18
_LONGEST_RECORD = _RECORD.size + 3 * 65_535
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF
_UTF_8_NAME = 0x800
_ZIP_64, _UNICODE_PATH = 0x0001, 0x7075


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryPlace:
    """Where the directory lies; `shift` is what stands before the archive and is not in its offsets."""

    offset: int
    size: int
    count: int
    shift: int


class Record(NamedTuple):
    """One member as the directory describes it; `offset` is of its local header, in the file."""

    raw_name: bytes
    name: str
    system: int
    flags: int
    method: int
    crc32: int
    packed: int
    size: int
    attributes: int
    offset: int


def find_directory(file: BinaryIO | io.RawIOBase) -> DirectoryPlace:
    """MediaError for what is no zip, is cut off or is a part of several."""
    file_size = file.seek(0, io.SEEK_END)
    tail_offset = max(0, file_size - _LONGEST_COMMENT - _END.size - _LOCATOR.size - _END_64.size)
    file.seek(tail_offset)
    tail = read_fully(file, file_size - tail_offset)
    at = _end_record(tail)
    _, disk, first_disk, _, count, size, offset, _ = _END.unpack_from(tail, at)
    end = tail_offset + at
    locator_at = at - _LOCATOR.size
    if locator_at >= 0 and tail[locator_at : locator_at + 4] == b"PK\x06\x07":
        end, record = _end_64(file, _LOCATOR.unpack_from(tail, locator_at)[2], tail_offset + locator_at)
        _, _, _, _, disk, first_disk, _, count, size, offset = record
    if disk not in {0, _FULL_16} or first_disk not in {0, _FULL_16}:
        raise MediaError("unsupported", "is a part of a zip in several files")
    shift = end - size - offset
    if shift < 0:
        raise MediaError("invalid_media", "is a zip whose directory does not fit into it")
    return DirectoryPlace(offset=end - size, size=size, count=count, shift=shift)


def _end_record(tail: bytes) -> int:
    """Where the last end record whose comment fits stands."""
    at = len(tail) - _END.size + 4
    while (at := tail.rfind(b"PK\x05\x06", 0, max(0, at))) >= 0:
        fits = at + _END.size <= len(tail)
        if fits and at + _END.size + _END.unpack_from(tail, at)[7] <= len(tail):
            return at
        at += 3
    raise MediaError("truncated", "is a zip without its directory, which stands at the end")


def _end_64(file: BinaryIO | io.RawIOBase, told: int, locator: int) -> tuple[int, tuple[int, ...]]:
    """Where the large end record stands and what it holds; what precedes the archive moves it."""
    for offset in (told, locator - _END_64.size):
        if 0 <= offset <= locator - _END_64.size:
            file.seek(offset)
            record = read_fully(file, _END_64.size)
            if record[:4] == b"PK\x06\x06":
                return offset, _END_64.unpack(record)
    raise MediaError("invalid_media", "is a zip without its large end record")


def read_directory(file: BinaryIO | io.RawIOBase, place: DirectoryPlace) -> Iterator[Record]:
    """All records, read in pieces of 256 KiB; the file may be used for other reads in between."""
    buffer, read, count = b"", 0, 0
    while True:
        file.seek(place.offset + read)
        piece = read_fully(file, min(_PIECE, place.size - read))
        if not piece and read < place.size:
            raise MediaError("truncated", "is a zip that ends within its directory")
        read += len(piece)
        buffer += piece
        at = 0
        needed = _LONGEST_RECORD if read < place.size else 1
        while len(buffer) - at >= needed:
            record, at = _record(buffer, at, place.shift)
            count += 1
            yield record
        buffer = buffer[at:]
        if read == place.size:
            break
    if count & _FULL_16 != place.count & _FULL_16:
        raise MediaError("invalid_media", f"is a zip that lists {count} members and claims {place.count}")


def _record(buffer: bytes, at: int, shift: int) -> tuple[Record, int]:
    if len(buffer) - at < _RECORD.size:
        raise _damaged()
    (signature, _, system, _, flags, method, _, _, crc32, packed, size, name_size, extra_size, comment_size,
     _, _, attributes, offset) = _RECORD.unpack_from(buffer, at)  # fmt: skip
    names = at + _RECORD.size
    extras = names + name_size
    end = extras + extra_size + comment_size
    if signature != b"PK\x01\x02" or end > len(buffer):
        raise _damaged()
    raw_name = buffer[names:extras]
    unicode_name = None
    if extra_size:
        extra = _extra_fields(buffer[extras : extras + extra_size])
        size, packed, offset = _large_numbers(extra.get(_ZIP_64, b""), size, packed, offset)
        unicode_name = _unicode_name(extra.get(_UNICODE_PATH, b""), raw_name)
    name = _name(raw_name, flags) if unicode_name is None else unicode_name
    record = Record(raw_name, name, system, flags, method, crc32, packed, size, attributes, offset + shift)
    return record, end


def _extra_fields(extra: bytes) -> dict[int, bytes]:
    """Extra fields by their number; what does not parse at the end is left out, as it is often padding."""
    fields: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(extra):
        number, size = struct.unpack_from("<HH", extra, at)
        fields.setdefault(number, extra[at + 4 : at + 4 + size])
        at += 4 + size
    return fields


def _large_numbers(field: bytes, *numbers: int) -> tuple[int, ...]:
    """Numbers that did not fit into 32 bits stand in the extra field, in the same order."""
    taken: list[int] = []
    at = 0
    for number in numbers:
        if number == _FULL_32 and at + 8 <= len(field):
            taken.append(int.from_bytes(field[at : at + 8], "little"))
            at += 8
        else:
            taken.append(number)
    return tuple(taken)


def _unicode_name(field: bytes, raw_name: bytes) -> str | None:
    """The name in UTF-8 that some archivers add; it counts only while the plain name is still the same."""
    if len(field) < 6 or field[0] != 1 or int.from_bytes(field[1:5], "little") != zlib.crc32(raw_name):
        return None
    try:
        return field[5:].decode()
    except UnicodeDecodeError:
        return None


def _name(raw: bytes, flags: int) -> str:
    """UTF-8 where it is valid, as many archivers write it without saying so; else the old code page."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace") if flags & _UTF_8_NAME else raw.decode("cp437")


def _damaged() -> MediaError:
    return MediaError("invalid_media", "is a zip with a damaged directory")
