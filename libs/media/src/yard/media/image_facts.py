"""What the header of an image says about it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from yard.media.byte_window import MoreNeededError
from yard.media.errors import MediaError

Format = Literal["jpeg", "png", "webp", "bmp", "tiff", "gif", "avif"]
Colours = Literal["gray", "rgb", "palette", "cmyk", "lab", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """Width and height are pixels as stored, before `orientation` (EXIF, 1 to 8) is applied.

    The decoder of TIFF turns by itself: there, both are upright already and the orientation is 1.
    """

    format: Format
    width: int
    height: int
    colours: Colours
    channels: int
    """Values a pixel with alpha: 1 for gray and palettes, 4 for CMYK and RGB with alpha."""
    bits: int
    """Bits a value; of a palette, bits of its index."""
    has_alpha: bool = False
    orientation: int = 1
    pages: int | None = 1
    """Pages of a TIFF, frames of a GIF, None if the head does not tell; other animations are one still."""

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as people see it."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)

    def losses(self) -> Iterator[str]:
        """What its frames do not keep, in words for people."""
        if self.colours == "cmyk":
            yield "CMYK is converted to RGB"
        if self.colours in {"lab", "other"}:
            yield "unusual colours are converted to RGB"
        if self.has_alpha:
            yield "transparency is shown on white"
        if self.bits > 8:
            yield f"of {self.bits} bits a channel the upper 8 are kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """What one image may be at most."""

    pixels: int = 160_000_000
    side: int = 262_144
    pages: int = 10_000


def checked(facts: ImageFacts, limits: ImageLimits) -> ImageFacts:
    """The facts; MediaError for an image without pixels or beyond a limit."""
    width, height = facts.width, facts.height
    if width < 1 or height < 1:
        raise MediaError("invalid_media", f"has no pixels: {width}x{height}")
    if width * height > limits.pixels:
        raise MediaError("limit", f"has {width}x{height} pixels, more than {limits.pixels}")
    if max(width, height) > limits.side:
        raise MediaError("limit", f"has {width}x{height} pixels, more than {limits.side} on a side")
    if facts.pages is not None and facts.pages > limits.pages:
        raise too_many_pages(limits)
    return facts


def counted(first: ImageFacts, others: Iterator[ImageFacts]) -> ImageFacts:
    """The first page of a file, with the number of all pages if what is known of the file tells it."""
    pages: int | None = 1
    try:
        pages = 1 + sum(1 for _ in others)
    except MoreNeededError:
        pages = None
    return replace(first, pages=pages)


def too_many_pages(limits: ImageLimits) -> MediaError:
    """The fault of a file with more pages than `limits` allow."""
    return MediaError("limit", f"has more than {limits.pages} pages")
