"""Ranges that are passed on."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from yard.runtime import clock, errors
from yard.runtime.blobs import Blobs, Relay
from yard.runtime.blobs.relay import MOST_ADDRESSES, USED_AGAIN_S
from yard.runtime.settings import RuntimeSettings

MIB = 1024 * 1024
NOISE = random.Random(2).randbytes(3 * MIB + 7)


@pytest.fixture
async def relay(settings: RuntimeSettings) -> AsyncIterator[Relay]:
    blobs = Blobs.connect(settings)
    await blobs.put("a/b", NOISE)
    await blobs.close()
    made = Relay.connect(settings)
    yield made
    made.close()


async def read(relay: Relay, offset: int, length: int, key: str = "a/b") -> bytes:
    return b"".join([piece async for piece in relay.stream(key, offset, length)])


@pytest.mark.parametrize(
    ("offset", "length"), [(0, len(NOISE)), (0, 1), (5, 0), (MIB, 2 * MIB), (len(NOISE) - 3, 3)]
)
async def test_ranges_are_the_bytes_of_the_object(relay: Relay, offset: int, length: int) -> None:
    for _ in range(2):  # by a new connection and by one that was kept
        assert await read(relay, offset, length) == NOISE[offset : offset + length]


async def test_a_whole_object_is_what_was_written_or_is_refused(
    relay: Relay, settings: RuntimeSettings
) -> None:
    async def whole(key: str, content: bytes, length: int = len(NOISE)) -> bytes:
        sha256 = hashlib.sha256(content).hexdigest()
        return b"".join([piece async for piece in relay.stream_whole(key, length, sha256)])

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield NOISE

    blobs = Blobs.connect(settings)
    await blobs.put_stream("in/parts", pieces(), part_size=5 * MIB)
    await blobs.close()
    for _ in range(2):
        assert await whole("a/b", NOISE) == NOISE
        assert await whole("in/parts", NOISE * 3, 3 * len(NOISE)) == NOISE * 3
    for key, content in (("a/b", NOISE), ("in/parts", NOISE * 3)):
        with pytest.raises(errors.DataLoss):
            await whole(key, content + b"other", len(content))
        with pytest.raises(errors.OutOfRange):
            await whole(key, content, len(content) + 1)
    with pytest.raises(errors.NotFound):
        await whole("a/c", NOISE)


async def test_many_read_at_once_and_some_stop(relay: Relay) -> None:
    async def first() -> bytes:
        async with aclosing(relay.stream("a/b", 0, len(NOISE))) as pieces:
            return await anext(pieces)

    found = await asyncio.gather(*(first() if n % 2 else read(relay, n, MIB) for n in range(40)))
    assert all(NOISE[n:].startswith(piece) for n, piece in enumerate(found) if not n % 2)
    assert all(piece and NOISE.startswith(piece) for n, piece in enumerate(found) if n % 2)
    assert await read(relay, 0, len(NOISE)) == NOISE


async def test_an_address_is_signed_again_after_a_while_and_few_are_kept(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed: list[str] = []
    sign = relay._addresses.get

    def noted(key: str, ttl_s: int) -> str:
        signed.append(key)
        return sign(key, ttl_s)

    monkeypatch.setattr(relay._addresses, "get", noted)
    for _ in range(3):
        assert await read(relay, 0, 9) == NOISE[:9]
    assert signed == ["a/b"]
    now = clock.monotonic()
    monkeypatch.setattr(clock, "monotonic", lambda: now + USED_AGAIN_S + 1)
    assert await read(relay, 0, 9) == NOISE[:9]
    assert signed == ["a/b"] * 2
    for number in range(MOST_ADDRESSES):
        relay._address(f"other/{number}")
    assert len(relay._signed) == MOST_ADDRESSES
    assert await read(relay, 0, 9) == NOISE[:9]
    assert signed.count("a/b") == 3


async def test_what_is_not_there_is_told(relay: Relay) -> None:
    with pytest.raises(errors.NotFound):
        await read(relay, 0, 1, "a/c")
    with pytest.raises(errors.OutOfRange):
        await read(relay, len(NOISE), 1)
    with pytest.raises(errors.OutOfRange):
        await read(relay, len(NOISE) - 1, 2)
    assert await read(relay, 0, 9) == NOISE[:9]


async def test_a_store_that_is_away_or_cuts_is_unavailable(settings: RuntimeSettings) -> None:
    answers = [
        b"",
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 503 X\r\n\r\n",
    ]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answers.pop())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    fields = {name: getattr(settings, name) for name in ("s3_access_key", "s3_secret_key", "s3_bucket")}
    cutting = Relay.connect(
        RuntimeSettings(database_url="", nats_url="", s3_endpoint=f"{host}:{port}", **fields)
    )
    while answers:
        with pytest.raises(errors.Unavailable):
            await read(cutting, 0, 9)
    server.close()
    await server.wait_closed()
    with pytest.raises(errors.Unavailable):
        await read(cutting, 0, 9)
