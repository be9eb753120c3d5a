from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from yard.runtime import clock
from yard.runtime.egress import Cut, Egress, Patience, Refused, RemoteUrl, parse_networks

from libs.runtime.tests.authority import Authority
from libs.runtime.tests.web import Asked, Web, serving

LOOPBACK = parse_networks(["127.0.0.0/8"])
NAME = "files.example.org"


@asynccontextmanager
async def egress(**options: Any) -> AsyncIterator[Egress]:
    made = Egress(**{"networks": LOOPBACK, **options})
    yield made
    await made.close()


async def fetch(egress: Egress, url: str, **headers: str) -> bytes:
    async with egress.open(RemoteUrl.parse(url), headers) as answer:
        return b"".join([block async for block in answer.body()])


async def fault(url: str, **options: Any) -> Refused | Cut:
    async with egress(**options) as out:
        with pytest.raises((Refused, Cut)) as caught:
            await fetch(out, url)
    found = caught.value
    assert isinstance(found, (Refused, Cut))
    return found


def resolver(*answers: Sequence[str]) -> Any:
    """Gives the answers one after the other, as a name server in foul hands may."""
    left = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return left.pop(0)

    return resolve


async def hello(asked: Asked) -> None:
    asked.reply(b"hello")


async def test_what_is_fetched_comes_as_it_is() -> None:
    body = gzip.compress(b"hello")

    async def answer(asked: Asked) -> None:
        asked.reply(body, Content_Type="application/gzip", ETag='"1"')

    async with serving(answer) as web, egress() as out:
        async with out.open(RemoteUrl.parse(web.url("/a?b=c#d")), {"Range": "bytes=0-"}) as found:
            assert (found.status, found.length, found.headers["etag"]) == (200, len(body), '"1"')
            assert b"".join([block async for block in found.body()]) == body
        [asked] = web.asked
        assert asked.target == "/a?b=c"
        assert asked.headers["host"] == f"127.0.0.1:{web.port}"
        assert asked.headers["accept-encoding"] == "identity"
        assert asked.headers["range"] == "bytes=0-"


async def test_connections_are_used_again() -> None:
    async with serving(hello) as web, egress() as out:
        for _ in range(3):
            assert await fetch(out, web.url("/")) == b"hello"
        assert web.connections == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost"])
async def test_what_is_not_public_is_refused(host: str) -> None:
    async with serving(hello) as web:
        found = await fault(web.url("/", host), networks=())
        assert isinstance(found, Refused)
        assert (found.reason, web.connections) == ("EGRESS_ADDRESS", 0)


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(hello) as proxy, serving(hello) as web:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        async with egress() as out:
            assert await fetch(out, web.url("/")) == b"hello"
        assert (proxy.connections, web.connections) == (0, 1)


async def test_a_name_is_resolved_once_and_connected_to_as_resolved() -> None:
    async with serving(hello) as web, egress(resolve=resolver(["127.0.0.1"], ["127.0.0.2"])) as out:
        assert await fetch(out, web.url("/", NAME)) == b"hello"
        assert web.asked[0].headers["host"] == f"{NAME}:{web.port}"


async def test_a_name_that_changes_its_address_is_checked_again() -> None:
    async def cut(asked: Asked) -> None:
        asked.reply(b"hello", Connection="close")
        await asked.cut()

    networks = parse_networks(["127.0.0.1/32"])
    async with (
        serving(cut) as web,
        egress(networks=networks, resolve=resolver(["127.0.0.1"], ["127.0.0.2"])) as out,
    ):
        assert await fetch(out, web.url("/", NAME)) == b"hello"
        with pytest.raises(Refused, match="not public"):
            await fetch(out, web.url("/", NAME))
        assert web.connections == 1


async def test_one_closed_address_closes_the_name() -> None:
    async with serving(hello) as web:
        networks = parse_networks(["127.0.0.1/32"])
        found = await fault(
            web.url("/", NAME), networks=networks, resolve=resolver(["127.0.0.1", "169.254.169.254"])
        )
        assert (found.reason, web.connections) == ("EGRESS_ADDRESS", 0)


async def test_the_next_address_is_tried() -> None:
    async with serving(hello) as web, egress(resolve=resolver(["127.0.0.9", "127.0.0.1"])) as out:
        assert await fetch(out, web.url("/", NAME)) == b"hello"


async def test_redirects_are_followed() -> None:
    async def answer(asked: Asked) -> None:
        steps = {"/1": "2", "/2": "/3?a=b", "/3": f"{web.url('/4')}"}
        if asked.path in steps:
            asked.redirect(steps[asked.path])
        else:
            asked.reply(b"at last")

    async with serving(answer) as web, egress() as out:
        async with out.open(RemoteUrl.parse(web.url("/1"))) as found:
            assert found.url.target == "/4"
        assert [asked.target for asked in web.asked] == ["/1", "/2", "/3?a=b", "/4"]


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("/again", "redirects more than 3 times"),
        ("http://169.254.169.254/latest/meta-data", "not public"),
        ("http://[::1]/", "not public"),
        ("http://2130706433/", "redirects to an address that must have an IPv4"),
        ("http://u:p@127.0.0.1/", "redirects to an address that must not carry"),
        ("file:///etc/passwd", "redirects to an address that must be http"),
        ("", "redirects to an address that must"),
    ],
)
async def test_redirects_are_checked(location: str, words: str) -> None:
    async def answer(asked: Asked) -> None:
        asked.redirect(location)

    async with serving(answer) as web:
        found = await fault(web.url("/"))
        assert isinstance(found, Refused)
        assert words in found.message


@pytest.mark.parametrize("status", ["204 No Content", "400 Bad", "401 No", "403 No", "404 No", "410 Gone"])
async def test_a_status_of_no_use_is_final(status: str) -> None:
    async def answer(asked: Asked) -> None:
        asked.head(status, **({} if status.startswith("204") else {"Content_Length": "0"}))

    async with serving(answer) as web:
        found = await fault(web.url("/?token=secret"))
        assert isinstance(found, Refused)
        assert status[:3] in found.message
        assert "secret" not in found.message


async def test_a_busy_server_says_when_to_come_back() -> None:
    later = format_datetime(clock.now() + timedelta(seconds=60), usegmt=True)
    statuses = [("503 Busy", "7"), ("429 Slow down", later), ("500 Oh", "soon"), ("502 Oh", "9" * 9)]

    async def answer(asked: Asked) -> None:
        status, after = statuses[int(asked.path[1:])]
        asked.reply(status=status, Retry_After=after)

    async with serving(answer) as web:
        found = [await fault(web.url(f"/{number}")) for number in range(len(statuses))]
    assert all(isinstance(one, Cut) for one in found)
    seconds = [one.retry_after_s for one in found]
    assert (seconds[0], seconds[2], seconds[3]) == (7.0, None, 120.0)
    assert seconds[1] is not None
    assert 50 < seconds[1] <= 60


async def raw(asked: Asked, content: bytes) -> None:
    asked.send(content)
    await asked.cut()


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nshort!",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 40_000,
        b"SSH-2.0-OpenSSH_9\r\n",
        b"\x00" * 1000,
        b"",
    ],
)
async def test_broken_answers_are_cuts(content: bytes) -> None:
    async def answer(asked: Asked) -> None:
        await raw(asked, content)

    async with serving(answer) as web:
        assert isinstance(await fault(web.url("/")), Cut)


async def test_bytes_behind_the_length_are_not_read() -> None:
    async def answer(asked: Asked) -> None:
        await raw(asked, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n")

    async with serving(answer) as web, egress() as out:
        assert await fetch(out, web.url("/")) == b"hello"
        assert await fetch(out, web.url("/")) == b"hello"
        assert web.connections == 2


async def test_encodings_that_were_not_asked_for_are_refused() -> None:
    async def answer(asked: Asked) -> None:
        asked.reply(gzip.compress(bytes(1000)), Content_Encoding="gzip")

    async with serving(answer) as web:
        found = await fault(web.url("/"))
        assert isinstance(found, Refused)
        assert "encoding 'gzip'" in found.message


async def for_ever(asked: Asked, content: bytes, pause_s: float) -> None:
    stop = asyncio.Event()
    while not asked.writer.is_closing():
        asked.send(content)
        await asked.writer.drain()
        with_pause = asyncio.wait_for(stop.wait(), pause_s)
        try:
            await with_pause
        except TimeoutError:
            continue


@pytest.mark.parametrize(
    ("head", "drip"),
    [
        (b"", b"H"),
        (b"", b""),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
)
async def test_slow_answers_are_cut(head: bytes, drip: bytes) -> None:
    async def answer(asked: Asked) -> None:
        asked.send(head)
        await for_ever(asked, drip, 0.02)

    patience = Patience(connect_s=0.2, head_s=0.2, window_s=0.3)
    async with serving(answer) as web:
        began = clock.monotonic()
        assert isinstance(await fault(web.url("/"), patience=patience), Cut)
        assert clock.monotonic() - began < 3.0


async def test_a_server_that_is_not_there_is_a_cut() -> None:
    async with serving(hello) as web:
        url = web.url("/")
    assert isinstance(await fault(url), Cut)


async def test_a_name_that_nobody_knows_is_refused() -> None:
    assert "name" in (await fault("http://nobody.invalid/")).message


@pytest.mark.parametrize(("trusted", "host"), [(True, NAME), (False, NAME), (True, "other.example.org")])
async def test_certificates_are_checked_against_the_name(trusted: bool, host: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ca_file = str(authority.file) if trusted else ""
    seen: list[str | None] = []
    tls = authority.tls(NAME)
    tls.sni_callback = lambda _socket, name, _context: seen.append(name)
    async with serving(hello, tls=tls) as web:
        options = {"ca_file": ca_file, "resolve": resolver(["127.0.0.1"])}
        if trusted and host == NAME:
            async with egress(**options) as out:
                assert await fetch(out, web.url("/", host)) == b"hello"
        else:
            found = await fault(web.url("/", host), **options)
            assert (type(found), found.reason) == (Refused, "EGRESS_CERTIFICATE")
        assert seen == [host]


async def test_a_body_that_is_left_leaves_the_pool_in_order() -> None:
    async def answer(asked: Asked) -> None:
        asked.head(Content_Length=str(1 << 30))
        await for_ever(asked, bytes(1 << 16), 0.001)

    async with serving(answer) as web, egress(connections=1) as out:
        await leave_early(out, web)
        web.handler = hello
        assert await fetch(out, web.url("/")) == b"hello"


async def leave_early(out: Egress, web: Web) -> None:
    async with out.open(RemoteUrl.parse(web.url("/"))) as found:
        async for _ in found.body():
            break
