"""Ranges of objects on their way to somebody else: read in the event loop, without threads and hashes.

The bytes are only passed on, by many answers at once; a thread for each piece would cost more than the piece.
"""

import asyncio
import hashlib
import ssl
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Final, cast
from urllib.parse import urlsplit

from yard.runtime import clock, errors
from yard.runtime.blobs.addresses import PartAddresses
from yard.runtime.settings import ProcessSettings

HELD_BYTES: Final = 256 * 1024
HEAD_BYTES: Final = 64 * 1024
MOST_IDLE: Final = 32
CONNECT_TIMEOUT_S: Final = 5.0
READ_TIMEOUT_S: Final = 30.0
ADDRESS_S: Final = 120
USED_AGAIN_S: Final = 60.0
"""Signing an address takes as long as passing a quarter of a MiB on, so it is used again for so long."""
MOST_ADDRESSES: Final = 1_000
_NOTED_SHA256: Final = "x-amz-meta-sha256"


class _Connection(asyncio.Protocol):
    """Hands on what comes as it came: a stream reader would copy it twice."""

    def __init__(self) -> None:
        self.is_new = True
        self._transport: asyncio.Transport | None = None
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._is_paused = self._has_ended = False
        self._news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # What other loops give is one without saying so.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._pieces.append(data)
        self._held += len(data)
        if self._held >= HELD_BYTES and self._transport is not None and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._has_ended = True
        self._news.set()

    @property
    def is_idle(self) -> bool:
        """Whether another request may follow."""
        return not self._pieces and not self._has_ended

    def ask(self, request: bytes) -> None:
        """Sends a request."""
        if self._transport is not None:
            self._transport.write(request)

    async def piece(self) -> bytes:
        """What came next; Unavailable at the end, and if nothing comes for long."""
        if not self._pieces:
            await self._wait()
        piece = self._pieces.popleft()
        self._held -= len(piece)
        if self._is_paused and self._held < HELD_BYTES and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()
        return piece

    async def head(self) -> bytes:
        """All before the body of an answer."""
        found = b""
        while b"\r\n\r\n" not in found:
            if len(found) > HEAD_BYTES:
                raise errors.Unavailable("the object store does not end its headers")
            found += await self.piece()
        head, _, rest = found.partition(b"\r\n\r\n")
        if rest:
            self._pieces.appendleft(rest)
            self._held += len(rest)
        return head

    def close(self) -> None:
        """Ends the connection."""
        if self._transport is not None:
            self._transport.abort()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                while not self._pieces:
                    if self._has_ended:
                        raise errors.Unavailable("the object store ended its answer early")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError as fault:
            raise errors.Unavailable("the object store does not answer") from fault


class Relay:
    """Keeps connections; a reader that takes nothing holds one, and half a MiB of memory."""

    def __init__(self, addresses: PartAddresses) -> None:
        self._addresses = addresses
        self._idle: list[_Connection] = []
        self._signed: OrderedDict[str, tuple[float, str]] = OrderedDict()

    @classmethod
    def connect(cls, settings: ProcessSettings) -> "Relay":
        """For the S3 settings; opens no connection yet."""
        scheme = "https" if settings.s3_secure else "http"
        return cls(PartAddresses.connect(settings, f"{scheme}://{settings.s3_endpoint}"))

    async def stream(self, key: str, offset: int, length: int) -> AsyncGenerator[bytes]:
        """The range, which lies within the object; Unavailable if the store ends it early."""
        if length:
            url = self._address(key)
            connection, _ = await self._asked(url, f"bytes={offset}-{offset + length - 1}", key, length)
            async with aclosing(self._received(connection, length)) as pieces:
                async for piece in pieces:
                    yield piece

    async def stream_whole(self, key: str, length: int, sha256: str) -> AsyncGenerator[bytes]:
        """A whole object, which is not empty; DataLoss if it is not what was written under this SHA-256.

        What the writer noted at the object tells so before its first byte comes; that the store gives what it
        was given is the store's to check. Objects that were written in parts have no note: they are hashed.
        """
        url = self._address(key)
        connection, fields = await self._asked(url, f"bytes=0-{length - 1}", key, length)
        noted = fields.get(_NOTED_SHA256)
        if noted not in (None, sha256):
            connection.close()
            raise _damaged(key)
        found = hashlib.sha256()
        async with aclosing(self._received(connection, length)) as pieces:
            async for piece in pieces:
                if noted is None:
                    found.update(piece)
                yield piece
        if noted is None and found.hexdigest() != sha256:
            raise _damaged(key)

    def _address(self, key: str) -> str:
        now = clock.monotonic()
        until, url = self._signed.pop(key, (0.0, ""))
        if until <= now:
            until, url = now + USED_AGAIN_S, self._addresses.get(key, ADDRESS_S)
        self._signed[key] = until, url
        if len(self._signed) > MOST_ADDRESSES:
            self._signed.popitem(last=False)
        return url

    async def _received(self, connection: _Connection, length: int) -> AsyncGenerator[bytes]:
        is_whole = False
        try:
            while length:
                piece = await connection.piece()
                length -= len(piece)
                if length < 0:
                    raise errors.Internal("the object store sent more than its answer has")
                is_whole = not length
                if is_whole:
                    self._keep(connection)
                yield piece
        finally:
            if not is_whole:
                connection.close()

    def close(self) -> None:
        """Ends the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    async def _asked(
        self, url: str, range_: str, key: str, length: int
    ) -> tuple[_Connection, Mapping[str, str]]:
        """A connection whose next bytes are those of the range, and the headers before them."""
        parts = urlsplit(url)
        lines = (
            f"GET {parts.path}?{parts.query} HTTP/1.1",
            f"Host: {parts.netloc}",
            f"Range: {range_}",
            "",
            "",
        )
        while True:
            connection = await self._connected(parts.hostname or "", parts.port, parts.scheme == "https")
            try:
                connection.ask("\r\n".join(lines).encode())
                fields = _checked(await connection.head(), key, length)
            except errors.Unavailable:
                connection.close()
                if connection.is_new:
                    raise
            except BaseException:
                connection.close()
                raise
            else:
                return connection, fields

    async def _connected(self, host: str, port: int | None, is_secure: bool) -> _Connection:
        if self._idle:
            return self._idle.pop()
        context = ssl.create_default_context() if is_secure else None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, connection = await loop.create_connection(
                    _Connection, host, port or (443 if is_secure else 80), ssl=context
                )
        except OSError as fault:
            raise errors.Unavailable("the object store does not answer") from fault
        return connection

    def _keep(self, connection: _Connection) -> None:
        connection.is_new = False
        if len(self._idle) < MOST_IDLE and connection.is_idle:
            self._idle.append(connection)
        else:
            connection.close()


def _damaged(key: str) -> errors.DataLoss:
    return errors.DataLoss(f"blob {key} is damaged", metadata={"key": key})


def _checked(head: bytes, key: str, length: int) -> Mapping[str, str]:
    """The headers of an answer that has the range and nothing else; else the error that its status means."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    status = int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    if status == 206 and fields.get("content-length") == str(length):
        return fields
    if status == 404:
        raise errors.NotFound("blob", key)
    if status in (206, 416):
        raise errors.OutOfRange(f"the range lies outside of blob {key}", metadata={"key": key})
    if status >= 500:
        raise errors.Unavailable("the object store is busy", metadata={"status": str(status)})
    raise errors.Internal("the object store refused the call", metadata={"status": str(status), "key": key})
