"""JSON is compressed for clients that ask for it; downloads never are.

CVAT's clients ask for none: they write what comes into files as it is.

The bytes of a compressed answer have an ETag of their own, `"7-gzip"` for `"7"`. Routes know nothing of it:
in conditions that clients send it is taken for what it is made of.
"""

import asyncio
import zlib
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOT_MODIFIED: Final = 304
LEAST_BYTES: Final = 1024
LEVEL: Final = 1
GZIP: Final = 16 + zlib.MAX_WBITS
# Compressing this takes a few milliseconds; more is left to a thread.
IN_LOOP_BYTES: Final = 256 * 1024
CONDITIONS: Final = (b"if-none-match", b"if-match")
MARK: Final = "-gzip"
_END: Final = f'{MARK}"'


class Compressed:
    """Around routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        knows_packed = _unmark(scope)
        if _asks(Headers(scope=scope)):
            await self._app(scope, receive, _Answer(send, knows_packed=knows_packed).take)
        else:
            await self._app(scope, receive, send)


def _unmark(scope: Scope) -> bool:
    """Takes the mark from ETags in conditions; whether there was one."""
    marked = _END.encode()
    found = any(name in CONDITIONS and marked in value for name, value in scope["headers"])
    if found:
        # In place: what is around reads the route that is matched from the same scope.
        scope["headers"] = [
            (name, value.replace(marked, b'"') if name in CONDITIONS else value)
            for name, value in scope["headers"]
        ]
    return found


def _mark(headers: MutableHeaders) -> None:
    """Tells the compressed form from the other; weak ETags are of both."""
    tag = headers.get("etag", "")
    if tag.startswith('"'):
        headers["ETag"] = tag.removesuffix('"') + _END


class _Answer:
    """Holds the head back until the first part of the body tells how long it is."""

    def __init__(self, send: Send, *, knows_packed: bool) -> None:
        self._send = send
        self._knows_packed = knows_packed
        self._head: Message | None = None
        self._packer: zlib._Compress | None = None

    async def take(self, message: Message) -> None:
        """The next message of the answer."""
        if message["type"] == "http.response.start" and _may_be_packed(Headers(raw=message["headers"])):
            self._head = message
            return
        if self._knows_packed and message.get("status") == NOT_MODIFIED:
            _mark(MutableHeaders(scope=message))
        if message["type"] == "http.response.body":
            body, more = message.get("body", b""), message.get("more_body", False)
            if self._head is not None:
                await self._begin(self._head, is_short=not more and len(body) < LEAST_BYTES)
                self._head = None
            if self._packer is not None:
                message = {**message, "body": await _packed(self._packer, body, is_last=not more)}
        await self._send(message)

    async def _begin(self, head: Message, *, is_short: bool) -> None:
        headers = MutableHeaders(scope=head)
        headers.add_vary_header("Accept-Encoding")
        if not is_short:
            self._packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
            headers["Content-Encoding"] = "gzip"
            del headers["Content-Length"]
            _mark(headers)
        await self._send(head)


async def _packed(packer: "zlib._Compress", body: bytes, *, is_last: bool) -> bytes:
    def pack() -> bytes:
        return packer.compress(body) + (packer.flush() if is_last else b"")

    return await asyncio.to_thread(pack) if len(body) > IN_LOOP_BYTES else pack()


def _asks(headers: Headers) -> bool:
    for part in headers.get("accept-encoding", "").split(","):
        name, _, weight = part.partition(";")
        if name.strip().lower() == "gzip":
            return weight.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _may_be_packed(headers: Headers) -> bool:
    return headers.get("content-type", "").startswith("application/json") and not any(
        name in headers for name in ("content-encoding", "content-disposition", "content-range")
    )
