"""The bytes of single images, cut out of what they lie in."""

import io
import zlib
from collections.abc import Callable
from typing import BinaryIO

from yard.media.errors import MediaError
from yard.media.index_block import ImageAddress

LARGEST_FILE_BYTES = 512 << 20

_DEFLATED = frozenset({"deflated", "deflated_page"})


class ImageFiles:
    """Reads images by address from sources that `open_source` opens by number; for one thread at a time.

    The last source stays open, as neighbours often lie in the same one.
    """

    def __init__(self, open_source: Callable[[int], BinaryIO]) -> None:
        self._open = open_source
        self._source = -1
        self._file: BinaryIO | None = None

    def read(self, address: ImageAddress) -> bytes:
        """The image file itself, unpacked; MediaError if it is not there or longer than 512 MiB."""
        return self.unpacked(self.read_packed(address), address)

    def read_packed(self, address: ImageAddress) -> bytes:
        """What lies at the address; MediaError if it is not there in full."""
        file = self._opened(address.source)
        if address.method in {"whole", "page"}:
            # Raw files take as much memory as is asked for, whatever there is to read.
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            return self._taken(file, size, address)
        file.seek(address.offset)
        return self._taken(file, address.length, address)

    def unpacked(self, content: bytes, address: ImageAddress) -> bytes:
        """The image file in what lies at the address; MediaError if it does not unpack."""
        return _inflated(content, address) if address.method in _DEFLATED else content

    def _opened(self, source: int) -> BinaryIO:
        if self._file is None or self._source != source:
            self._source, self._file = source, self._open(source)
        return self._file

    def _taken(self, file: BinaryIO, length: int, address: ImageAddress) -> bytes:
        if length > LARGEST_FILE_BYTES:
            raise _too_long(address)
        content = file.read(length)
        if len(content) != length:
            raise MediaError("truncated", f"ends after {len(content)} of {length} bytes", address.name)
        return content


def _inflated(content: bytes, address: ImageAddress) -> bytes:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        image = unpacker.decompress(content, min(address.size or LARGEST_FILE_BYTES, LARGEST_FILE_BYTES) + 1)
    except zlib.error as error:
        raise MediaError("invalid_media", f"does not unpack: {error}", address.name) from error
    if len(image) > LARGEST_FILE_BYTES:
        raise _too_long(address)
    if address.size and len(image) > address.size:
        raise MediaError("limit", f"unpacks to more than its {address.size} bytes", address.name)
    if address.size and len(image) != address.size:
        raise MediaError("truncated", f"does not unpack to its {address.size} bytes", address.name)
    return image


def _too_long(address: ImageAddress) -> MediaError:
    return MediaError("limit", f"is longer than {LARGEST_FILE_BYTES >> 20} MiB", address.name)
