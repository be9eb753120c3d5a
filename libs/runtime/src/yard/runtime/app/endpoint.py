"""GET /metrics, /healthz and /readyz: an HTTP server of the size that three pages need."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from yard.runtime import errors

REQUEST_TIMEOUT_S: Final = 5.0
LONGEST_HEAD: Final = 16_384
PLAIN: Final = "text/plain; charset=utf-8"

Page = tuple[HTTPStatus, str, bytes]


class Endpoint:
    """Serves one request a connection; `away` names what is missing for readiness."""

    def __init__(
        self, listen: str, *, away: Callable[[], tuple[str, ...]], sample: Callable[[], Awaitable[None]]
    ) -> None:
        self._listen = listen
        self._away = away
        self._sample = sample
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Returns the bound host:port; Unavailable if it is taken."""
        host, _, port = self._listen.rpartition(":")
        try:
            self._server = await asyncio.start_server(self._serve, host, int(port), limit=LONGEST_HEAD)
        except OSError as fault:
            raise errors.Unavailable(f"cannot listen on {self._listen}: {fault.strerror}") from fault
        return f"{host}:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Takes no more requests."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                writer.write(_response(*await self._answer(await reader.readuntil(b"\r\n\r\n"))))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.close()

    async def _answer(self, head: bytes) -> Page:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method != b"GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, PLAIN, b"only GET\n"
        if path == b"/healthz":
            return HTTPStatus.OK, PLAIN, b"live\n"
        if path == b"/readyz":
            return self._readiness()
        if path == b"/metrics":
            await self._sample()
            return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(REGISTRY)
        return HTTPStatus.NOT_FOUND, PLAIN, b"there are /metrics, /healthz and /readyz\n"

    def _readiness(self) -> Page:
        away = self._away()
        if away:
            return HTTPStatus.SERVICE_UNAVAILABLE, PLAIN, f"not ready: {', '.join(away)}\n".encode()
        return HTTPStatus.OK, PLAIN, b"ready\n"


def _response(status: HTTPStatus, content_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
