"""POST to addresses that users name: one request, no redirect, a short answer, all of it in a set time."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import httpcore
from yard.runtime.egress.addresses import Network
from yard.runtime.egress.answers import headers_of, mapped, retry_after_s
from yard.runtime.egress.connecting import CheckedBackend, Resolve, system_resolve
from yard.runtime.egress.fetching import trust
from yard.runtime.egress.urls import RemoteUrl


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back, whatever the status; `body` is its beginning unless `is_whole`.

    Names of headers are lower-case.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    is_whole: bool = True

    @property
    def retry_after_s(self) -> float | None:
        """When to come back, if the server has said so and it is soon."""
        return retry_after_s(self.headers)


class Posting:
    """Sends bodies to the outside; `networks` are open besides what is public.

    Every request has its own connection, so that its address is checked and a dead one is never used again.
    """

    def __init__(
        self,
        *,
        networks: Sequence[Network] = (),
        ca_file: str = "",
        connections: int = 32,
        timeout_s: float = 10.0,
        answer_bytes: int = 65_536,
        resolve: Resolve = system_resolve,
    ) -> None:
        self._timeout_s = timeout_s
        self._answer_bytes = answer_bytes
        self._checking, self._trusting = (
            httpcore.AsyncConnectionPool(
                ssl_context=context,
                max_connections=connections,
                max_keepalive_connections=0,
                network_backend=CheckedBackend(networks, resolve),
            )
            for context in (trust(ca_file), _blind())
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._checking.aclose()
        await self._trusting.aclose()

    async def post(
        self, url: RemoteUrl, body: bytes, headers: Mapping[str, str], *, verify_tls: bool = True
    ) -> Reply:
        """The answer of any status; Refused or Cut if none came in time."""
        pool = self._checking if verify_tls else self._trusting
        request = httpcore.Request(
            "POST",
            httpcore.URL(scheme=url.scheme, host=url.host, port=url.port, target=url.target),
            headers=[
                ("Host", url.authority),
                ("Accept-Encoding", "identity"),
                ("Content-Length", str(len(body))),
                ("Connection", "close"),
                *headers.items(),
            ],
            content=body,
            extensions={"timeout": {"connect": self._timeout_s}},
        )
        with mapped():
            async with asyncio.timeout(self._timeout_s) as ends:
                response = await pool.handle_async_request(request)
                try:
                    ends_at = ends.when()
                    ends.reschedule(None)
                    return await short_reply(response, ends_at, self._answer_bytes)
                finally:
                    await response.aclose()


async def short_reply(response: httpcore.Response, ends_at: float | None, answer_bytes: int) -> Reply:
    """Who has said the status has answered, even if the rest comes too late or never."""
    left = bytearray()
    is_whole = False
    with suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
        async with asyncio.timeout_at(ends_at):
            is_whole = await _read(response, left, answer_bytes)
    return Reply(status=response.status, body=bytes(left), headers=headers_of(response), is_whole=is_whole)


async def _read(response: httpcore.Response, parts: bytearray, answer_bytes: int) -> bool:
    async for block in response.aiter_stream():
        parts += block[: answer_bytes - len(parts)]
        if len(parts) >= answer_bytes:
            return False
    return True


def _blind() -> ssl.SSLContext:
    """For receivers whose owner has said that their certificate is not to be looked at."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
