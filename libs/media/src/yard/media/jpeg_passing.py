"""Which JPEGs go into a chunk as they are, because encoding them again would only lose."""

from yard.media.colour_profiles import is_foreign
from yard.media.encode_jpeg import steps_at
from yard.media.jpeg_layout import JpegLayout, Table

UNCHANGED_QUALITY = 100
"""From this quality on, upright JPEG images are not encoded again."""

_SHOWN_FRAMES = frozenset((0xC0, 0xC1, 0xC2))
"""Those that browsers show."""
_QUARTER_COLOURS = (0x22, 0x11, 0x11)
_MOST_EXTRAS = 64 << 10


def may_pass(content: bytes, layout: JpegLayout, quality: int) -> bool:
    """Whether an upright JPEG is what a frame of this quality is to be.

    At quality 100 every whole JPEG that browsers show. Below, if its quantisation steps are nowhere finer
    than ours and its colours are thinned out as ours are: then our JPEG of it would not be smaller, and
    could not be closer to the picture. Nor may it carry much beside the picture, or another colour space.
    """
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
    if not is_sampled_as_ours(layout):
        return False
    for (_, number), ours in zip(layout.components, our_steps(layout, quality), strict=True):
        steps = layout.tables.get(number)
        if steps is None or any(theirs < our for our, theirs in zip(ours, steps, strict=True)):
            return False
    return True


def is_sampled_as_ours(layout: JpegLayout) -> bool:
    """Whether it is gray, or has a quarter of the samples for colours."""
    sampling = tuple(sampling for sampling, _ in layout.components)
    return len(sampling) == 1 or sampling == _QUARTER_COLOURS


def our_steps(layout: JpegLayout, quality: int) -> list[Table]:
    """The quantisation steps that we would use for each component."""
    brightness, colours = steps_at(quality)
    return [colours if number else brightness for number in range(len(layout.components))]
