"""The bytes of TFRecord files: records with checksums, each with a tf.train.Example inside.

Examples are written and read by hand: that is several times faster than through objects for each number, and
what is read may be hostile and may hold an image of many MiB that nobody asks for.
"""

import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import BinaryIO, Final

import google_crc32c
from yard.export.archives.refusals import refused

LONGEST_RECORD: Final = 128 << 20
"""Bytes; an image may be inside."""
_HEAD, _FOOT = struct.Struct("<QL"), struct.Struct("<L")
_LENGTH = struct.Struct("<Q")
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
# Tags of a field 1, 2 or 3 that has a length.
_FIRST, _SECOND, _THIRD = 0x0A, 0x12, 0x1A
# Tags of a field 1 of numbers that are not packed.
_FLOAT, _INTEGER = 0x0D, 0x08
_MOST_FEATURES: Final = 4096
TEXTS, FLOATS, NUMBERS = 1, 2, 3
"""Kinds of lists of values, which are numbers of fields too."""


class WireError(ValueError):
    """A message that no writer of protobuf makes."""


def masked(data: bytes) -> int:
    """The checksum as it stands in the file."""
    checksum: int = google_crc32c.value(data)
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF


def framed(record: bytes) -> bytes:
    """The record with its length and both checksums."""
    length = _LENGTH.pack(len(record))
    return b"%b%b%b%b" % (length, _FOOT.pack(masked(length)), record, _FOOT.pack(masked(record)))


def records(file: BinaryIO, name: str) -> Iterator[bytes]:
    """The records of a file, one in memory at a time; what is damaged is refused."""
    number = 1
    while head := file.read(_HEAD.size):
        where = f"{name}, record {number}"
        if len(head) < _HEAD.size:
            raise refused(where, "is cut off")
        length, checksum = _HEAD.unpack(head)
        if masked(head[: _LENGTH.size]) != checksum:
            raise refused(where, "the length does not fit its checksum: no TFRecord, or damaged")
        if length > LONGEST_RECORD:
            raise refused(where, f"has {length} bytes, at most {LONGEST_RECORD} are read")
        record, foot = file.read(length), file.read(_FOOT.size)
        if len(record) < length or len(foot) < _FOOT.size:
            raise refused(where, "is cut off")
        if masked(record) != _FOOT.unpack(foot)[0]:
            raise refused(where, "the content does not fit its checksum")
        yield record
        number += 1


def varint(number: int) -> bytes:
    """A number of 0 or more as protobuf has it."""
    if number < 0x80:
        return _SMALL[number]
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


_SMALL = [bytes([number]) for number in range(0x80)]


def sized(tag: int, content: bytes) -> bytes:
    """A field with a length."""
    return b"%c%b%b" % (tag, varint(len(content)), content)


def text_value(value: bytes) -> bytes:
    """One of a list of texts."""
    return sized(_FIRST, value)


def feature(key: str, kind: int, values: bytes) -> bytes:
    """A named list: joined `text_value`s, or packed floats or numbers."""
    return _head(key, kind, len(values)) + values


@lru_cache(4096)
def _head(key: str, kind: int, size: int) -> bytes:
    """All of a feature before its values: most lists of a file are as long as others."""
    head = b""
    is_packed = kind != TEXTS and size
    for tag in (_FIRST, kind << 3 | _BYTES, _SECOND)[0 if is_packed else 1 :]:
        head = b"%c%b%b" % (tag, varint(len(head) + size), head)
    head = sized(_FIRST, key.encode()) + head
    return b"%c%b%b" % (_FIRST, varint(len(head) + size), head)


def example(features: Iterable[bytes]) -> bytes:
    """A tf.train.Example with these features."""
    return sized(_FIRST, b"".join(features))


def lists(record: bytes, wanted: frozenset[bytes]) -> dict[bytes, tuple[int, int, int]]:
    """Of each wanted feature the kind of its list and where its content begins and ends."""
    found = {}
    for tag, start, stop in _fields(record, 0, len(record)):
        if tag == _FIRST:
            for count, (inner, begin, end) in enumerate(_fields(record, start, stop)):
                if count >= _MOST_FEATURES:
                    raise WireError(f"has more than {_MOST_FEATURES} features")
                key, place = _entry(record, begin, end, wanted) if inner == _FIRST else (None, (0, 0, 0))
                if key is not None:
                    found[key] = place
    return found


def _entry(
    record: bytes, start: int, stop: int, wanted: frozenset[bytes]
) -> tuple[bytes | None, tuple[int, int, int]]:
    key, place = None, (0, 0, 0)
    for tag, begin, end in _fields(record, start, stop):
        if tag == _FIRST:
            # No wanted name is longer.
            key = record[begin : min(end, begin + 64)]
            if key not in wanted:
                return None, place
        elif tag == _SECOND:
            for kind, first, last in _fields(record, begin, end):
                if kind in (_FIRST, _SECOND, _THIRD):
                    place = (kind >> 3, first, last)
    return key, place


def floats(record: bytes, start: int, stop: int, most: int) -> bytes:
    """The values of a list of floats, packed or not, as little-endian bytes of 4 each."""
    packed = bytearray()
    for tag, begin, end in _fields(record, start, stop):
        if tag in (_FIRST, _FLOAT):
            packed += record[begin:end]
        if len(packed) > 4 * most:
            raise WireError(f"a list of floats has more than {most} values")
    if len(packed) % 4:
        raise WireError("a list of floats has no whole number of values")
    return bytes(packed)


def numbers(record: bytes, start: int, stop: int, most: int) -> list[int]:
    """The values of a list of numbers, packed or not."""
    found: list[int] = []
    for tag, begin, end in _fields(record, start, stop):
        if tag == _FIRST:
            if end - begin <= most and record[begin:end].isascii():
                found += record[begin:end]
            else:
                place = begin
                while place < end and len(found) <= most:
                    value, place = _number(record, place, end)
                    found.append(value)
        elif tag == _INTEGER:
            found.append(_number(record, begin, end)[0])
        if len(found) > most:
            raise WireError(f"a list of numbers has more than {most} values")
    return found


def texts(record: bytes, start: int, stop: int, most: int) -> list[bytes]:
    """The values of a list of texts."""
    found: list[bytes] = []
    for tag, begin, end in _fields(record, start, stop):
        if tag == _FIRST:
            found.append(record[begin:end])
        if len(found) > most:
            raise WireError(f"a list of texts has more than {most} values")
    return found


def _fields(data: bytes, place: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Tag, begin and end of the content of each field."""
    while place < end:
        tag = data[place]
        place += 1
        if tag > 0x7F:
            tag, place = _number(data, place - 1, end)
        wire = tag & 7
        begin = place
        if wire == _BYTES:
            size, begin = _number(data, place, end)
            place = begin + size
        elif wire == _VARINT:
            _, place = _number(data, place, end)
        elif wire in (_FIXED_32, _FIXED_64):
            place += 4 if wire == _FIXED_32 else 8
        else:
            raise WireError(f"a field has the unknown type {wire}")
        if place > end:
            raise WireError("a field reaches beyond its message")
        yield tag, begin, place


def _number(data: bytes, place: int, end: int) -> tuple[int, int]:
    """A varint and where the next field begins."""
    found = shift = 0
    while place < end and shift < 70:
        byte = data[place]
        place += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found, place
        shift += 7
    raise WireError("a number is cut off or too long")
