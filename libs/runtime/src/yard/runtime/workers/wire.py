"""Frames between parent and child: a prefix (two lengths), a msgpack array whose head is the kind, raw bytes.

Parent to child: start, call, data (answers a read), ack (bytes that the consumer has taken).
Child to parent: hello, read, emit, progress, done, failed.
"""

import os
import struct
from collections.abc import Sequence

import msgpack

MAX_HEADER = 16 * 1024 * 1024
MAX_BODY = 4 * 1024 * 1024
EMIT_PIECE = 1024 * 1024
EMIT_WINDOW = 4 * 1024 * 1024  # bytes on the way to the consumer; more make emit() wait
MAX_READS = 8  # range reads of one child at a time

PREFIX = struct.Struct("<II")

Header = list[object]
Buffer = bytes | bytearray | memoryview


class ProtocolError(Exception):
    """The other side sent what it must not: it is not to be trusted any more."""


def head(header: Sequence[object], body_size: int) -> bytes:
    """Prefix and header, to be followed by `body_size` raw bytes."""
    packed: bytes = msgpack.packb(header)
    if len(packed) > MAX_HEADER or body_size > MAX_BODY:
        raise ProtocolError(f"frame {header[0]} of {len(packed)} + {body_size} bytes is over the limit")
    return PREFIX.pack(len(packed), body_size) + packed


def lengths(prefix: bytes) -> tuple[int, int]:
    """Sizes of header and body; refuses before anything of that size is allocated."""
    header_size, body_size = PREFIX.unpack(prefix)
    if header_size > MAX_HEADER or body_size > MAX_BODY:
        raise ProtocolError(f"frame of {header_size} + {body_size} bytes is over the limit")
    return header_size, body_size


def parse(packed: bytes | bytearray) -> Header:
    """The array of a frame; its first item is a string, nothing else is checked."""
    try:
        header = msgpack.unpackb(packed, strict_map_key=False)
    except (ValueError, msgpack.UnpackException) as exc:
        raise ProtocolError(f"frame is not msgpack: {exc}") from exc
    if not isinstance(header, list) or not header or not isinstance(header[0], str):
        raise ProtocolError("frame does not start with its kind")
    return header


def send(fd: int, header: Sequence[object], body: Buffer = b"") -> None:
    """Blocking write of one frame; callers hold a lock."""
    view = memoryview(body).cast("B")
    prefix = head(header, view.nbytes)
    sent = os.writev(fd, [prefix, view])
    if sent < len(prefix):
        _write_all(fd, memoryview(prefix)[sent:])
        sent = len(prefix)
    _write_all(fd, view[sent - len(prefix) :])


def receive(fd: int) -> tuple[Header, bytearray]:
    """Blocking read of one frame; EOFError when the other side is gone."""
    header_size, body_size = lengths(bytes(_read_exactly(fd, PREFIX.size)))
    return parse(_read_exactly(fd, header_size)), _read_exactly(fd, body_size)


def _write_all(fd: int, view: memoryview) -> None:
    while view.nbytes:
        view = view[os.write(fd, view) :]


def _read_exactly(fd: int, size: int) -> bytearray:
    buffer = bytearray(size)
    view = memoryview(buffer)
    while view.nbytes:
        count = os.readv(fd, [view])
        if count == 0:
            raise EOFError
        view = view[count:]
    return buffer
