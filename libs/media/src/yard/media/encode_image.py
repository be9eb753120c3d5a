"""One image of a set as a picture of a chunk, or what takes its place."""

from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from yard.media.chunk_results import Encoded, Look, of_pixels, preview
from yard.media.claims import CLAIMED, ClaimError, confirmed
from yard.media.decode_image import (
    LARGEST_PIXELS,
    PREVIEW_SIDE,
    Scratch,
    decode_image,
    decode_small,
    is_jpeg,
)
from yard.media.errors import MediaError
from yard.media.image_endings import CUT_OFF, is_cut_off
from yard.media.image_file import ImageFiles
from yard.media.index_block import PAGE_METHODS, ImageAddress
from yard.media.jpeg_layout import jpeg_layout
from yard.media.jpeg_passing import may_pass
from yard.media.jpeg_requantising import requantised
from yard.media.page_reader import PageReader
from yard.media.placeholder import placeholder
from yard.media.sniff import HEAD_BYTES, sniff

_DAMAGED = frozenset(("invalid_media", "truncated"))
_UNKNOWN_SIZE = (640, 480)
"""Of the placeholder of an image whose size nobody knows."""


class ImageEncoder:
    """Reads and encodes images, for one thread."""

    def __init__(self, open_source: Callable[[int], BinaryIO], look: Look, quality: int) -> None:
        self._files, self._pages = ImageFiles(open_source), PageReader(open_source)
        self._look, self._quality = look, quality
        self._scratch = Scratch()

    def encode(self, address: ImageAddress, frame: int) -> Encoded:
        """The image of a relative frame, or a placeholder of its size if it does not decode.

        MediaError names what is beyond limits, not as claimed, or not there in full.
        """
        content = None if _is_page(address) else self._files.read_packed(address)
        try:
            if content is None:
                return of_pixels(self._pages.render(address), self._look, self._quality)
            return self._of_image(self._files.unpacked(content, address), address, frame)
        except ClaimError:
            raise
        except MediaError as fault:
            if fault.code not in _DAMAGED:
                raise
            return self._instead(address, frame, fault.message)

    def _of_image(self, content: bytes, address: ImageAddress, frame: int) -> Encoded:
        address = confirmed(content, address)
        if self._look == "original" and address.method not in PAGE_METHODS:
            return _unchanged(content, address)
        encoded = self._drawn(content, address)
        if is_cut_off(content):
            return replace(encoded, corrupt=((frame, f"{address.name}: {CUT_OFF}"),))
        return encoded

    def _drawn(self, content: bytes, address: ImageAddress) -> Encoded:
        orientation, page = address.orientation, address.page
        if self._look == "preview":
            return preview(decode_small(content, address.name, orientation=orientation, page=page))
        if self._look != "jpeg":
            pixels = decode_image(content, address.name, orientation=orientation, page=page)
            return of_pixels(pixels, self._look, self._quality)
        if orientation == 1 and is_jpeg(content):
            layout = jpeg_layout(content)
            if may_pass(content, layout, self._quality):
                return _unchanged(content, address)
            coarser = requantised(content, layout, self._quality)
            if coarser is not None:
                return Encoded(
                    content=coarser, content_type="image/jpeg", width=layout.width, height=layout.height
                )
        place = {"orientation": orientation, "page": page}
        pixels = decode_image(content, address.name, **place, scratch=self._scratch)
        return of_pixels(pixels, self._look, self._quality)

    def _instead(self, address: ImageAddress, frame: int, reason: str) -> Encoded:
        width, height = (address.width, address.height) if address.width else _UNKNOWN_SIZE
        if width * height > LARGEST_PIXELS:
            raise MediaError("limit", f"has {width} x {height} pixels", address.name)
        if self._look == "preview":
            scale = min(1.0, PREVIEW_SIDE / max(width, height))
            width, height = (max(1, round(side * scale)) for side in (width, height))
        pixels = placeholder(width, height, frame, reason)
        return replace(of_pixels(pixels, self._look, self._quality), corrupt=((frame, reason),))


def _is_page(address: ImageAddress) -> bool:
    return address.method in PAGE_METHODS and address.orientation != CLAIMED


def _unchanged(content: bytes, address: ImageAddress) -> Encoded:
    """The source's own bytes, if they are an image; the pixels tell the size where the index has none."""
    kind = sniff(content[:HEAD_BYTES])
    if kind is None or kind.family != "image":
        raise MediaError("invalid_media", "is not an image", address.name)
    width, height = address.width, address.height
    if not width or not height:
        height, width = decode_image(content, address.name, orientation=address.orientation).shape[:2]
    # Of HEIF files only AVIF is indexed.
    name = "avif" if kind.name == "heif" else kind.name
    return Encoded(content=content, content_type=f"image/{name}", width=width, height=height)
