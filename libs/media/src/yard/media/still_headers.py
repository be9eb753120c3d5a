"""The headers of PNG, WebP and BMP."""

import struct
from collections.abc import Iterator

from yard.media.byte_window import PartWindow, Window
from yard.media.errors import MediaError
from yard.media.image_facts import Colours, ImageFacts
from yard.media.tiff_directory import orientation_of

_MOST_CHUNKS = 4096
_PNG_COLOURS: dict[int, tuple[Colours, int, tuple[int, ...]]] = {
    0: ("gray", 1, (1, 2, 4, 8, 16)),
    2: ("rgb", 3, (8, 16)),
    3: ("palette", 1, (1, 2, 4, 8)),
    4: ("gray", 2, (8, 16)),
    6: ("rgb", 4, (8, 16)),
}
_WEBP_ALPHA, _WEBP_EXIF = 0x10, 0x08
_BMP_BITS = {1: 1, 4: 1, 8: 1, 16: 3, 24: 3, 32: 3}


def png_facts(window: Window) -> ImageFacts:
    """Chunks up to the pixels are looked at: EXIF and transparency stand before them."""
    size, kind, width, height, bits, colour = struct.unpack(">I4sIIBB", window.at(8, 18))
    if (size, kind) != (13, b"IHDR") or bits not in _PNG_COLOURS.get(colour, ("", 0, ()))[2]:
        raise MediaError("invalid_media", "is a PNG with a damaged header")
    colours, channels, _ = _PNG_COLOURS[colour]
    has_alpha, orientation = colour in {4, 6}, 1
    for name, offset, length in _png_chunks(window):
        has_alpha |= name == b"tRNS"
        if name == b"eXIf":
            orientation = orientation_of(PartWindow(window, offset, length))
    return ImageFacts(
        format="png",
        width=width,
        height=height,
        colours=colours,
        channels=channels,
        bits=bits,
        has_alpha=has_alpha,
        orientation=orientation,
    )


def _png_chunks(window: Window) -> Iterator[tuple[bytes, int, int]]:
    """Name, offset and length of what lies between the header and the pixels."""
    offset = 33
    for _ in range(_MOST_CHUNKS):
        length, name = struct.unpack(">I4s", window.at(offset, 8))
        if name in {b"IDAT", b"IEND", b"fdAT"}:
            return
        yield name, offset + 8, length
        offset += length + 12
    raise MediaError("limit", f"has more than {_MOST_CHUNKS} PNG chunks")


def webp_facts(window: Window) -> ImageFacts:
    """An animation is one still; EXIF stands after the pixels, so the head may have to be the whole file."""
    name = window.at(12, 4)
    reader = {b"VP8 ": _webp_lossy, b"VP8L": _webp_lossless, b"VP8X": _webp_extended}.get(name)
    if reader is None:
        raise MediaError("invalid_media", "is a WebP with a damaged header")
    width, height, has_alpha, orientation = reader(window)
    return ImageFacts(
        format="webp",
        width=width,
        height=height,
        colours="rgb",
        channels=4 if has_alpha else 3,
        bits=8,
        has_alpha=has_alpha,
        orientation=orientation,
    )


def _webp_lossy(window: Window) -> tuple[int, int, bool, int]:
    start, width, height = struct.unpack("<3sHH", window.at(23, 7))
    if start != b"\x9d\x01\x2a":
        raise MediaError("invalid_media", "is a WebP without a key frame")
    return width & 0x3FFF, height & 0x3FFF, False, 1


def _webp_lossless(window: Window) -> tuple[int, int, bool, int]:
    signature, bits = struct.unpack("<BI", window.at(20, 5))
    if signature != 0x2F:
        raise MediaError("invalid_media", "is a WebP with a damaged header")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1), 1


def _webp_extended(window: Window) -> tuple[int, int, bool, int]:
    flags = window.at(20, 1)[0]
    canvas = window.at(24, 6)
    width, height = 1 + int.from_bytes(canvas[:3], "little"), 1 + int.from_bytes(canvas[3:], "little")
    orientation = _webp_orientation(window) if flags & _WEBP_EXIF else 1
    return width, height, bool(flags & _WEBP_ALPHA), orientation


def _webp_orientation(window: Window) -> int:
    end = 8 + int.from_bytes(window.at(4, 4), "little")
    offset = 30
    for _ in range(_MOST_CHUNKS):
        if offset + 8 > end:
            return 1
        name, length = struct.unpack("<4sI", window.at(offset, 8))
        if name == b"EXIF":
            return _exif_orientation(window, offset + 8, length)
        offset += 8 + length + (length & 1)
    raise MediaError("limit", f"has more than {_MOST_CHUNKS} WebP chunks")


def _exif_orientation(window: Window, offset: int, length: int) -> int:
    if length > 6 and window.at(offset, 6) == b"Exif\0\0":
        offset, length = offset + 6, length - 6
    return orientation_of(PartWindow(window, offset, length))


def bmp_facts(window: Window) -> ImageFacts:
    """Rows may go up or down; a 32-bit bitmap has alpha only if its masks say so."""
    size = int.from_bytes(window.at(14, 4), "little")
    if size == 12:
        width, height, _, bits = struct.unpack("<4H", window.at(18, 8))
        alpha_mask = 0
    elif size in {40, 52, 56, 64, 108, 124}:
        width, height, _, bits, compression = struct.unpack("<iiHHI", window.at(18, 16))
        has_masks = compression == 3 and size in {56, 108, 124}
        alpha_mask = int.from_bytes(window.at(66, 4), "little") if has_masks else 0
    else:
        raise MediaError("unsupported", f"is a BMP with a header of {size} bytes")
    if bits not in _BMP_BITS:
        raise MediaError("unsupported", f"is a BMP of {bits} bits a pixel")
    is_palette, has_alpha = bits <= 8, bool(alpha_mask)
    return ImageFacts(
        format="bmp",
        width=width,
        height=abs(height),
        colours="palette" if is_palette else "rgb",
        channels=_BMP_BITS[bits] + has_alpha,
        bits=bits if is_palette else 5 if bits == 16 else 8,
        has_alpha=has_alpha,
    )
