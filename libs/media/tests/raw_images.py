"""Images of kinds that Pillow reads but does not write, put together by hand."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
_PNG_COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}


def png(pixels: NDArray[Any], *, is_interlaced: bool = False, transparent: bytes = b"") -> bytes:
    """(height, width[, channels]) of 8 or 16 bits; `transparent` is the content of tRNS."""
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    height, width = pixels.shape[:2]
    bits = 8 * pixels.dtype.itemsize
    header = struct.pack(">IIBBBBB", width, height, bits, _PNG_COLOURS[channels], 0, 0, is_interlaced)
    big = pixels.astype(f">u{pixels.dtype.itemsize}")
    passes = [big[y::dy, x::dx] for y, x, dy, dx in ADAM7] if is_interlaced else [big]
    raw = b"".join(b"\0" + line.tobytes() for each in passes if each.size for line in each)
    chunks = [(b"IHDR", header)]
    if transparent:
        chunks.append((b"tRNS", transparent))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(*chunk) for chunk in [*chunks, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def tiff(pieces: list[bytes], size: tuple[int, int], **tags: int | list[int]) -> bytes:
    """A little-endian TIFF of strips, or of tiles if `TileWidth` is among the tags."""
    width, height = size
    is_tiled = "TileWidth" in tags
    offsets, counts = ("TileOffsets", "TileByteCounts") if is_tiled else ("StripOffsets", "StripByteCounts")
    places, position = [], 8
    for piece in pieces:
        places.append(position)
        position += len(piece) + len(piece) % 2
    all_tags: dict[str, int | list[int]] = {
        "ImageWidth": width,
        "ImageLength": height,
        "RowsPerStrip": height,
        **tags,
        offsets: places,
        counts: [len(piece) for piece in pieces],
    }
    if is_tiled:
        del all_tags["RowsPerStrip"]
    body = b"".join(piece + bytes(len(piece) % 2) for piece in pieces)
    entries = sorted(
        (_TAGS[name], value if isinstance(value, list) else [value]) for name, value in all_tags.items()
    )
    return b"II*\0" + struct.pack("<I", position) + body + b"".join(_directory(entries, position))


def _directory(entries: list[tuple[int, list[int]]], position: int) -> Iterator[bytes]:
    overflow = position + 2 + 12 * len(entries) + 4
    tail = b""
    yield struct.pack("<H", len(entries))
    for tag, values in entries:
        content = struct.pack(f"<{len(values)}I", *values)
        if len(content) > 4:
            tail += content
            content = struct.pack("<I", overflow + len(tail) - len(content))
        yield struct.pack("<HHI", tag, 4, len(values)) + content
    yield struct.pack("<I", 0) + tail


_TAGS = {
    "ImageWidth": 256,
    "ImageLength": 257,
    "BitsPerSample": 258,
    "Compression": 259,
    "Photometric": 262,
    "StripOffsets": 273,
    "SamplesPerPixel": 277,
    "RowsPerStrip": 278,
    "StripByteCounts": 279,
    "TileWidth": 322,
    "TileLength": 323,
    "TileOffsets": 324,
    "TileByteCounts": 325,
    "SampleFormat": 339,
}


GIF_COLOURS = (b"\xff\0\0", b"\0\0\xff", b"\0\xff\0", b"\0\0\0")


@dataclass(frozen=True, slots=True, kw_only=True)
class GifFrame:
    """A rectangle of one of `GIF_COLOURS`; 3 is transparent."""

    box: tuple[int, int, int, int]
    """Left, top, width and height."""
    colour: int
    disposal: int = 1


def gif(frames: list[GifFrame], size: tuple[int, int]) -> bytes:
    """Frames as they are told, which writers of GIFs would make better."""
    head = b"GIF89a" + struct.pack("<HHBBB", *size, 0x91, 0, 0) + b"".join(GIF_COLOURS)
    return head + b"".join(_gif_frame(frame) for frame in frames) + b";"


def _gif_frame(frame: GifFrame) -> bytes:
    control = b"!\xf9\x04" + struct.pack("<BHBB", frame.disposal << 2 | 1, 10, 3, 0)
    # Two pixels behind each clearing of the table: so codes stay 3 bits long.
    clear, end = 4, 5
    count = frame.box[2] * frame.box[3]
    codes = [
        code for first in range(0, count, 2) for code in (clear, *[frame.colour] * min(2, count - first))
    ]
    bits = sum(code << 3 * place for place, code in enumerate([*codes, end]))
    data = bits.to_bytes(3 * (len(codes) + 1) // 8 + 1, "little")
    blocks = [data[start : start + 255] for start in range(0, len(data), 255)]
    content = b"".join(bytes([len(block)]) + block for block in blocks)
    return control + b"," + struct.pack("<4HB", *frame.box, 0) + b"\2" + content + b"\0"
