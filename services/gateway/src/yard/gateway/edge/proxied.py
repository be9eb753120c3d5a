"""What proxies that are believed tell of the client: its address, its scheme, and the host that it asked."""

import re
from collections.abc import Sequence
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_HOST: Final = re.compile(rb"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?")


class Proxied:
    """Around everything; links are built from the host, and clients follow them from where they are."""

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        self._believing = ProxyHeadersMiddleware(app, list(trusted))  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        client = scope.get("client")
        if scope["type"] == "http" and client and client[0] in self._believing.trusted_hosts:
            _take_host(scope)
        await self._believing(scope, receive, send)  # type: ignore[arg-type]


def _take_host(scope: Scope) -> None:
    """Each proxy adds the host that it was asked: the first is what the client knows."""
    told = dict(scope["headers"]).get(b"x-forwarded-host", b"").partition(b",")[0].strip()
    if _HOST.fullmatch(told):
        others = [(name, value) for name, value in scope["headers"] if name != b"host"]
        scope["headers"] = [(b"host", told), *others]
