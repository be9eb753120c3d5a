"""The frames of an image file, from its headers: no pixel is decoded.

The parsers of `image_header` read all kinds but AVIF, 2 to 100 times as fast as Pillow; it does the rest.
"""

import io
from collections.abc import Iterator
from typing import BinaryIO

from PIL import AvifImagePlugin, Image
from yard.media.byte_window import FileWindow
from yard.media.decode_image import PILLOW_FAULTS
from yard.media.errors import MediaError
from yard.media.image_facts import ImageFacts, ImageLimits, checked
from yard.media.image_header import DEFAULT_LIMITS, read_header
from yard.media.image_pages import page_facts
from yard.media.index_block import ImageAddress
from yard.media.sniff import HEAD_BYTES, sniff

# Named here so that it is loaded before a process shuts itself off.
_AVIF = AvifImagePlugin.AvifImageFile.format
_ORIENTATION = 0x0112


def index_image(
    file: BinaryIO | io.RawIOBase, name: str, limits: ImageLimits = DEFAULT_LIMITS
) -> list[ImageAddress]:
    """The image, or each page of a GIF or TIFF that has several (named `name/000000.png` and on).

    MediaError, without the label, for headers that cannot be read and images beyond the limits.
    """
    window = FileWindow(file)
    kind = sniff(window.at(0, min(HEAD_BYTES, window.size)))
    if kind is not None and kind.name == "heif":
        return [_still(_avif_facts(file, limits), name)]
    facts = read_header(file, limits=limits)
    return [_still(facts, name)] if facts.pages == 1 else [*_pages(file, name, limits)]


def _still(facts: ImageFacts, name: str) -> ImageAddress:
    width, height = facts.upright
    return ImageAddress(name=name, width=width, height=height, orientation=facts.orientation)


def _pages(file: BinaryIO | io.RawIOBase, name: str, limits: ImageLimits) -> Iterator[ImageAddress]:
    for number, facts in enumerate(page_facts(file, limits)):
        width, height = facts.upright
        yield ImageAddress(
            name=f"{name}/{number:06d}.png", width=width, height=height, page=number, method="page"
        )


def _avif_facts(file: BinaryIO | io.RawIOBase, limits: ImageLimits) -> ImageFacts:
    """HEIC has the same box structure, but its pixels cannot be decoded here."""
    file.seek(0)
    try:
        with Image.open(file, formats=(_AVIF,)) as image:  # type: ignore[arg-type]
            exif = Image.Exif()
            exif.load(image.info.get("exif", b""))
            orientation = int(exif.get(_ORIENTATION, 1))
            facts = ImageFacts(
                format="avif",
                width=image.width,
                height=image.height,
                colours="rgb",
                channels=len(image.getbands()),
                bits=8,
                has_alpha=image.has_transparency_data,
                orientation=orientation if 1 <= orientation <= 8 else 1,
            )
    except PILLOW_FAULTS as fault:
        raise MediaError("unsupported", "is a HEIF image; of these only AVIF is read") from fault
    return checked(facts, limits)
