"""Proxies that are believed, and others."""

from typing import Any

import pytest
from starlette.requests import Request
from yard.gateway.edge.proxied import Proxied

PROXY, CLIENT = "10.0.0.2", "192.0.2.7"


async def seen(trusted: list[str], peer: str, **told: str) -> Request:
    """The request as the routes see it."""
    found: list[dict[str, Any]] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        found.append(scope)

    headers = [(b"host", b"inner:8080")]
    headers += [(f"x-forwarded-{name}".encode(), value.encode()) for name, value in told.items()]
    scope = {"type": "http", "scheme": "http", "path": "/", "client": (peer, 1), "headers": headers}
    nothing: Any = None
    await Proxied(app, trusted)(scope, nothing, nothing)
    return Request(found[0])


@pytest.mark.parametrize("trusted", [[PROXY], ["10.0.0.0/8"], ["*"]])
async def test_a_proxy_tells_address_scheme_and_host(trusted: list[str]) -> None:
    told = {"for": CLIENT, "proto": "https", "host": "data.example:8443, inner"}
    request = await seen(trusted, PROXY, **told)
    assert str(request.base_url) == "https://data.example:8443/"
    assert request.client is not None
    assert request.client.host == CLIENT
    six = await seen(trusted, PROXY, host="[2001:db8::1]:8443")
    assert str(six.base_url) == "http://[2001:db8::1]:8443/"


@pytest.mark.parametrize("host", ["evil.example/path", "a b", "user@evil.example", "", "evil.example:port"])
async def test_what_is_no_host_is_not_taken(host: str) -> None:
    assert str((await seen(["*"], PROXY, host=host)).base_url) == "http://inner:8080/"


async def test_others_are_not_believed() -> None:
    request = await seen([PROXY], CLIENT, host="evil.example", proto="https")
    assert str(request.base_url) == "http://inner:8080/"
