"""What surrounds the routes: limits, headers, compression, methods."""

import gzip
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from yard.gateway.edge.bodies import MODELLED_BYTES
from yard.gateway.service import serving
from yard.gateway.settings import Settings
from yard.runtime.settings import load

from tests.gateway.people import PASSWORD, People

ABOUT = "/api/server/about"
ANYWHERE = "127.0.0.1:0"
JSON = {"Content-Type": "application/json"}


@asynccontextmanager
async def another_gateway(people: People, **values: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A second gateway of the same platform, in this process, with settings of its own."""
    file = people.platform.data / "services" / "gateway" / "environment.json"
    settings = replace(
        load(Settings, json.loads(file.read_text())),
        http_listen=ANYWHERE,
        metrics_listen=ANYWHERE,
        port_file="",
        **values,
    )
    async with (
        serving(settings) as running,
        httpx.AsyncClient(base_url=f"http://{running.address}", timeout=60) as http,
    ):
        http.headers["Authorization"] = people.admin.headers["Authorization"]
        yield http


async def test_every_gateway_knows_every_session(people: People) -> None:
    async with another_gateway(people) as http:
        assert (await http.get("/api/users/self")).json()["username"] == "admin"


async def test_a_token_may_ask_for_so_much(people: People) -> None:
    async with another_gateway(people, requests_per_minute=3) as http:
        statuses = [(await http.get("/api/users/self")).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        refused = await http.get("/api/users/self")
        assert (refused.json()["code"], refused.headers["retry-after"]) == ("TOO_MANY_REQUESTS", "20")
        other = await people.make("other.asker")
        headers = {"Authorization": other.headers["Authorization"]}
        assert (await http.get("/api/users/self", headers=headers)).status_code == 200


async def test_an_address_may_ask_for_so_much(people: People) -> None:
    async with another_gateway(people, anonymous_requests_per_minute=4) as http:
        wrong = {"Authorization": "Bearer wrong"}
        assert (await http.get("/api/users/self", headers=wrong)).status_code == 401
        login = {"username": "admin", "password": "wrong"}
        assert (await http.post("/api/auth/login", json=login)).status_code == 400
        assert [(await http.get(ABOUT)).status_code for _ in range(3)] == [200, 200, 429]
        assert (await http.get("/api/users/self", headers=wrong)).status_code == 429
        assert (await http.get("/api/users/self")).status_code == 200
        assert (await http.get("/api/server/health")).status_code == 200


async def test_bodies_that_are_read_whole_are_bounded(people: People) -> None:
    async with another_gateway(people, max_json_bytes=1_000) as http:
        body = json.dumps({"name": "x" * 2_000}).encode()

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(body), 500):
                yield body[start : start + 500]

        kinds = ("application/json", "multipart/form-data; boundary=x", "application/octet-stream")
        for content in (body, pieces()):
            for kind in kinds if isinstance(content, bytes) else kinds[:1]:
                headers = {"Content-Type": kind}
                answer = await http.post("/api/tasks", content=content, headers=headers)
                assert (answer.status_code, "1000" in answer.json()["detail"]) == (413, True)
                assert "retry-after" not in answer.headers
        made = await http.post("/api/tasks", json={"name": "short"})
        assert made.status_code == 201
        start = {"Upload-Start": "", "Content-Type": "application/json"}
        data = f"/api/tasks/{made.json()['id']}/data"
        assert (await http.post(data, headers=start)).status_code == 202
        sent = await http.post(
            data, headers={"Upload-Multiple": ""}, files={"client_files[0]": ("a.png", b"x" * 5_000)}
        )
        assert sent.status_code == 200, sent.text


async def test_passwords_in_headers_are_limited_as_logins_are(people: People) -> None:
    def basic(username: str, password: str) -> dict[str, str]:
        return {"Authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()}

    await people.make("basic.one")
    right = basic("admin", people.platform.admin_password)
    async with another_gateway(people, anonymous_requests_per_minute=3) as http:
        for headers in (right, right, right, right):
            assert (await http.get("/api/users/self", headers=headers)).status_code == 200
        for number in range(2):
            wrong = basic(f"nobody{number}", "wrong")
            assert (await http.get("/api/users/self", headers=wrong)).status_code == 401
        # Whether it is right is not even asked.
        other = await http.get("/api/users/self", headers=basic("basic.one", PASSWORD))
        assert (other.status_code, other.json()["code"]) == (429, "TOO_MANY_REQUESTS")
        assert (await http.get("/api/users/self", headers=right)).status_code == 200


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/tasks"])
async def test_who_is_unknown_is_read_no_further_than_a_login_needs(people: People, path: str) -> None:
    http, long = await people.nobody(), {"username": "x" * 70_000, "password": "", "name": "x" * 70_000}
    for headers in ({}, {"Authorization": "Token none"}):
        answer = await http.post(path, json=long, headers=headers)
        assert (answer.status_code, "credentials" in answer.json()["detail"]) == (413, True)
    known = await people.admin.post("/api/tasks", json=long)
    assert (known.status_code, [*known.json()]) == (400, ["name"])
    cut = await people.admin.post("/api/tasks", content=b" " * (MODELLED_BYTES + 1), headers=JSON)
    assert cut.status_code == 413


async def test_pages_of_named_origins_may_call(people: People) -> None:
    async with another_gateway(people, cors_origins=("https://console.example",)) as http:
        asked = {"Origin": "https://console.example", "Access-Control-Request-Method": "PATCH"}
        allowed = await http.options("/api/tasks/1", headers=asked)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == "https://console.example"
        assert allowed.headers["access-control-allow-credentials"] == "true"
        told = await http.get(ABOUT, headers={"Origin": "https://console.example"})
        assert {"Location", "Upload-Offset", "ETag"} <= set(
            told.headers["access-control-expose-headers"].split(", ")
        )
        refused = await http.options("/api/tasks/1", headers=asked | {"Origin": "https://evil.example"})
        assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (400, False)
        read = await http.get(ABOUT, headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in read.headers


@pytest.mark.parametrize("path", [ABOUT, "/api/tasks/987654321", "/nowhere", "/api/users/self"])
async def test_every_answer_has_its_headers(people: People, path: str) -> None:
    http = await people.nobody()
    answer = await http.get(path, headers={"X-Request-Id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers
    own = await http.get(path, headers={"X-Request-Id": "bad id"})
    assert len(own.headers["x-request-id"]) == 32


async def test_json_is_compressed_for_who_asks(admin: httpx.AsyncClient) -> None:
    path = "/api/server/annotation/formats"
    plain = await admin.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for refusing in ("", "br", "gzip;q=0", "deflate, gzip; q=0.0"):
        answer = await admin.get(path, headers={"Accept-Encoding": refusing})
        assert "content-encoding" not in answer.headers
    async with admin.stream("GET", path, headers={"Accept-Encoding": "br, gzip;q=0.5"}) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content) / 2
    short = await admin.get(ABOUT, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in short.headers


async def test_head_and_options_are_answered_everywhere(admin: httpx.AsyncClient) -> None:
    got = await admin.get("/api/users/self", headers={"Accept-Encoding": "identity"})
    head = await admin.head("/api/users/self", headers={"Accept-Encoding": "identity"})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert (await admin.head("/api/tasks/987654321")).status_code == 404
    assert (await admin.head("/api/auth/login")).status_code == 405
    allowed = await admin.options("/api/users/self")
    assert (allowed.status_code, allowed.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    refused = await admin.put("/api/users/self")
    assert (refused.status_code, bool(refused.json()["detail"])) == (405, True)
    assert (await admin.options("/nowhere")).status_code == 404


def counted(method: str, route: str, status: int) -> float:
    labels = {"method": method, "route": route, "status": str(status)}
    return REGISTRY.get_sample_value("frameyard_http_seconds_count", labels) or 0.0


async def test_head_and_options_are_counted_by_their_route(people: People) -> None:
    wanted = [
        ("HEAD", "/api/users/self", "/api/users/self", 200),
        ("HEAD", "/api/tasks/{task_id}", "/api/tasks/987654321", 404),
        ("HEAD", "/api/auth/login", "/api/auth/login", 405),
        ("OPTIONS", "/api/users/self", "/api/users/self", 204),
        ("GET", "/api/users/self", "/api/users/self", 200),
        ("HEAD", "unmatched", "/nowhere", 404),
    ]

    def numbers() -> list[float]:
        return [counted(method, route, status) for method, route, _, status in wanted]

    before = numbers()
    async with another_gateway(people) as http:
        for method, _, path, status in wanted:
            assert (await http.request(method, path)).status_code == status
    assert numbers() == [number + 1 for number in before]
