"""Pixels to PNG bytes."""

import io

import numpy as np
from PIL import Image
from yard.media.encode_jpeg import Pixels

# Higher levels cost several times as long for a few per cent.
_LEVEL = 1


def encode_png(pixels: Pixels) -> bytes:
    """Lossless PNG of an RGB (height, width, 3) or gray (height, width) picture."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=_LEVEL)
    return file.getvalue()
