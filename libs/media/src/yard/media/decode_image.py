"""Encoded images to upright pixels."""

import io
import struct
import zlib

import numpy as np
import simplejpeg
from PIL import Image, ImageFile
from yard.media.eight_bits import eight_bits
from yard.media.encode_jpeg import Pixels
from yard.media.errors import MediaError

LARGEST_PIXELS = 160_000_000
PREVIEW_SIDE = 256

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


def decode_image(content: bytes, name: str, *, orientation: int = 1, page: int = 0) -> Pixels:
    """Upright RGB (height, width, 3) or gray (height, width) pixels; orientation is EXIF's, 1 to 8."""
    return upright(_pixels(content, name, page, at_least=0), orientation)


def decode_small(content: bytes, name: str, *, orientation: int = 1, page: int = 0) -> Pixels:
    """The same, scaled down to fit into 256 x 256 pixels; smaller images stay as they are."""
    return shrunk(upright(_pixels(content, name, page, at_least=PREVIEW_SIDE), orientation))


def shrunk(pixels: Pixels) -> Pixels:
    """A picture that fits into 256 x 256 pixels, of the same shape of sides."""
    if max(pixels.shape[:2]) <= PREVIEW_SIDE:
        return pixels
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(image)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turns and mirrors stored pixels as EXIF's orientation says; a view."""
    rows_first = pixels.swapaxes(0, 1) if orientation >= 5 else pixels
    if orientation in {3, 4, 7, 8}:
        rows_first = rows_first[::-1]
    if orientation in {2, 3, 6, 7}:
        rows_first = rows_first[:, ::-1]
    return rows_first


def is_jpeg(content: bytes) -> bool:
    """Whether the bytes begin as a JPEG does."""
    return content.startswith(_JPEG)


def _pixels(content: bytes, name: str, page: int, *, at_least: int) -> Pixels:
    """Pixels as they are stored; `at_least` of the longer side are enough if it is not 0."""
    if is_jpeg(content):
        pixels = _jpeg_pixels(content, name, at_least)
        if pixels is not None:
            return pixels
    return _pillow_pixels(content, name, page, at_least)


def _jpeg_pixels(content: bytes, name: str, at_least: int) -> Pixels | None:
    """None for what the fast decoder does not take: CMYK, lossless, 12 bits."""
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(content, strict=False)
        if colours not in _JPEG_COLOURS:
            return None
        _check_size(width, height, name)
        sides = {"min_width" if width >= height else "min_height": at_least} if at_least else {}
        pixels: Pixels = simplejpeg.decode_jpeg(content, _JPEG_COLOURS[colours], strict=False, **sides)
    except (ValueError, KeyError):
        return None
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


def _pillow_pixels(content: bytes, name: str, page: int, at_least: int) -> Pixels:
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.seek(page)
            _check_size(*image.size, name)
            if at_least:
                image.draft("RGB", (at_least, at_least))
            return eight_bits(image)
    except PILLOW_FAULTS as fault:
        raise MediaError("invalid_media", f"cannot be decoded as an image ({fault})", name) from fault


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > LARGEST_PIXELS:
        raise MediaError("limit", f"has {width} x {height} pixels, more than {LARGEST_PIXELS:,}", name)
