"""Size, orientation and colours of an image from its first bytes; no pixel is decoded."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from yard.media.byte_window import FileWindow, HeadWindow, MoreNeededError, Window
from yard.media.errors import MediaError
from yard.media.gif_header import gif_facts
from yard.media.image_facts import ImageFacts, ImageLimits, checked
from yard.media.jpeg_header import jpeg_facts
from yard.media.sniff import HEAD_BYTES, sniff
from yard.media.still_headers import bmp_facts, png_facts, webp_facts
from yard.media.tiff_header import tiff_facts

FIRST_BYTES = 4096
"""A head that is enough for most images."""
MOST_HEAD_BYTES = 32 << 20
"""The longest head that `parse_growing` asks for."""
DEFAULT_LIMITS = ImageLimits()

_SHORTEST = 32

_PARSERS: dict[str, Callable[[Window], ImageFacts]] = {
    "jpeg": jpeg_facts,
    "png": png_facts,
    "webp": webp_facts,
    "bmp": bmp_facts,
}
_PAGED: dict[str, Callable[[Window, ImageLimits], ImageFacts]] = {"tiff": tiff_facts, "gif": gif_facts}


@dataclass(frozen=True, slots=True)
class Needs:
    """The head is too short: at least the first `size` bytes of the file are needed."""

    size: int


def parse_header(
    head: bytes, *, is_whole: bool = False, limits: ImageLimits = DEFAULT_LIMITS
) -> ImageFacts | Needs:
    """The facts from the first bytes of a file; MediaError, without a label, for what is no such image.

    Pages of a TIFF or GIF are None unless the head tells their number.
    """
    if len(head) < _SHORTEST and not is_whole:
        return Needs(_SHORTEST)
    try:
        return _parse(HeadWindow(head, is_whole=is_whole), head, limits)
    except MoreNeededError as more:
        return Needs(more.size)


def parse_growing(
    take_head: Callable[[int], bytes], size: int, *, limits: ImageLimits = DEFAULT_LIMITS
) -> ImageFacts:
    """The same, asking `take_head(n)` for the first n bytes of a file of `size` bytes until they are enough.

    Pages are always counted. MediaError with code "limit" if more than `MOST_HEAD_BYTES` are needed; where
    that is too little, `read_header` reads a file of any size.
    """
    wanted = min(FIRST_BYTES, size)
    while True:
        found = parse_header(take_head(wanted), is_whole=wanted >= size, limits=limits)
        if isinstance(found, ImageFacts) and found.pages is not None:
            return found
        wanted = min(max(found.size if isinstance(found, Needs) else 0, 2 * wanted), size)
        if wanted > MOST_HEAD_BYTES:
            raise MediaError("limit", f"tells its size and pages after {MOST_HEAD_BYTES >> 20} MiB only")


def read_header(
    file: BinaryIO | io.RawIOBase,
    *,
    offset: int = 0,
    size: int | None = None,
    limits: ImageLimits = DEFAULT_LIMITS,
) -> ImageFacts:
    """The facts of a seekable file, or of `size` bytes in it, with the pages; reads only what they need."""
    window = FileWindow(file, offset, size)
    return _parse(window, window.at(0, min(HEAD_BYTES, window.size)), limits)


def _parse(window: Window, head: bytes, limits: ImageLimits) -> ImageFacts:
    # Nearly all images are JPEGs: these skip the tests of the other formats.
    if head[:3] == b"\xff\xd8\xff":
        return checked(jpeg_facts(window), limits)
    kind = sniff(head[:HEAD_BYTES])
    if kind is None:
        raise MediaError("invalid_media", "is not an image")
    if kind.name in _PAGED:
        return checked(_PAGED[kind.name](window, limits), limits)
    parser = _PARSERS.get(kind.name)
    if parser is None:
        raise MediaError("unsupported", f"is a file of kind {kind.name}, not an image that is read")
    return checked(parser(window), limits)
