"""JPEGs to coarser ones without their pixels: in less time, and with no loss but that of coarser steps."""

import struct

import simplejpeg
from yard.media.colour_profiles import is_foreign
from yard.media.decode_image import LARGEST_PIXELS
from yard.media.jpeg_layout import JpegLayout, Table
from yard.media.jpeg_passing import is_sampled_as_ours, our_steps
from yard.native.jpeg_scan import CoarserScan, Codes, Component, Scan, requantise

_SEQUENTIAL = frozenset((0xC0, 0xC1))
_WHOLE_SPECTRUM = bytes((0, 63, 0))
_COLOURS = {1: "Gray", 3: "YCbCr"}
_LARGEST_STEP = 255
"""Of what every decoder reads."""
_BEGIN, _END = b"\xff\xd8", b"\xff\xd9"
_JFIF = b"JFIF\0" + bytes((1, 1, 0, 0, 1, 0, 1, 0, 0))
_TABLE_CLASSES = (0x00, 0x10, 0x01, 0x11)
"""DC and AC of brightness, DC and AC of colours."""


def requantised(content: bytes, layout: JpegLayout, quality: int) -> bytes | None:
    """The same upright picture with our steps at the quality, or its own where they are coarser.

    None for what has to go by way of its pixels: other kinds than sequential ones of 8 bits that are gray or
    have a quarter of the samples for colours, other colour spaces, damage. The result has no metadata.
    """
    scan = _scan(content, layout, quality)
    coarser = requantise(content, scan) if scan else None
    if scan is None or coarser is None:
        return None
    return _file(layout, [bytes(component.coarser) for component in scan.components], coarser)


def _scan(content: bytes, layout: JpegLayout, quality: int) -> Scan | None:
    if not _is_fit(content, layout):
        return None
    components = _components(layout, quality)
    header = layout.first_scan
    if components is None or header is None:
        return None
    side = 8 if len(components) == 1 else 16
    return Scan(
        offset=header.data,
        units=-(-layout.width // side) * -(-layout.height // side),
        restart_interval=layout.restart_interval,
        components=components,
        dc_codes={key: Codes(*table) for key, table in layout.codes.items() if key < 4},
        ac_codes={key - 16: Codes(*table) for key, table in layout.codes.items() if 16 <= key < 20},
    )


def _is_fit(content: bytes, layout: JpegLayout) -> bool:
    header = layout.first_scan
    if layout.frame not in _SEQUENTIAL or layout.bits != 8 or header is None:
        return False
    if header.names != layout.names or header.spectrum != _WHOLE_SPECTRUM:
        return False
    if not is_sampled_as_ours(layout) or not 0 < layout.width * layout.height <= LARGEST_PIXELS:
        return False
    return _colours(content) == _COLOURS.get(len(layout.components)) and not is_foreign(layout.profile)


def _colours(content: bytes) -> str | None:
    """What the decoder takes the colours for, by the markers and names that are there."""
    try:
        return str(simplejpeg.decode_jpeg_header(content, strict=False)[2])
    except (ValueError, KeyError):
        return None


def _components(layout: JpegLayout, quality: int) -> list[Component] | None:
    assert layout.first_scan is not None
    components = []
    blocks = (4, 1, 1) if len(layout.components) == 3 else (1,)
    of_scan = zip(blocks, layout.components, layout.first_scan.tables, strict=True)
    for ours, (count, (_, number), tables) in zip(our_steps(layout, quality), of_scan, strict=True):
        steps = layout.tables.get(number)
        if steps is None:
            return None
        coarser = _coarser(steps, ours)
        if coarser is None:
            return None
        components.append(Component(count, tables >> 4, tables & 15, steps, coarser))
    are_alike = components[1:2] == [] or components[1].coarser == components[2].coarser
    return components if are_alike else None


def _coarser(steps: Table, ours: Table) -> bytes | None:
    """The larger step of each pair."""
    larger = [max(pair) for pair in zip(steps, ours, strict=True)]
    return bytes(larger) if max(larger) <= _LARGEST_STEP else None


def _file(layout: JpegLayout, steps: list[bytes], scan: CoarserScan) -> bytes:
    is_gray = len(steps) == 1
    names = b"\1\x11\0" if is_gray else b"\1\x22\0\2\x11\1\3\x11\1"
    frame = struct.pack(">BHHB", 8, layout.height, layout.width, len(steps)) + names
    tables = list(zip(_TABLE_CLASSES, scan.codes, strict=True))[: 2 if is_gray else 4]
    scanned = b"\1\1\0" if is_gray else b"\3\1\0\2\x11\3\x11"
    return b"".join(
        (
            _BEGIN,
            _segment(0xE0, _JFIF),
            *(_segment(0xDB, bytes((number, *each))) for number, each in enumerate(steps[:2])),
            _segment(0xC0, frame),
            *(_segment(0xC4, bytes((kind,)) + codes.counts + codes.symbols) for kind, codes in tables),
            _segment(0xDA, scanned + _WHOLE_SPECTRUM),
            scan.content,
            _END,
        )
    )


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
