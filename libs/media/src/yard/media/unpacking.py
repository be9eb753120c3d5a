"""The bytes of packed files: gzip, bzip2, xz and zstd, of one stream or several."""

import bz2
import io
import lzma
import sys
import zlib
from collections.abc import Callable
from typing import BinaryIO, Literal, Protocol

from yard.media.byte_window import read_fully
from yard.media.errors import MediaError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Packing = Literal["gz", "bz2", "xz", "zst"]

_PIECE = 256 << 10
_MOST_MEMORY = 128 << 20
_LARGEST_ZSTD_WINDOW = 27  # 2 ** 27 bytes, what the tool itself accepts by default
_FAULTS = (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, EOFError, ValueError)


class _Decompressor(Protocol):
    """One stream."""

    @property
    def eof(self) -> bool:
        """The stream has ended."""

    @property
    def needs_input(self) -> bool:
        """No more comes out of what was given."""

    @property
    def unused_data(self) -> bytes:
        """What follows the stream."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most so many bytes; what is left of `data` is kept."""


class _Gzip:
    """The same for gzip, whose checksum it verifies."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        content = self._stream.decompress(self._stream.unconsumed_tail + data, max_length)
        self._full = len(content) == max_length
        return content


_DECOMPRESSORS: dict[Packing, Callable[[], _Decompressor]] = {
    "gz": _Gzip,
    "bz2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY),
    "zst": lambda: zstd.ZstdDecompressor(
        options={zstd.DecompressionParameter.window_log_max: _LARGEST_ZSTD_WINDOW}
    ),
}
_MAGIC: tuple[tuple[bytes, Packing], ...] = (
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
)


def packing_of(head: bytes) -> Packing | None:
    """How a file is packed by its first bytes; None if it is not."""
    return next((packing for magic, packing in _MAGIC if head.startswith(magic)), None)


class UnpackedFile:
    """Reads forward what is packed in a file, with memory of a few pieces and the window of the stream."""

    def __init__(self, file: BinaryIO | io.RawIOBase, packing: Packing) -> None:
        self._file = file
        self._start: Callable[[], _Decompressor] = _DECOMPRESSORS[packing]
        self._magic = next(magic for magic, other in _MAGIC if other == packing)
        self._stream: _Decompressor | None = None
        self._rest = b""
        self.packed = 0
        """Bytes of the file that were read so far."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes, none at the end; MediaError for a stream that is damaged or cut off."""
        while True:
            if self._stream is not None and self._stream.eof:
                self._rest, self._stream = self._stream.unused_data, None
            given = b""
            if self._stream is None or self._stream.needs_input:
                given = self._given()
                if not given and self._stream is not None:
                    raise MediaError("truncated", "ends within its packed stream")
            if self._stream is None:
                given += read_fully(self._file, max(0, len(self._magic) - len(given))) if given else b""
                # What follows the last stream is padding, or rubbish that no tool minds.
                if not given.startswith(self._magic):
                    return b""
                self._stream = self._start()
            if content := self._unpacked(self._stream, given, size):
                return content

    def skip(self, size: int) -> int:
        """Passes over at most `size` bytes and says how many; none at the end."""
        return len(self.read(min(size, _PIECE)))

    def _given(self) -> bytes:
        given, self._rest = self._rest, b""
        if not given:
            given = read_fully(self._file, _PIECE)
            self.packed += len(given)
        return given

    def _unpacked(self, stream: _Decompressor, given: bytes, size: int) -> bytes:
        try:
            return stream.decompress(given, size)
        except _FAULTS as error:
            raise MediaError("invalid_media", f"does not unpack: {error}") from error
