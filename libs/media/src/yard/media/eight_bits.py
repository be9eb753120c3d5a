"""Opened images of any mode to 8-bit RGB or gray, by rules that do not depend on what a picture shows.

- Gray stays gray; palettes, CMYK and other colours become sRGB, by their profile if one is embedded. Without
  one RGB is taken for sRGB, and CMYK for inks without a colour of their own.
- Transparency is shown on white, as on paper and in most viewers.
- Of more than 8 bits the upper 8 are kept, by the depth that the file declares (12, 16, 32), so that the
  frames of one task stay comparable; negative values are black.
- Floating point goes from 0.0 (black) to 1.0 (white); beyond is clipped.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from yard.media.colour_profiles import as_srgb, profile_of
from yard.media.encode_jpeg import Pixels

_BAND_PIXELS = 4_000_000
"""Images are converted in bands, as a large one with alpha would fill the memory several times."""
_TIFF_BITS, _TIFF_PHOTOMETRIC, _TIFF_SAMPLE_FORMAT = 258, 262, 339
_WHITE_IS_ZERO, _SIGNED = 0, 2
_GRAY_MODES = frozenset(("1", "L", "LA", "La"))


def eight_bits(image: Image.Image) -> Pixels:
    """RGB (height, width, 3) or gray (height, width) pixels."""
    image.load()
    width, height = image.size
    rows = max(1, _BAND_PIXELS // max(1, width))
    if rows >= height:
        return _converted(image, image)
    pixels: Pixels | None = None
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        band = _converted(image.crop((0, top, width, bottom)), image)
        if pixels is None:
            pixels = np.empty((height, *band.shape[1:]), np.uint8)
        pixels[top:bottom] = band
    assert pixels is not None
    return pixels


def _converted(band: Image.Image, whole: Image.Image) -> Pixels:
    """A part of an image; its tags and its profile are with the whole."""
    if band.mode == "L" and not band.has_transparency_data:
        return np.asarray(band)
    if band.mode == "F":
        return _unit_interval(np.asarray(band))
    if band.mode.startswith("I"):
        return _upper_bits(np.asarray(band), getattr(whole, "tag_v2", {}))
    is_gray = band.mode in _GRAY_MODES
    if band.has_transparency_data:
        return _on_white(band, None if is_gray else profile_of(whole), is_gray=is_gray)
    return np.asarray(band.convert("L") if is_gray else as_srgb(band, profile_of(whole)))


def _on_white(band: Image.Image, profile: bytes | None, *, is_gray: bool) -> Pixels:
    # Pillow has no way from LA with multiplied alpha but over this one.
    straight = band.convert("LA") if band.mode == "La" else band.convert("RGBA")
    paper = Image.new("RGB", band.size, "white")
    paper.paste(as_srgb(straight.convert("RGB"), profile), mask=straight.getchannel("A"))
    return np.asarray(paper.convert("L") if is_gray else paper)


def _unit_interval(values: NDArray[np.float32]) -> Pixels:
    scaled = np.clip(np.nan_to_num(values, nan=0.0), 0.0, 1.0) * 255.0 + 0.5
    return scaled.astype(np.uint8)


def _upper_bits(values: NDArray[Any], tags: Any) -> Pixels:
    """`tags` are those of a TIFF; other formats have 16 bits without a sign."""
    bits = int(tags.get(_TIFF_BITS, (16,))[0])
    if tags.get(_TIFF_SAMPLE_FORMAT, (1,))[0] == _SIGNED:
        gray = np.maximum(values, 0) >> (bits - 9)
    else:
        unsigned = values.view(np.uint32) if bits == 32 and values.dtype == np.int32 else values
        gray = unsigned >> (bits - 8)
    pixels: Pixels = np.minimum(gray, 255).astype(np.uint8)
    return 255 - pixels if tags.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO else pixels
