from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from yard.runtime.egress import Cut, Posting, Refused, RemoteUrl, parse_networks

from libs.runtime.tests.authority import Authority
from libs.runtime.tests.web import Asked, serving

LOOPBACK = parse_networks(["127.0.0.0/8", "::1/128"])
TYPE = {"Content-Type": "application/json"}


@asynccontextmanager
async def posting(**options: Any) -> AsyncIterator[Posting]:
    made = Posting(**{"networks": LOOPBACK, **options})
    yield made
    await made.close()


async def hello(asked: Asked) -> None:
    asked.reply(b"hello", Connection="close")
    await asked.cut()


async def test_headers_go_out_and_the_answer_comes_back() -> None:
    async with serving(hello) as web, posting() as out:
        reply = await out.post(RemoteUrl.parse(web.url("/a?b=c")), b"{}", {**TYPE, "X-One": "1"})
        assert (reply.status, reply.body) == (200, b"hello")
        [asked] = web.asked
    assert asked.target == "/a?b=c"
    assert asked.headers["content-length"] == "2"
    assert (asked.headers["content-type"], asked.headers["x-one"]) == ("application/json", "1")


async def test_every_request_has_a_connection_of_its_own() -> None:
    async with serving(hello) as web, posting() as out:
        for _ in range(3):
            await out.post(RemoteUrl.parse(web.url("/")), b"", {})
        assert web.connections == 3


@pytest.mark.parametrize("status", ["302 Found", "404 Not Found", "500 Internal Server Error"])
async def test_any_status_is_an_answer_and_no_redirect_is_followed(status: str) -> None:
    async def answer(asked: Asked) -> None:
        asked.reply(b"no", status=status, Location="http://127.0.0.1:1/")
        await asked.cut()

    async with serving(answer) as web, posting() as out:
        reply = await out.post(RemoteUrl.parse(web.url("/")), b"", {})
        assert (reply.status, reply.body, len(web.asked)) == (int(status[:3]), b"no", 1)


async def test_long_answers_are_cut() -> None:
    async def answer(asked: Asked) -> None:
        asked.head()
        while not asked.writer.is_closing():
            asked.send(bytes(1_000))
            await asked.writer.drain()

    async with serving(answer) as web, posting(answer_bytes=2_500) as out:
        reply = await out.post(RemoteUrl.parse(web.url("/")), b"", {})
        assert (reply.status, len(reply.body)) == (200, 2_500)


async def test_who_says_nothing_is_cut_off() -> None:
    async def answer(asked: Asked) -> None:
        await asyncio.Event().wait()

    async with serving(answer) as web, posting(timeout_s=0.2) as out:
        with pytest.raises(Cut, match="in time"):
            await out.post(RemoteUrl.parse(web.url("/")), b"", {})


async def test_a_status_counts_though_its_body_never_comes() -> None:
    async def answer(asked: Asked) -> None:
        asked.head(Content_Length="10")
        asked.send(b"begun")
        await asked.writer.drain()
        await asyncio.Event().wait()

    async with serving(answer) as web, posting(timeout_s=0.3) as out:
        reply = await out.post(RemoteUrl.parse(web.url("/")), b"", {})
        assert (reply.status, reply.body) == (200, b"begun")


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://localhost:{port}/"])
async def test_addresses_that_are_not_public_are_refused(url: str) -> None:
    async with serving(hello) as web, posting(networks=()) as out:
        with pytest.raises(Refused, match="not public"):
            await out.post(RemoteUrl.parse(url.format(port=web.port)), b"", {})
        assert web.connections == 0


async def test_certificates_are_looked_at_unless_told_not_to(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with serving(hello, tls=authority.tls("localhost")) as web:
        url = RemoteUrl.parse(web.url("/", "localhost"))
        async with posting() as out:
            with pytest.raises(Refused, match="certificate"):
                await out.post(url, b"", {})
            assert web.asked == []
            assert (await out.post(url, b"", {}, verify_tls=False)).status == 200
        async with posting(ca_file=str(authority.file)) as out:
            assert (await out.post(url, b"", {})).status == 200
