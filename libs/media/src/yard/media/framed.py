"""Several chunks in one stream of bytes: how a job that makes a run of chunks tells them apart.

A frame is a header (kind, position of the chunk in the run, length of the body) and its body: a piece of the
chunk's content, or the chunk's result as JSON, which ends it. Chunks follow one another from position 0 on.
"""

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from yard.media.chunk_results import Result

_HEADER = struct.Struct("<BII")
_CONTENT, _END = 0, 1
_LARGEST_PIECE = 1 << 30
_LARGEST_RESULT = 8 << 20
"""A result lists damaged frames; one of 65,535 of them, all with reasons, stays below."""


class FramingError(ValueError):
    """The bytes are not what `FrameWriter` writes."""


@dataclass(frozen=True, slots=True)
class Content:
    """The next bytes of a chunk, `chunk` being its position in the run."""

    chunk: int
    piece: bytes


@dataclass(frozen=True, slots=True)
class End:
    """A chunk is whole."""

    chunk: int
    result: Result


class FrameWriter:
    """Sends the chunks of a run, one after another, through `emit`."""

    def __init__(self, emit: Callable[[bytes], None]) -> None:
        self._emit = emit

    def content(self, chunk: int, piece: bytes) -> None:
        """Sends the next bytes of the chunk."""
        if piece:
            self._emit(_HEADER.pack(_CONTENT, chunk, len(piece)) + piece)

    def end(self, chunk: int, result: Result) -> None:
        """Sends what is to be said of the chunk, now that it is whole."""
        body = json.dumps(result, separators=(",", ":")).encode()
        self._emit(_HEADER.pack(_END, chunk, len(body)) + body)


class FrameParser:
    """Reads what a `FrameWriter` wrote, cut anywhere; keeps back a header or a result at most.

    FramingError at the first byte that cannot be right.
    """

    def __init__(self, chunks: int | None = None) -> None:
        """With the number of chunks, where it is known: more of them are an error, and fewer at the end."""
        self._chunks = chunks
        self._current = 0
        self._kind = _CONTENT
        self._missing = 0
        """Bytes that the body of the present frame lacks; none between frames."""
        self._kept = bytearray()

    def feed(self, received: bytes | memoryview) -> Iterator[Content | End]:
        """What these bytes bring; to be iterated to its end. Contents come at once, in the cuts they had."""
        view = memoryview(received).cast("B")
        while view.nbytes:
            if not self._missing:
                view = self._read_header(view)
                continue
            part, view = view[: self._missing], view[self._missing :]
            self._missing -= part.nbytes
            if self._kind == _CONTENT:
                yield Content(self._current, bytes(part))
                continue
            self._kept += part
            if not self._missing:
                yield self._ended()

    def finish(self) -> None:
        """Checks that the stream may end here."""
        if self._kept or self._missing:
            raise FramingError("the stream ends within a frame")
        if self._chunks is not None and self._current != self._chunks:
            raise FramingError(f"the stream ends after {self._current} of {self._chunks} chunks")

    def _read_header(self, view: memoryview) -> memoryview:
        taken = _HEADER.size - len(self._kept)
        self._kept += view[:taken]
        if len(self._kept) == _HEADER.size:
            kind, chunk, length = _HEADER.unpack(self._kept)
            self._kept.clear()
            self._check(kind, chunk, length)
            self._kind, self._missing = kind, length
        return view[taken:]

    def _check(self, kind: int, chunk: int, length: int) -> None:
        if kind not in {_CONTENT, _END}:
            raise FramingError(f"there is no frame of kind {kind}")
        if chunk != self._current or (self._chunks is not None and chunk >= self._chunks):
            raise FramingError(f"chunk {chunk} comes where chunk {self._current} of {self._chunks} is due")
        if not 0 < length <= (_LARGEST_PIECE if kind == _CONTENT else _LARGEST_RESULT):
            raise FramingError(f"a frame of {length} bytes")

    def _ended(self) -> End:
        try:
            result = json.loads(self._kept)
        except ValueError as error:
            raise FramingError("the result of a chunk is not JSON") from error
        if not isinstance(result, dict):
            raise FramingError("the result of a chunk is not an object")
        self._kept.clear()
        self._current += 1
        return End(self._current - 1, result)
