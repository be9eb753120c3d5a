"""What the jobs that index archives emit: batches of frames, each after the bytes of its pack if it has one.

A message is `kind (1 byte) | length of its first part u32 | length of its second part u32 | both parts`. Kind
P: bytes of the pack, nothing. Kind B: the result as JSON, the index block. Kind R: what is being read, see
`reading`, nothing.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from yard.media.errors import MediaError

DEADLY = "reading it takes too long or too much memory, or crashes"
"""Why a file is left out that kills its child."""

_HEAD = struct.Struct("<cII")
_LONGEST = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedBatch:
    """An index block, and what is to be known besides."""

    block: bytes
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """The result with this number is being looked for in its file; None: that file is done with."""

    number: int | None


def reading(number: int | None) -> bytes:
    """Goes ahead of what may kill the child, and again, with None, when it has survived."""
    text = json.dumps(number).encode()
    return _HEAD.pack(b"R", len(text), 0) + text


def pack_piece(content: bytes) -> bytes:
    """Bytes that are appended to the pack of the batch that follows."""
    return _HEAD.pack(b"P", len(content), 0) + content


def batch_end(block: bytes, result: dict[str, Any]) -> bytes:
    """A batch, which ends its pack."""
    text = json.dumps(result).encode()
    return _HEAD.pack(b"B", len(text), len(block)) + text + block


class BatchStream:
    """Finds the messages in pieces of any length."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, content: bytes) -> Iterator[bytes | IndexedBatch | Reading]:
        """The messages that are complete with these bytes: those of a pack, a batch, what is being read."""
        self._buffer += content
        while (message := self._next()) is not None:
            yield message

    def _next(self) -> bytes | IndexedBatch | Reading | None:
        if len(self._buffer) < _HEAD.size:
            return None
        kind, first, second = _HEAD.unpack_from(self._buffer)
        end = _HEAD.size + first + second
        if end > _LONGEST:
            raise MediaError("limit", f"has an index batch of {end} bytes, more than {_LONGEST}")
        if len(self._buffer) < end:
            return None
        middle = _HEAD.size + first
        content, block = bytes(self._buffer[_HEAD.size : middle]), bytes(self._buffer[middle:end])
        del self._buffer[:end]
        if kind == b"R":
            return Reading(json.loads(content))
        return content if kind == b"P" else IndexedBatch(block=block, result=json.loads(content))
