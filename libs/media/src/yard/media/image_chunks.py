"""Jobs of child processes that make zip chunks, frames and previews of images.

Sources are named by their numbers in the addresses, which come in the arguments: `images` in the order of
frames, of which `first` (0 if it is left out) is the relative number of the first one. An image that does not
decode keeps its number: a placeholder is shown in its place, and `corrupt` of the result names it.
"""

from collections.abc import Iterator
from threading import local
from typing import BinaryIO

from yard.media.chunk_results import Encoded, Result
from yard.media.encode_image import ImageEncoder
from yard.media.encode_jpeg import check_quality
from yard.media.framed import FrameWriter
from yard.media.index_block import PAGE_METHODS, ImageAddress
from yard.media.job_host import Arguments, Host, opened
from yard.media.parallel import in_order
from yard.media.zip_chunk import zip_stored

_THREADS = 2
_LARGE_PIXELS = 40_000_000
"""Images of more pixels are decoded one at a time, as their pixels fill the memory."""


def image_zip(arguments: Arguments, host: Host) -> Result:
    """The `images` in a zip: as JPEGs of `quality`, or their own bytes if `look` is "original"."""
    chunk = _Chunk(_encoded(arguments, host))
    for piece in zip_stored(chunk.members(len(arguments["images"]))):
        host.emit(piece)
    return chunk.result()


def image_zip_run(arguments: Arguments, host: Host) -> Result:
    """The `images` in several zips, framed: `chunks` are the first and last relative frames, ascending."""
    chunks: list[tuple[int, int]] = arguments["chunks"]
    encoded = _encoded({**arguments, "first": chunks[0][0]}, host)
    writer = FrameWriter(host.emit)
    for number, (first, last) in enumerate(chunks):
        chunk = _Chunk(encoded)
        for piece in zip_stored(chunk.members(last + 1 - first)):
            writer.content(number, piece)
        writer.end(number, chunk.result())
    return {}


def image_frame(arguments: Arguments, host: Host) -> Result:
    """The one image of `images` as `look` says."""
    [encoded] = _encoded(arguments, host)
    host.emit(encoded.content)
    return encoded.result()


class _Chunk:
    """Takes the pictures of one chunk from those that come, and notes what is to be said of them."""

    def __init__(self, encoded: Iterator[Encoded]) -> None:
        self._encoded = encoded
        self._size = (0, 0)
        self._corrupt: list[list[object]] = []

    def members(self, count: int) -> Iterator[tuple[str, bytes]]:
        """Names and contents."""
        for position in range(count):
            picture = next(self._encoded)
            if not position:
                self._size = (picture.width, picture.height)
            self._corrupt += [list(each) for each in picture.corrupt]
            yield f"{position:06d}.{picture.content_type.removeprefix('image/')}", picture.content

    def result(self) -> Result:
        """Size of the first picture, and the damaged ones."""
        width, height = self._size
        return {"width": width, "height": height, "corrupt": self._corrupt}


def _encoded(arguments: Arguments, host: Host) -> Iterator[Encoded]:
    """The pictures in their order, made in threads that have their own files each."""
    addresses = [ImageAddress(**image) for image in arguments["images"]]
    look, quality = arguments["look"], check_quality(arguments["quality"])
    own = local()

    def open_source(source: int) -> BinaryIO:
        return opened(host, str(source))

    def encode(numbered: tuple[int, ImageAddress]) -> Encoded:
        if not hasattr(own, "encoder"):
            own.encoder = ImageEncoder(open_source, look, quality)
        frame, address = numbered
        encoder: ImageEncoder = own.encoder
        return encoder.encode(address, frame)

    return in_order(encode, enumerate(addresses, arguments.get("first", 0)), _threads(addresses))


def _threads(addresses: list[ImageAddress]) -> int:
    """Pages come from one file after the other, and the library of PDF knows one thread."""
    largest = max(address.width * address.height for address in addresses)
    has_pages = any(address.method in PAGE_METHODS for address in addresses)
    return 1 if has_pages or largest > _LARGE_PIXELS or len(addresses) == 1 else _THREADS
