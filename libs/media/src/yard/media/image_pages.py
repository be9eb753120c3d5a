"""Pages of a TIFF and frames of a GIF as pictures."""

import io
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, cast

from PIL import GifImagePlugin, Image, TiffImagePlugin
from yard.media.byte_window import FileWindow
from yard.media.decode_image import PILLOW_FAULTS
from yard.media.eight_bits import eight_bits
from yard.media.encode_jpeg import Pixels
from yard.media.errors import MediaError
from yard.media.gif_header import gif_pages
from yard.media.image_facts import ImageFacts, ImageLimits
from yard.media.sniff import HEAD_BYTES, sniff
from yard.media.tiff_header import tiff_pages

DEFAULT_LIMITS = ImageLimits()

# Named here so that they are loaded before a process shuts itself off.
_FORMATS = (GifImagePlugin.GifImageFile.format, TiffImagePlugin.TiffImageFile.format)


def page_facts(file: BinaryIO | io.RawIOBase, limits: ImageLimits = DEFAULT_LIMITS) -> Iterator[ImageFacts]:
    """Each page in the order of the file, with its own size, from the headers; MediaError for other files."""
    window = FileWindow(file)
    kind = sniff(window.at(0, min(HEAD_BYTES, window.size)))
    if kind is None or kind.name not in {"tiff", "gif"}:
        raise MediaError("invalid_media", "is neither a TIFF nor a GIF")
    return (tiff_pages if kind.name == "tiff" else gif_pages)(window, limits)


class ImagePages:
    """An open TIFF or GIF, for one thread; cheap in ascending order. A context manager."""

    def __init__(self, file: BinaryIO | io.RawIOBase, limits: ImageLimits = DEFAULT_LIMITS) -> None:
        """MediaError for what is neither."""
        self._limits = limits
        file.seek(0)
        try:
            self._image = Image.open(cast("BinaryIO", file), formats=_FORMATS)
        except PILLOW_FAULTS as fault:
            raise MediaError("invalid_media", "is neither a TIFF nor a GIF that can be read") from fault

    def __enter__(self) -> "ImagePages":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets the memory go."""
        self._image.close()

    def render(self, page: int) -> Pixels:
        """Upright RGB (height, width, 3) or gray (height, width) pixels of a page; pages count from 0."""
        try:
            self._image.seek(page)
            width, height = self._image.size
            if width * height > self._limits.pixels:
                raise MediaError("limit", f"has {width}x{height} pixels, more than {self._limits.pixels}")
            return eight_bits(self._image)
        except PILLOW_FAULTS as fault:
            raise MediaError("invalid_media", f"has a page {page + 1} that cannot be decoded") from fault
