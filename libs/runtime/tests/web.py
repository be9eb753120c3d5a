"""A real HTTP server that answers as badly as a test wants it to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from yard.testkit import peers


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request; header names are lower-case."""

    target: str
    headers: dict[str, str]
    writer: asyncio.StreamWriter
    reader: asyncio.StreamReader

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def first(self) -> int:
        """Where the asked range begins; 0 without one."""
        return int(self.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")[0])

    async def body(self) -> bytes:
        return await self.reader.readexactly(int(self.headers["content-length"]))

    def send(self, content: bytes) -> None:
        self.writer.write(content)

    def reply(self, body: bytes = b"", *, status: str = "200 OK", **headers: str) -> None:
        """A whole answer; `_` in names of headers stands for `-`."""
        self.head(status, **{"Content_Length": str(len(body)), **headers})
        self.send(body)

    def head(self, status: str = "200 OK", **headers: str) -> None:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode())

    def serve(self, body: bytes, **headers: str) -> None:
        """As a good server does: ranges, if the validator still holds."""
        is_range = "range" in self.headers
        if is_range and self.headers.get("if-range", "") in ("", headers.get("ETag", "")):
            span = f"bytes {self.first}-{len(body) - 1}/{len(body)}"
            self.reply(body[self.first :], status="206 Partial Content", Content_Range=span, **headers)
        else:
            self.reply(body, **headers)

    def redirect(self, location: str, status: str = "302 Found") -> None:
        self.reply(status=status, Location=location)

    async def cut(self) -> None:
        """Ends the connection after what was sent."""
        await self.writer.drain()
        self.writer.close()


Handler = Callable[[Asked], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Web:
    """What was asked, and where; `handler` may be changed at any time."""

    handler: Handler
    scheme: str = "http"
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.rstrip().split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (s.partition(":") for s in lines)
                }
                asked = Asked(target=first.split(" ")[1], headers=headers, writer=writer, reader=reader)
                self.asked.append(asked)
                await self.handler(asked)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def serving(handler: Handler, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Web]:
    """A server on the loopback."""
    web = Web(handler=handler, scheme="https" if tls else "http")
    async with peers.accepting(web.serve, tls=tls) as web.port:
        yield web
