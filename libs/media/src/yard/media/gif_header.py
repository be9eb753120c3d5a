"""The blocks of a GIF, which tell its frames without unpacking them."""

import struct
from collections.abc import Iterator

from yard.media.byte_window import Window
from yard.media.errors import MediaError
from yard.media.image_facts import ImageFacts, ImageLimits, checked, counted, too_many_pages

_EXTENSION, _IMAGE, _END, _GRAPHIC_CONTROL = 0x21, 0x2C, 0x3B, 0xF9
_MOST_JUNK = 4096


def gif_facts(window: Window, limits: ImageLimits) -> ImageFacts:
    """The first frame, and how many there are."""
    pages = gif_pages(window, limits)
    first = next(pages, None)
    if first is None:
        raise MediaError("invalid_media", "is a GIF without a frame")
    return counted(first, pages)


def gif_pages(window: Window, limits: ImageLimits) -> Iterator[ImageFacts]:
    """Each frame; its size is the canvas, which grows with frames that stick out. A cut tail ends them."""
    screen = window.at(0, 13)
    width, height = int.from_bytes(screen[6:8], "little"), int.from_bytes(screen[8:10], "little")
    has_alpha = False
    frames = 0
    for kind, block in _blocks(window, 13 + _palette_bytes(screen[10])):
        if kind == _EXTENSION:
            has_alpha |= block[0] == _GRAPHIC_CONTROL and block[1] >= 4 and bool(block[2] & 1)
            continue
        if frames == limits.pages:
            raise too_many_pages(limits)
        left, top, wide, high = struct.unpack_from("<4H", block)
        width, height, frames = max(width, left + wide), max(height, top + high), frames + 1
        facts = ImageFacts(
            format="gif",
            width=width,
            height=height,
            colours="palette",
            channels=1,
            bits=(screen[10] & 7) + 1,
            has_alpha=has_alpha,
        )
        yield checked(facts, limits)


def _blocks(window: Window, offset: int) -> Iterator[tuple[int, bytes]]:
    """Kind and first bytes of extensions and images."""
    is_first = True
    while offset >= 0:
        try:
            kind, block, offset = _block(window, offset)
        except MediaError as fault:
            if is_first or fault.code == "limit":
                raise
            return
        if kind == _END:
            return
        is_first &= kind != _IMAGE
        yield kind, block
        offset = _after_sub_blocks(window, offset)


def _block(window: Window, offset: int) -> tuple[int, bytes, int]:
    """Kind and first bytes of the next block, and where its sub-blocks begin."""
    for start in range(offset, offset + _MOST_JUNK):
        kind = window.at(start, 1)[0]
        if kind == _EXTENSION:
            length = window.at(start + 2, 1)[0]
            return kind, window.at(start + 1, 3 if length else 2), start + 2
        if kind == _IMAGE:
            block = window.at(start + 1, 9)
            data = start + 10 + _palette_bytes(block[8])
            window.at(data, 1)
            return kind, block, data + 1
        if kind == _END:
            return kind, b"", start
        # Some writers pad between blocks.
    raise MediaError("invalid_media", "is a GIF with damaged blocks")


def _after_sub_blocks(window: Window, offset: int) -> int:
    """Where the next block begins; -1 when the file ends before."""
    try:
        while length := window.at(offset, 1)[0]:
            offset += length + 1
    except MediaError as fault:
        if fault.code == "limit":
            raise
        return -1
    return offset + 1


def _palette_bytes(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0
