"""How a JPEG is made: what stands before its first scan."""

from collections.abc import Iterator
from dataclasses import dataclass, field

_SCAN, _TABLES, _PROFILE, _END = 0xDA, 0xDB, 0xE2, b"\xff\xd9"
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ICC = b"ICC_PROFILE\0"
_ICC_BYTES, _FRAME_BYTES = len(_ICC) + 2, 6
"""Bytes before the profile, and before the components."""
_MOST_SEGMENTS = 4096
_LARGEST_PROFILE = 4 << 20

Table = bytes | tuple[int, ...]


@dataclass(slots=True)
class JpegLayout:
    """A header as far as it goes; `scan` is where the first scan begins, 0 if it does not."""

    frame: int = 0
    """The marker of the frame header: 0xC0 and 0xC1 sequential, 0xC2 progressive, others are rare."""
    bits: int = 0
    components: list[tuple[int, int]] = field(default_factory=list)
    """Sampling (horizontal << 4 | vertical) and number of the quantisation table of each."""
    tables: dict[int, Table] = field(default_factory=dict)
    """The 64 steps of each quantisation table, in zigzag order."""
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
        elif marker == _TABLES:
            layout.tables.update(_tables(body))
        elif marker in _FRAMES and len(body) >= _FRAME_BYTES:
            layout.frame, layout.bits, layout.components = marker, body[0], _components(body)
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
