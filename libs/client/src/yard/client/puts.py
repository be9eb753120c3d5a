"""Bytes of a file to an address that somebody else has signed, in a thread."""

import asyncio
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from yard.client.failures import ClientError

PIECE_BYTES = 1 << 20
CONNECT_S = 10.0
STALLED_S = 60.0
_LONGEST_TAG = 200


class UnreachedError(ClientError):
    """Nobody answers at the address, which is not told: who knows it may write there."""


async def put(url: str, file: Path, offset: int, length: int) -> str:
    """The ETag that the store answers; ClientError otherwise. Cancelling it cuts the connection."""
    is_cut = threading.Event()
    sending = asyncio.create_task(asyncio.to_thread(_put, url, file, range(offset, offset + length), is_cut))
    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:
        is_cut.set()
        await asyncio.gather(sending, return_exceptions=True)
        raise


def _put(url: str, file: Path, part: range, is_cut: threading.Event) -> str:
    address = urlsplit(url)
    connection = _connected(address.scheme, address.netloc)
    try:
        target = f"{address.path}?{address.query}"
        headers = {"Content-Length": str(len(part)), "Content-Type": "application/octet-stream"}
        connection.request("PUT", target, body=_pieces(file, part, is_cut), headers=headers)
        answer = connection.getresponse()
        answer.read(PIECE_BYTES)
        return _tag(address.netloc, answer.status, answer.headers.get("ETag", ""))
    except (OSError, HTTPException) as fault:
        message = f"the store at {address.netloc} broke off: {_reason(fault)}"
        raise ClientError(message, code="UNAVAILABLE") from None
    finally:
        connection.close()


def _connected(scheme: str, place: str) -> HTTPConnection:
    kind = HTTPSConnection if scheme == "https" else HTTPConnection
    connection = kind(place, timeout=CONNECT_S)
    try:
        connection.connect()
    except (OSError, HTTPException) as fault:
        message = f"the store at {place} is not reached from here: {_reason(fault)}"
        raise UnreachedError(message, code="UNAVAILABLE") from None
    connection.sock.settimeout(STALLED_S)
    return connection


def _pieces(path: Path, part: range, is_cut: threading.Event) -> Iterator[bytes]:
    """Exactly so many bytes: a file that has grown since is cut there."""
    left = len(part)
    try:
        with path.open("rb") as file:
            file.seek(part.start)
            while left and (piece := file.read(min(PIECE_BYTES, left))):
                if is_cut.is_set():
                    raise ClientError("the transfer was given up", code="CANCELLED")
                left -= len(piece)
                yield piece
    except OSError as fault:
        message = f"{path}: cannot be read: {fault.strerror}"
        raise ClientError(message, code="FAILED_PRECONDITION") from fault
    if left:
        raise ClientError(f"{path}: has become shorter", code="FAILED_PRECONDITION")


def _tag(place: str, status: int, tag: str) -> str:
    if status == 200 and 0 < len(tag) <= _LONGEST_TAG:
        return tag
    if status in (403, 404):
        # The address has ended, or the parts are gone: the platform knows which.
        raise ClientError(f"the store at {place} refuses: status {status}", code="ABORTED")
    raise ClientError(f"the store at {place} answers with status {status}", code="UNAVAILABLE")


def _reason(fault: Exception) -> str:
    return getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
