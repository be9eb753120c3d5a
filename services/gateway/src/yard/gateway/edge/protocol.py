"""Requests before there are any: their heads are bounded in length and time, refusals are JSON here too."""

import asyncio
from http import HTTPStatus
from typing import Final

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

# The parser keeps a head until it is whole, however long it is.
MOST_HEAD_BYTES: Final = 512 * 1024
LONGEST_HEAD_S: Final = 60.0
LONGEST_URL: Final = 65_535


class Protocol(HttpToolsProtocol):
    """One connection."""

    _timer: asyncio.TimerHandle | None = None
    _is_in_head = True
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for a first request, but not for ever."""
        super().connection_made(transport)
        self._begin_head()

    def data_received(self, data: bytes) -> None:
        """The next bytes."""
        super().data_received(data)
        if not self._is_in_head or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD_BYTES:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            self._refuse(status, f"address and headers have more than {MOST_HEAD_BYTES} bytes together")

    def on_message_begin(self) -> None:
        """The head of a request begins."""
        super().on_message_begin()
        self._begin_head()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._is_in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """There is nobody to wait for."""
        self._stop_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no request, and says so if that is because of its address."""
        if len(getattr(self, "url", b"")) > LONGEST_URL:
            self._refuse(HTTPStatus.REQUEST_URI_TOO_LONG, f"the address has more than {LONGEST_URL} bytes")
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _begin_head(self) -> None:
        self._is_in_head, self._head_bytes = True, 0
        self._stop_timer()
        self._timer = self.loop.call_later(LONGEST_HEAD_S, self._give_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"no request came within {LONGEST_HEAD_S:g} seconds")

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        body = orjson.dumps({"detail": detail})
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            "content-type: application/json\r\n"
            "x-content-type-options: nosniff\r\n"
            f"content-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        # The answer to the request before may be on its way.
        before: RequestResponseCycle | None = self.cycle
        if before is None or before.response_complete:
            self.transport.write(head.encode() + body)
        self.transport.close()
