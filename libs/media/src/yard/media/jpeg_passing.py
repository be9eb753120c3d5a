"""Which JPEGs go into a chunk as they are, because encoding them again would only lose."""

from functools import lru_cache

import numpy as np
from yard.media.colour_profiles import is_foreign
from yard.media.encode_jpeg import encode_rgb
from yard.media.jpeg_layout import JpegLayout, jpeg_layout

UNCHANGED_QUALITY = 100
"""From this quality on, upright JPEG images are not encoded again."""

_SHOWN_FRAMES = frozenset((0xC0, 0xC1, 0xC2))
"""Those that browsers show."""
_GRAY, _QUARTER_COLOURS = (0x11,), (0x22, 0x11, 0x11)
_MOST_EXTRAS = 64 << 10


def may_pass(content: bytes, quality: int) -> bool:
    """Whether an upright JPEG is what a frame of this quality is to be.

    At quality 100 every whole JPEG that browsers show. Below, if its quantisation steps are nowhere finer
    than ours and its colours are thinned out as ours are: then our JPEG of it would not be smaller, and
    could not be closer to the picture. Nor may it carry much beside the picture, or another colour space.
    """
    layout = jpeg_layout(content)
    if layout.frame not in _SHOWN_FRAMES or layout.bits != 8:
        return False
    if quality >= UNCHANGED_QUALITY:
        return layout.is_whole(content)
    return (
        _is_as_coarse(layout, quality)
        and not is_foreign(layout.profile)
        and layout.scan <= _MOST_EXTRAS
        and layout.is_whole(content)
        and len(content) - content.find(b"\xff\xd9", layout.scan) <= _MOST_EXTRAS
    )


def _is_as_coarse(layout: JpegLayout, quality: int) -> bool:
    sampling = tuple(sampling for sampling, _ in layout.components)
    if len(sampling) == 1:
        sampling = _GRAY
    ours = _layout_at(quality, is_gray=sampling == _GRAY)
    if sampling not in {_GRAY, _QUARTER_COLOURS}:
        return False
    for (_, mine), (_, other) in zip(ours.components, layout.components, strict=True):
        steps = layout.tables.get(other)
        if steps is None or any(theirs < our for our, theirs in zip(ours.tables[mine], steps, strict=True)):
            return False
    return True


@lru_cache(maxsize=192)
def _layout_at(quality: int, *, is_gray: bool) -> JpegLayout:
    """How our own encoder does it."""
    shape = (16, 16) if is_gray else (16, 16, 3)
    return jpeg_layout(encode_rgb(np.zeros(shape, np.uint8), quality))
