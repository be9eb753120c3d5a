"""Whether a video file is as long as its own headers say: readers of cut files often end without a word."""

import io
from typing import BinaryIO

_MOST_BOXES = 64
_TOP_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_EBML, _SEGMENT = b"\x1aE\xdf\xa3", b"\x18\x53\x80\x67"


def missing(file: BinaryIO) -> str:
    """What lacks, for people ("is cut off: 500 of at least 700 bytes are there"), or "" if nothing does."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    expected = _expected(file, file.read(512), size)
    file.seek(0)
    return f"is cut off: {size} of at least {expected} bytes are there" if expected > size else ""


def _expected(file: BinaryIO, head: bytes, size: int) -> int:
    """Bytes that the headers promise, as far as they do; at least 0."""
    if head[4:8] in _TOP_BOXES:
        return _end_of_boxes(file, size)
    if head.startswith(_EBML):
        return _end_of_segment(head)
    if head.startswith(b"RIFF"):
        return 8 + int.from_bytes(head[4:8], "little")
    for packet, sync in ((188, 0), (192, 4)):
        syncs = head[sync::packet]
        if len(syncs) > 1 and set(syncs) == {0x47}:
            return -(-size // packet) * packet
    return 0


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    """Where the last box of an mp4 ends; files of many fragments are not followed to their end."""
    position = 0
    for _ in range(_MOST_BOXES):
        if position >= size:
            break
        file.seek(position)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:  # 0 is "to the end of the file"; others make no sense
            return 0
        position += length
    return position


def _end_of_segment(head: bytes) -> int:
    """Where the only large element of a Matroska file ends; 0 if it was written without a length."""
    header, start = _element_size(head, 4)
    segment = start + header
    if head[segment : segment + 4] != _SEGMENT:
        return 0
    length, start = _element_size(head, segment + 4)
    return start + length if length else 0


def _element_size(head: bytes, position: int) -> tuple[int, int]:
    """An EBML length, 0 if it is unknown, and where it ends."""
    first = head[position] if position < len(head) else 0
    if not first:
        return 0, position
    width = 9 - first.bit_length()
    value = int.from_bytes(head[position : position + width], "big") & ((1 << 7 * width) - 1)
    is_unknown = value == (1 << 7 * width) - 1
    return (0 if is_unknown else value), position + width
