import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.runtime import errors
from yard.runtime.streams import Pipe, PipeClosed, Reader, read_exactly, rechunk


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@given(st.lists(st.binary(max_size=20)), st.integers(1, 30))
async def test_rechunking_keeps_the_bytes(chunks: list[bytes], size: int) -> None:
    pieces = [piece async for piece in rechunk(stream(*chunks), size)]
    assert b"".join(pieces) == b"".join(chunks)
    assert all(len(piece) == size for piece in pieces[:-1])
    assert all(1 <= len(piece) <= size for piece in pieces)


async def test_a_reader_reads_exactly() -> None:
    reader = Reader(stream(b"ab", b"", b"cdef"))
    assert [await reader.read_exactly(size) for size in (1, 0, 3, 2)] == [b"a", b"", b"bcd", b"ef"]
    with pytest.raises(errors.DataLoss, match="expected 4 bytes, the stream ended after 2"):
        await read_exactly(stream(b"ab"), 4)


async def test_a_pipe_hands_over_in_order_and_holds_back_the_writer() -> None:
    pipe = Pipe[int](capacity=2)
    written: list[int] = []

    async def write() -> None:
        for number in range(10):
            await pipe.write(number)
            written.append(number)
        await pipe.finish()

    writer = asyncio.create_task(write())
    read = []
    async for number in pipe:
        read.append(number)
        assert len(written) <= len(read) + 2
    await writer
    assert read == list(range(10))


async def test_a_fault_of_the_writer_comes_behind_what_was_written() -> None:
    pipe = Pipe[int]()
    await pipe.write(1)
    await pipe.fail(errors.DataLoss("half"))
    read: list[int] = []
    with pytest.raises(errors.DataLoss):
        await drain(pipe, read)
    assert read == [1]


async def drain(pipe: Pipe[int], into: list[int]) -> None:
    async for item in pipe:
        into.append(item)  # noqa: PERF401 - what came before a fault counts


async def test_a_writer_learns_that_the_reader_has_left() -> None:
    pipe = Pipe[int](capacity=1)
    await pipe.write(1)
    waiting = asyncio.create_task(pipe.write(2))
    await asyncio.wait([waiting], timeout=0.01)
    assert not waiting.done()
    await pipe.close()
    with pytest.raises(PipeClosed):
        await waiting
    with pytest.raises(PipeClosed):
        await pipe.write(3)
    assert [item async for item in pipe] == []
