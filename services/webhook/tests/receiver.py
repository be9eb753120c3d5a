"""A real HTTP server that takes deliveries, or does not."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from yard.testkit import peers


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """One request; header names are lower-case."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def event(self) -> str:
        return str(self.json["event"])


@dataclass(slots=True, kw_only=True)
class Receiver:
    """What came, and what is answered: `statuses` first, then always `status`; `gate` holds answers back."""

    status: int = 200
    statuses: list[int] = field(default_factory=list)
    answer: str = "taken"
    extra: str = ""
    got: list[Got] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    at_once: int = 0
    most_at_once: int = 0

    def named(self, event: str) -> list[Got]:
        return [each for each in self.got if each.event == event]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *lines = head.rstrip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (s.partition(":") for s in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.got.append(Got(line=line, headers=headers, body=body))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                await self.gate.wait()
            finally:
                self.at_once -= 1
            status = self.statuses.pop(0) if self.statuses else self.status
            text = self.answer.encode()
            writer.write(
                f"HTTP/1.1 {status} Said\r\nContent-Length: {len(text)}\r\n{self.extra}\r\n".encode() + text
            )
            await writer.drain()
        writer.close()


@asynccontextmanager
async def receiving(
    host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None, **values: Any
) -> AsyncIterator[Receiver]:
    """A receiver on the loopback, named by `host`."""
    receiver = Receiver(**values)
    receiver.gate.set()
    async with peers.accepting(receiver.serve, tls=tls) as port:
        receiver.url = f"{'https' if tls else 'http'}://{host}:{port}/hook"
        yield receiver
