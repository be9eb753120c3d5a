"""Connections that hear an answer while the request is still being written: long bodies are refused early."""

import asyncio
import ssl
from contextlib import suppress
from typing import Any

import httpcore
from yard.runtime.egress.connecting import CheckedBackend, SocketOptions

_BLOCK = 65_536
# Interim answers ask for nothing but patience.
_INTERIM = (b"HTTP/1.1 1", b"HTTP/1.0 1")


class ListeningBackend(CheckedBackend):
    """Opens connections to checked addresses, for one request each."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature of the pool
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that answers."""
        return _Listening(await super().connect_tcp(host, port, timeout, local_address, socket_options))


class _Listening(httpcore.AsyncNetworkStream):
    """Writing ends with a WriteError once the answer has begun; the client reads it then, as it was sent."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._hearing: asyncio.Task[bytes] | None = None
        self._interim = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._interim:
            heard, self._interim = self._interim[:max_bytes], self._interim[max_bytes:]
            return heard
        hearing, self._hearing = self._hearing, None
        if hearing is None:
            return await self._stream.read(max_bytes, timeout)
        try:
            return await asyncio.wait_for(hearing, timeout)
        except TimeoutError as fault:
            raise httpcore.ReadTimeout from fault

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._check()
        writing = asyncio.ensure_future(self._stream.write(buffer, timeout))
        try:
            while not writing.done():
                await asyncio.wait({writing, self._hear()}, return_when=asyncio.FIRST_COMPLETED)
                # What is written by now is as good as sent: whoever wrote it hears of the answer next time.
                if not writing.done():
                    self._check()
            await writing
        finally:
            await _ended(writing)

    async def aclose(self) -> None:
        if self._hearing is not None:
            await _ended(self._hearing)
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return _Listening(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _hear(self) -> "asyncio.Task[bytes]":
        if self._hearing is None:
            self._hearing = asyncio.create_task(self._stream.read(_BLOCK))
        return self._hearing

    def _check(self) -> None:
        hearing = self._hear()
        if not hearing.done():
            return
        if hearing.exception() is None and hearing.result().startswith(_INTERIM):
            self._interim += hearing.result()
            self._hearing = None
            if len(self._interim) < _BLOCK:
                return
        raise httpcore.WriteError("the answer is there already")


async def _ended(task: "asyncio.Future[Any]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, httpcore.NetworkError, httpcore.TimeoutException):
        await task
