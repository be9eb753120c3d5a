from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from yard.runtime import errors
from yard.runtime.egress import Cut, Patience, Refused, RemoteUrl, Reply, Uploading, parse_networks
from yard.testkit.eventually import eventually

from libs.runtime.tests.authority import Authority
from libs.runtime.tests.web import Asked, Web, serving

LOOPBACK = parse_networks(["127.0.0.0/8", "::1/128"])
BLOCK = bytes(range(256)) * 256
MANY = 256


@asynccontextmanager
async def uploading(**options: Any) -> AsyncIterator[Uploading]:
    made = Uploading(**{"networks": LOOPBACK, **options})
    yield made
    await made.close()


async def blocks(count: int, taken: list[int] | None = None) -> AsyncIterator[bytes]:
    for place in range(count):
        if taken is not None:
            taken.append(place)
        yield BLOCK


async def put(out: Uploading, web: Web, count: int = 3, host: str = "127.0.0.1") -> Reply:
    url = RemoteUrl.parse(web.url("/a?b=c", host))
    return await out.put(url, blocks(count), count * len(BLOCK), {"X-One": "1"})


async def take(asked: Asked) -> None:
    body = await asked.body()
    asked.reply(
        str(body == BLOCK * (len(body) // len(BLOCK))).encode(), status="201 Created", Retry_After="7"
    )
    await asked.cut()


async def test_a_body_goes_out_whole_and_the_answer_comes_back() -> None:
    async with serving(take) as web, uploading() as out:
        reply = await put(out, web)
        assert (reply.status, reply.body, reply.is_whole, reply.retry_after_s) == (201, b"True", True, 7)
        [asked] = web.asked
    assert asked.target == "/a?b=c"
    assert (asked.headers["content-length"], asked.headers["x-one"]) == (str(3 * len(BLOCK)), "1")


async def test_no_more_is_read_than_is_taken() -> None:
    taken: list[int] = []
    is_begun = asyncio.Event()
    goes_on = asyncio.Event()

    async def hold(asked: Asked) -> None:
        is_begun.set()
        await goes_on.wait()
        await take(asked)

    seen = [-1]

    def stands() -> bool:
        seen.append(len(taken))
        return seen[-1] == seen[-2]

    async with serving(hold) as web, uploading() as out:
        url = RemoteUrl.parse(web.url("/"))
        running = asyncio.create_task(out.put(url, blocks(MANY, taken), MANY * len(BLOCK), {}))
        await is_begun.wait()
        await eventually(stands)
        assert len(taken) < MANY
        goes_on.set()
        assert (await running).body == b"True"
    assert len(taken) == MANY


@pytest.mark.parametrize("closes", [True, False])
@pytest.mark.parametrize("has_tls", [True, False])
async def test_who_answers_at_once_is_heard(tmp_path: Path, has_tls: bool, closes: bool) -> None:
    async def refuse(asked: Asked) -> None:
        asked.reply(b"too large", status="413 Content Too Large", Connection="close")
        await asked.writer.drain()
        if closes:
            await asked.cut()
        else:
            await asyncio.Event().wait()

    authority = Authority(tmp_path)
    tls = authority.tls("localhost") if has_tls else None
    async with serving(refuse, tls=tls) as web, uploading(ca_file=str(authority.file)) as out:
        reply = await put(out, web, 10_000, host="localhost")
        assert (reply.status, reply.body) == (413, b"too large")


async def test_who_thanks_too_early_has_not_taken_it() -> None:
    async def thank(asked: Asked) -> None:
        asked.reply(b"thanks", Connection="close")
        await asked.writer.drain()
        await asyncio.Event().wait()

    async with serving(thank) as web, uploading() as out:
        with pytest.raises(Cut, match="before it has all"):
            await put(out, web, 10_000)


async def test_interim_answers_do_not_end_a_body() -> None:
    async def go_on(asked: Asked) -> None:
        asked.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await asked.writer.drain()
        await take(asked)

    async with serving(go_on) as web, uploading() as out:
        assert (await put(out, web, MANY)).body == b"True"


async def test_who_takes_nothing_is_left() -> None:
    async def stand(_: Asked) -> None:
        await asyncio.Event().wait()

    async with serving(stand) as web, uploading(patience=Patience(window_s=0.2)) as out:
        with pytest.raises(Cut, match="in time"):
            await put(out, web, MANY)


async def test_who_takes_little_is_left() -> None:
    async def sip(asked: Asked) -> None:
        while await asked.reader.read(65_536):
            await asyncio.wait([asyncio.create_task(asyncio.Event().wait())], timeout=0.002)

    patience = Patience(window_s=1.0, min_bytes_s=1e9)
    async with serving(sip) as web, uploading(patience=patience) as out:
        with pytest.raises(Cut, match="takes less than"):
            await put(out, web, 10_000)


async def test_who_says_nothing_is_left() -> None:
    async def keep_silent(asked: Asked) -> None:
        await asked.body()
        await asyncio.Event().wait()

    async with serving(keep_silent) as web, uploading(patience=Patience(head_s=0.2)) as out:
        with pytest.raises(Cut, match="in time"):
            await put(out, web)


@pytest.mark.parametrize(("count", "words"), [(1, "shorter"), (3, "longer")])
async def test_a_body_of_another_size_is_no_upload(count: int, words: str) -> None:
    async with serving(take) as web, uploading() as out:
        url = RemoteUrl.parse(web.url("/"))
        with pytest.raises(errors.DataLoss, match=words):
            await out.put(url, blocks(count), 2 * len(BLOCK), {})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_addresses_that_are_not_public_are_refused(host: str) -> None:
    async with serving(take) as web, uploading(networks=()) as out:
        with pytest.raises(Refused, match="not public"):
            await put(out, web, host=host)
        assert web.connections == 0


async def test_certificates_are_looked_at(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with serving(take, tls=authority.tls("localhost")) as web:
        async with uploading() as out:
            with pytest.raises(Refused, match="certificate"):
                await put(out, web, host="localhost")
        async with uploading(ca_file=str(authority.file)) as out:
            assert (await put(out, web, host="localhost")).body == b"True"
