"""The directories of a TIFF, one a page."""

from collections.abc import Iterator

from yard.media.byte_window import Window
from yard.media.errors import MediaError
from yard.media.image_facts import Colours, ImageFacts, ImageLimits, checked, counted, too_many_pages
from yard.media.tiff_directory import (
    BITS,
    COMPRESSION,
    EXTRA,
    HEIGHT,
    ORIENTATION,
    PHOTOMETRIC,
    SAMPLES,
    WIDTH,
    Directory,
    first_directory,
    read_directory,
)

_COLOURS: dict[int, Colours] = {0: "gray", 1: "gray", 2: "rgb", 3: "palette", 5: "cmyk", 6: "rgb", 8: "lab"}
_OLD_JPEG = 6


def tiff_facts(window: Window, limits: ImageLimits) -> ImageFacts:
    """The first page, and how many there are."""
    pages = tiff_pages(window, limits)
    first = next(pages)
    return counted(first, pages)


def tiff_pages(window: Window, limits: ImageLimits) -> Iterator[ImageFacts]:
    """Each page in the order of the file; MediaError for directories that are damaged or beyond limits."""
    layout, offset = first_directory(window)
    seen: set[int] = set()
    # A chain that comes back to a directory ends there.
    while offset not in seen and (offset or not seen):
        if len(seen) == limits.pages:
            raise too_many_pages(limits)
        seen.add(offset)
        directory = read_directory(window, layout, offset)
        yield checked(_facts(directory), limits)
        offset = directory.next_offset


def _facts(directory: Directory) -> ImageFacts:
    width, height = directory.first(WIDTH, 0), directory.first(HEIGHT, 0)
    if not width or not height:
        raise MediaError("invalid_media", "is a TIFF with a page without size")
    if 5 <= directory.first(ORIENTATION, 1) <= 8:
        width, height = height, width
    photometric = directory.first(PHOTOMETRIC, 0)
    extra_count, extra = directory.tags.get(EXTRA, (0, 0))
    is_rgb = photometric in {2, 6} or directory.first(COMPRESSION, 1) == _OLD_JPEG
    channels = directory.first(SAMPLES, 3 if is_rgb else 1)
    return ImageFacts(
        format="tiff",
        width=width,
        height=height,
        colours="rgb" if is_rgb else _COLOURS.get(photometric, "other"),
        channels=channels,
        bits=directory.first(BITS, 1),
        has_alpha=extra_count > 0 and extra in {1, 2},
    )
