"""GET at addresses that users name: no proxies, cookies, decompression; every redirect is checked again."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Final

import certifi
import httpcore
from yard.runtime.egress.addresses import Network
from yard.runtime.egress.answers import Answer, check_status, headers_of, mapped
from yard.runtime.egress.connecting import CheckedBackend, Resolve, system_resolve
from yard.runtime.egress.faults import Refused
from yard.runtime.egress.pace import Patience
from yard.runtime.egress.urls import RemoteUrl

MOST_REDIRECTS: Final = 3
KEEP_ALIVE_S: Final = 15.0

_HEADERS = (("User-Agent", "frameyard"), ("Accept", "*/*"), ("Accept-Encoding", "identity"))
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Egress:
    """Connections of one process to the outside; `networks` are open besides what is public.

    Heads are capped at 100 KiB by the HTTP client; whoever reads a body caps it.
    """

    def __init__(
        self,
        *,
        networks: Sequence[Network] = (),
        ca_file: str = "",
        connections: int = 32,
        patience: Patience | None = None,
        resolve: Resolve = system_resolve,
    ) -> None:
        self._patience = patience or Patience()
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust(ca_file),
            max_connections=connections,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=CheckedBackend(networks, resolve),
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._pool.aclose()

    @asynccontextmanager
    async def open(self, url: RemoteUrl, headers: Mapping[str, str] | None = None) -> AsyncIterator[Answer]:
        """The answer behind at most three redirects, with status 200, 206 or 416.

        Refused if it can never be had, Cut if it may be had later.
        """
        response, url = await self._follow(url, headers or {})
        try:
            check_status(response.status, headers_of(response))
            yield Answer(response, url, self._patience)
        finally:
            await response.aclose()

    async def _follow(
        self, url: RemoteUrl, headers: Mapping[str, str]
    ) -> tuple[httpcore.Response, RemoteUrl]:
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._request(url, headers)
            if response.status not in _REDIRECTS:
                return response, url
            await response.aclose()
            url = _next(url, headers_of(response).get("location", ""))
        raise Refused(f"redirects more than {MOST_REDIRECTS} times", reason="EGRESS_REDIRECT")

    async def _request(self, url: RemoteUrl, headers: Mapping[str, str]) -> httpcore.Response:
        request = httpcore.Request(
            "GET",
            httpcore.URL(scheme=url.scheme, host=url.host, port=url.port, target=url.target),
            headers=[("Host", url.authority), *_HEADERS, *headers.items()],
            extensions={"timeout": {"connect": self._patience.connect_s}},
        )
        with mapped():
            async with asyncio.timeout(self._patience.connect_s + self._patience.head_s):
                return await self._pool.handle_async_request(request)


def _next(url: RemoteUrl, location: str) -> RemoteUrl:
    try:
        return url.joined(location)
    except ValueError as fault:
        raise Refused(f"redirects to an address that {fault}", reason="EGRESS_REDIRECT") from fault


@lru_cache(maxsize=1)
def trust(ca_file: str) -> ssl.SSLContext:
    """The authorities of the system, of browsers and of the operator; read once, as it takes 50 ms."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
