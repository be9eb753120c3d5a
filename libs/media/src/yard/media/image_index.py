"""The frames of an image file, from its headers: no pixel is decoded."""

from collections.abc import Iterator
from itertools import count
from typing import BinaryIO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from yard.media.decode_image import LARGEST_PIXELS
from yard.media.errors import MediaError
from yard.media.index_block import FRAMES_PER_BLOCK, ImageAddress

# Named here so that they are loaded before a process shuts itself off.
_PLUGINS = (
    AvifImagePlugin.AvifImageFile,
    BmpImagePlugin.BmpImageFile,
    GifImagePlugin.GifImageFile,
    JpegImagePlugin.JpegImageFile,
    PngImagePlugin.PngImageFile,
    TiffImagePlugin.TiffImageFile,
    WebPImagePlugin.WebPImageFile,
)
_FORMATS = tuple(plugin.format for plugin in _PLUGINS)
_WITH_PAGES = ("GIF", "TIFF")
_ORIENTATION = 0x0112


def index_image(file: BinaryIO, name: str) -> list[ImageAddress]:
    """The image, or each page of a GIF or TIFF that has several (named `name/000000.png` and on).

    MediaError, without the label: unreadable headers, more than `LARGEST_PIXELS` or 10,000 pages.
    """
    try:
        with Image.open(file, formats=_FORMATS) as image:
            return [*_pages(image, name)]
    except (MediaError, MemoryError):
        raise
    except Exception as error:
        raise MediaError("invalid_media", "is not an image that can be read") from error


def _pages(image: Image.Image, name: str) -> Iterator[ImageAddress]:
    if image.format not in _WITH_PAGES or not _has_page(image, 1):
        image.seek(0)
        yield _address(image, name, orientation=_orientation(image))
        return
    for page in count():
        if not _has_page(image, page):
            return
        if page == FRAMES_PER_BLOCK:
            raise MediaError("limit", f"has more than {FRAMES_PER_BLOCK} pages")
        yield _address(image, f"{name}/{page:06d}.png", page=page)


def _has_page(image: Image.Image, page: int) -> bool:
    try:
        image.seek(page)
    except EOFError:
        return False
    return True


def _address(image: Image.Image, name: str, orientation: int = 1, page: int | None = None) -> ImageAddress:
    width, height = image.size
    if width * height > LARGEST_PIXELS:
        raise MediaError("limit", f"has {width}x{height} pixels, more than {LARGEST_PIXELS:,}")
    if orientation >= 5:
        width, height = height, width
    return ImageAddress(
        name=name,
        width=width,
        height=height,
        page=page or 0,
        method="whole" if page is None else "page",
        orientation=orientation,
    )


def _orientation(image: Image.Image) -> int:
    """How the decoded picture is to be turned, EXIF 1 to 8; the reader of TIFF turns by itself."""
    if image.format == "TIFF":
        return 1
    exif = Image.Exif()
    try:
        exif.load(image.info.get("exif", b""))
        orientation = int(exif.get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - as above; such a picture is shown as it is stored
        return 1
    return orientation if 1 <= orientation <= 8 else 1
