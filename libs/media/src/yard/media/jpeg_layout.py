"""How a JPEG is made: what stands before its first scan."""

from collections.abc import Iterator
from dataclasses import dataclass, field

_SCAN, _TABLES, _CODES, _RESTARTS, _PROFILE, _END = 0xDA, 0xDB, 0xC4, 0xDD, 0xE2, b"\xff\xd9"
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ICC = b"ICC_PROFILE\0"
_ICC_BYTES, _FRAME_BYTES = len(_ICC) + 2, 6
"""Bytes before the profile, and before the components."""
_MOST_SEGMENTS = 4096
_LARGEST_PROFILE = 4 << 20

Table = bytes | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ScanHeader:
    """What stands before the data of the first scan."""

    names: bytes
    """Of the components that are in it, a byte each."""
    tables: tuple[int, ...]
    """The numbers of their Huffman tables (DC << 4 | AC)."""
    spectrum: bytes
    """First and last coefficient, and bits of approximation: 0, 63, 0 in a sequential one."""
    data: int
    """Where it begins."""


@dataclass(slots=True)
class JpegLayout:
    """A header as far as it goes; `scan` is where the first scan begins, 0 if it does not."""

    frame: int = 0
    """The marker of the frame header: 0xC0 and 0xC1 sequential, 0xC2 progressive, others are rare."""
    bits: int = 0
    width: int = 0
    height: int = 0
    names: bytes = b""
    """Of the components, a byte each."""
    components: list[tuple[int, int]] = field(default_factory=list)
    """Sampling (horizontal << 4 | vertical) and number of the quantisation table of each."""
    tables: dict[int, Table] = field(default_factory=dict)
    """The 64 steps of each quantisation table, in zigzag order."""
    codes: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    """Huffman tables by class << 4 | number (class 0 DC, 1 AC): counts of codes by bits, and symbols."""
    restart_interval: int = 0
    """MCUs between two markers, 0 if there are none."""
    first_scan: ScanHeader | None = None
    profile_parts: dict[int, bytes] = field(default_factory=dict)
    scan: int = 0

    @property
    def profile(self) -> bytes | None:
        """The colour profile, if there is one of a size that makes sense."""
        joined = b"".join(self.profile_parts[number] for number in sorted(self.profile_parts))
        return joined if 0 < len(joined) <= _LARGEST_PROFILE else None

    def is_whole(self, content: bytes) -> bool:
        """Whether there is a frame, a scan, and an end behind it."""
        return bool(self.scan and self.components) and content.rfind(_END, self.scan) > 0


def jpeg_layout(content: bytes) -> JpegLayout:
    """The layout of a JPEG; what makes no sense ends it early."""
    layout = JpegLayout()
    for marker, body, offset in _segments(content):
        if marker == _SCAN:
            layout.scan = offset
            layout.first_scan = _scan(body, offset + 4 + len(body))
        elif marker == _TABLES:
            layout.tables.update(_tables(body))
        elif marker == _CODES:
            layout.codes.update(_codes(body))
        elif marker == _RESTARTS and len(body) == 2:
            layout.restart_interval = _two(body, 0)
        elif marker in _FRAMES and len(body) >= _FRAME_BYTES:
            layout.frame, layout.bits, layout.components = marker, body[0], _components(body)
            layout.height, layout.width = _two(body, 1), _two(body, 3)
            layout.names = body[_FRAME_BYTES : _FRAME_BYTES + 3 * body[5] : 3]
        elif marker == _PROFILE and body.startswith(_ICC) and len(body) > _ICC_BYTES:
            layout.profile_parts.setdefault(body[len(_ICC)], body[_ICC_BYTES:])
    return layout


def _segments(content: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Marker, body and offset of whole segments, up to the first scan."""
    offset = 2
    for _ in range(_MOST_SEGMENTS):
        head = content[offset : offset + 4]
        if len(head) < 4 or head[0] != 0xFF:
            return
        marker, length = head[1], head[2] << 8 | head[3]
        if marker == 0xFF or marker in _ALONE:
            offset += 1 if marker == 0xFF else 2
            continue
        end = offset + 2 + length
        if length < 2 or end > len(content):
            return
        yield marker, content[offset + 4 : end], offset
        if marker == _SCAN:
            return
        offset = end


def _two(body: bytes, at: int) -> int:
    return body[at] << 8 | body[at + 1]


def _components(body: bytes) -> list[tuple[int, int]]:
    described = body[_FRAME_BYTES : _FRAME_BYTES + 3 * body[5]]
    return [(described[at + 1], described[at + 2]) for at in range(0, len(described) - 2, 3)]


def _tables(body: bytes) -> Iterator[tuple[int, Table]]:
    offset = 0
    while offset < len(body):
        is_wide, number = body[offset] >> 4, body[offset] & 15
        size = 128 if is_wide else 64
        steps = body[offset + 1 : offset + 1 + size]
        if len(steps) < size:
            return
        yield number, tuple(steps[at] << 8 | steps[at + 1] for at in range(0, 128, 2)) if is_wide else steps
        offset += 1 + size


def _codes(body: bytes) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    offset = 0
    while offset < len(body):
        counts = body[offset + 1 : offset + 17]
        symbols = body[offset + 17 : offset + 17 + sum(counts)]
        if len(counts) < 16 or len(symbols) < sum(counts):
            return
        yield body[offset], (counts, symbols)
        offset += 17 + len(symbols)


def _scan(body: bytes, data: int) -> ScanHeader | None:
    if not body or len(body) != 4 + 2 * body[0]:
        return None
    names, tables = (body[first : 1 + 2 * body[0] : 2] for first in (1, 2))
    return ScanHeader(names=names, tables=tuple(tables), spectrum=body[-3:], data=data)
