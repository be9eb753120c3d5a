"""A number for each request, its trace, its time, and the headers that every answer has."""

import re
from collections.abc import MutableMapping
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars
from yard.runtime import clock, ids, metrics, tracing

REQUEST_ID: Final = "x-request-id"
ALWAYS: Final = (
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-site"),
)
# What users upload is never run, whatever it says of itself.
CONTENT_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"
_SHOWN = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class Observed:
    """Around everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get(REQUEST_ID, "")
        request_id = given if _SHOWN.fullmatch(given) else ids.uuid7().hex
        started_at = clock.monotonic()
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _dress(message, request_id)
            await send(message)

        with bound_contextvars(request_id=request_id), tracing.continued(f"HTTP {scope['method']}", headers):
            try:
                await self._app(scope, receive, sending)
            finally:
                route = _route(scope)
                metrics.http_seconds.labels(scope["method"], route, str(status)).observe(
                    clock.monotonic() - started_at
                )


def _dress(message: MutableMapping[str, Any], request_id: str) -> None:
    headers = MutableHeaders(scope=message)
    headers[REQUEST_ID] = request_id
    for name, value in ALWAYS:
        headers.setdefault(name, value)
    headers.setdefault("content-security-policy", CONTENT_POLICY)
    headers.setdefault("cache-control", "no-store")


def _route(scope: Scope) -> str:
    """The path with placeholders; what matched none is one name, so that metrics stay few."""
    path = getattr(scope.get("route"), "path", None)
    if path is None:
        return "unmatched"
    # Routes do not know where they are mounted: /api or /v1.
    mount = "/" + scope["path"].split("/", 2)[1]
    return str(path) if path.startswith(f"{mount}/") else mount + path
