"""Jobs of child processes that make zip chunks, frames and previews of images.

Sources are named by their numbers in the addresses, which come in the arguments.
"""

from collections.abc import Iterator
from threading import local
from typing import Any, BinaryIO

from yard.media.chunk_results import Arguments, Encoded, Host, Look, Result, of_pixels, opened, preview
from yard.media.claims import CLAIMED, confirmed
from yard.media.decode_image import decode_image, decode_small, is_jpeg
from yard.media.errors import MediaError
from yard.media.image_file import ImageFiles
from yard.media.index_block import PAGE_METHODS, ImageAddress
from yard.media.page_reader import PageReader
from yard.media.parallel import in_order
from yard.media.sniff import HEAD_BYTES, sniff
from yard.media.zip_chunk import zip_stored

UNCHANGED_QUALITY = 100
"""From this quality on, upright JPEG images are not encoded again."""

_THREADS = 2
_LARGE_PIXELS = 40_000_000
"""Images of more pixels are decoded one at a time, as their pixels fill the memory."""


def image_zip(arguments: Arguments, host: Host) -> Result:
    """The `images` in a zip: as JPEGs of `quality`, or their own bytes if `look` is "original"."""
    addresses = _addresses(arguments["images"])
    look, quality = arguments["look"], arguments["quality"]
    images = local()

    def encode(address: ImageAddress) -> Encoded:
        if not hasattr(images, "own"):
            images.own = _Images(host)
        encoded: Encoded = images.own.encode(address, look, quality)
        return encoded

    sizes: list[Result] = []
    encoded = in_order(encode, addresses, _threads(addresses))
    for piece in zip_stored(_members(encoded, sizes)):
        host.emit(piece)
    return sizes[0]


def image_frame(arguments: Arguments, host: Host) -> Result:
    """The one image of `images` as `look` says."""
    [address] = _addresses(arguments["images"])
    encoded = _Images(host).encode(address, arguments["look"], arguments["quality"])
    host.emit(encoded.content)
    return encoded.result()


class _Images:
    """Reads and encodes the images of one thread."""

    def __init__(self, host: Host) -> None:
        def open_source(source: int) -> BinaryIO:
            return opened(host, str(source))

        self._files, self._pages = ImageFiles(open_source), PageReader(open_source)

    def encode(self, address: ImageAddress, look: Look, quality: int) -> Encoded:
        """An image or a page; MediaError names it."""
        if address.method in PAGE_METHODS and address.orientation != CLAIMED:
            return of_pixels(self._pages.render(address), look, quality)
        return _of_image(self._files.read(address), address, look, quality)


def _of_image(content: bytes, address: ImageAddress, look: Look, quality: int) -> Encoded:
    address = confirmed(content, address)
    if look == "original" and address.method not in PAGE_METHODS:
        return _unchanged(content, address)
    place = {"orientation": address.orientation, "page": address.page}
    if look == "preview":
        return preview(decode_small(content, address.name, **place))
    is_fine = quality >= UNCHANGED_QUALITY and address.orientation == 1 and is_jpeg(content)
    if look == "jpeg" and is_fine:
        return _unchanged(content, address)
    return of_pixels(decode_image(content, address.name, **place), look, quality)


def _unchanged(content: bytes, address: ImageAddress) -> Encoded:
    """The source's own bytes, if they are an image; the pixels tell the size where the index has none."""
    kind = sniff(content[:HEAD_BYTES])
    if kind is None or kind.family != "image":
        raise MediaError("invalid_media", "is not an image", address.name)
    width, height = address.width, address.height
    if not width or not height:
        height, width = decode_image(content, address.name, orientation=address.orientation).shape[:2]
    # Of HEIF files only AVIF is indexed.
    name = "avif" if kind.name == "heif" else kind.name
    return Encoded(content=content, content_type=f"image/{name}", width=width, height=height)


def _members(encoded: Iterator[Encoded], sizes: list[Result]) -> Iterator[tuple[str, bytes]]:
    """Names and contents; notes the size of the first picture."""
    for position, picture in enumerate(encoded):
        if not sizes:
            sizes.append({"width": picture.width, "height": picture.height, "corrupt": []})
        yield f"{position:06d}.{picture.content_type.removeprefix('image/')}", picture.content


def _addresses(images: list[dict[str, Any]]) -> list[ImageAddress]:
    return [ImageAddress(**image) for image in images]


def _threads(addresses: list[ImageAddress]) -> int:
    """Pages come from one file after the other, and the library of PDF knows one thread."""
    largest = max(address.width * address.height for address in addresses)
    has_pages = any(address.method in PAGE_METHODS for address in addresses)
    return 1 if has_pages or largest > _LARGE_PIXELS else _THREADS
