"""Encoded images to upright pixels."""

import io
import struct
import zlib
from typing import TypeVar

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError
from yard.media.colour_profiles import pixels_as_srgb
from yard.media.eight_bits import eight_bits
from yard.media.encode_jpeg import Pixels
from yard.media.errors import MediaError
from yard.media.jpeg_layout import jpeg_layout

T = TypeVar("T", bound=np.generic)

LARGEST_PIXELS = 160_000_000
PREVIEW_SIDE = 256

_PIXEL = np.dtype("V3")
_JPEG = b"\xff\xd8\xff"
PILLOW_FAULTS = (
    *(OSError, EOFError, ValueError, TypeError, SyntaxError, LookupError, ArithmeticError),
    *(AttributeError, AssertionError, RuntimeError, struct.error, zlib.error),
)
"""What Pillow raises for files that are damaged in one way or another."""
_JPEG_COLOURS = {"Gray": "GRAY", "YCbCr": "RGB", "RGB": "RGB"}

# The rest of an image that is cut off is gray; the other frames of its chunk must not suffer from it.
ImageFile.LOAD_TRUNCATED_IMAGES = True
# Our own limit takes the place of this one, which only warns at first.
Image.MAX_IMAGE_PIXELS = None


class Scratch:
    """Memory for the pixels of one JPEG after the other: fresh memory costs a tenth of decoding into it."""

    def __init__(self) -> None:
        self._bytes = np.empty(0, np.uint8)

    def of(self, size: int) -> Pixels:
        """At least `size` bytes, in which the last picture is lost."""
        if len(self._bytes) < size:
            self._bytes = np.empty(0, np.uint8)  # before the new ones are taken
            self._bytes = np.empty(size, np.uint8)
        return self._bytes


def decode_image(
    content: bytes, name: str, *, orientation: int = 1, page: int = 0, scratch: Scratch | None = None
) -> Pixels:
    """Upright RGB (height, width, 3) or gray (height, width) pixels; orientation is EXIF's, 1 to 8.

    With `scratch`, for pixels that become a JPEG before the next image is decoded: those of a JPEG lie in
    there, and its thinned-out colours are repeated, not smoothed, so that thinning them out again keeps them.
    """
    return upright(_pixels(content, name, page, 0, scratch), orientation)


def decode_small(content: bytes, name: str, *, orientation: int = 1, page: int = 0) -> Pixels:
    """The same, scaled down to fit into 256 x 256 pixels; smaller images stay as they are."""
    return shrunk(upright(_pixels(content, name, page, PREVIEW_SIDE, None), orientation))


def shrunk(pixels: Pixels) -> Pixels:
    """A picture that fits into 256 x 256 pixels, of the same shape of sides."""
    if max(pixels.shape[:2]) <= PREVIEW_SIDE:
        return pixels
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(image)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turns and mirrors stored pixels as EXIF's orientation says; the same ones if nothing is to be done."""
    if orientation == 1:
        return pixels
    if pixels.ndim == 2:
        return np.ascontiguousarray(_turned(pixels, orientation))
    # Whole pixels are moved twice as fast as their channels.
    whole = np.ascontiguousarray(pixels).view(_PIXEL)[..., 0]
    turned = np.ascontiguousarray(_turned(whole, orientation))
    return turned.view(np.uint8).reshape(*turned.shape, 3)


def _turned(rows: NDArray[T], orientation: int) -> NDArray[T]:
    rows = rows.swapaxes(0, 1) if orientation >= 5 else rows
    if orientation in {3, 4, 7, 8}:
        rows = rows[::-1]
    if orientation in {2, 3, 6, 7}:
        rows = rows[:, ::-1]
    return rows


def is_jpeg(content: bytes) -> bool:
    """Whether the bytes begin as a JPEG does."""
    return content.startswith(_JPEG)


def _pixels(content: bytes, name: str, page: int, at_least: int, scratch: Scratch | None) -> Pixels:
    """Pixels as they are stored; `at_least` of the longer side are enough if it is not 0."""
    if is_jpeg(content):
        pixels = _jpeg_pixels(content, name, at_least, scratch)
        if pixels is not None:
            return pixels
    return _pillow_pixels(content, name, page, at_least)


def _jpeg_pixels(content: bytes, name: str, at_least: int, scratch: Scratch | None) -> Pixels | None:
    """None for what the fast decoder does not take: CMYK, lossless, 12 bits."""
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(content, strict=False)
        if colours not in _JPEG_COLOURS:
            return None
        _check_size(width, height, name)
        options: dict[str, object] = {"min_width" if width >= height else "min_height": at_least}
        if scratch is not None:
            options = {"fastupsample": True, "buffer": scratch.of(width * height * 3)}
        pixels: Pixels = simplejpeg.decode_jpeg(content, _JPEG_COLOURS[colours], strict=False, **options)
    except (ValueError, KeyError):
        return None
    if pixels.shape[2] == 1:
        return pixels[..., 0]
    return pixels_as_srgb(pixels, jpeg_layout(content).profile)


def _pillow_pixels(content: bytes, name: str, page: int, at_least: int) -> Pixels:
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.seek(page)
            _check_size(*image.size, name)
            if at_least:
                image.draft("RGB", (at_least, at_least))
            return eight_bits(image)
    except PILLOW_FAULTS as fault:
        # What is said of files that Pillow does not know is where they lie in memory.
        reason = "" if isinstance(fault, UnidentifiedImageError) else f" ({fault})"
        raise MediaError("invalid_media", f"cannot be decoded as an image{reason}", name) from fault


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > LARGEST_PIXELS:
        raise MediaError("limit", f"has {width} x {height} pixels, more than {LARGEST_PIXELS:,}", name)
