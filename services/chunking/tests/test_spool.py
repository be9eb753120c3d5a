import asyncio

import pytest
from yard.chunking.build import spool as module
from yard.chunking.build.spool import Reader, Spool
from yard.runtime import errors
from yard.testkit.eventually import eventually


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEMORY_BYTES", 10)
    monkeypatch.setattr(module, "PIECE_BYTES", 7)


async def collected(reader: Reader) -> bytes:
    content = b"".join([piece async for piece in reader])
    reader.close()
    return content


async def test_all_readers_get_all_bytes_at_their_own_pace() -> None:
    spool = Spool()
    early, slow, late = spool.reader(), spool.reader(), spool.reader()
    reading = asyncio.create_task(collected(early))
    slow_pieces = aiter(slow)
    await spool.append(b"0123456")
    assert await anext(slow_pieces) == b"0123456"
    for piece in (b"789abc", b"", b"defghijklmnopqrstuvwxyz"):
        await spool.append(piece)
    await spool.finish()
    everything = b"0123456789abcdefghijklmnopqrstuvwxyz"
    assert await reading == await collected(late) == everything
    assert spool.size_bytes == len(everything)
    assert b"".join([piece async for piece in slow_pieces]) == everything[7:]
    slow.close()


async def test_a_fault_comes_behind_the_bytes() -> None:
    spool = Spool()
    reader = spool.reader()
    await spool.append(b"0123456789abcdef")
    await spool.fail(errors.DataLoss("lost"))
    pieces = aiter(reader)
    assert [await anext(pieces) for _ in range(3)] == [b"0123456", b"789", b"abcdef"]
    with pytest.raises(errors.DataLoss):
        await anext(pieces)
    reader.close()


async def test_a_fault_after_the_end_does_not_count() -> None:
    spool = Spool()
    reader = spool.reader()
    await spool.append(b"all")
    await spool.finish()
    await spool.fail(errors.DataLoss("lost"))
    assert await collected(reader) == b"all"


async def test_a_window_makes_the_writer_wait_for_its_reader() -> None:
    content = bytes(range(200))
    spool = Spool(window=32)
    reader = spool.reader()

    async def write() -> None:
        for start in range(0, len(content), 50):
            await spool.append(content[start : start + 50])
        await spool.finish()

    writing = asyncio.create_task(write())
    await eventually(lambda: spool.size_bytes == 10)
    assert not writing.done()
    assert await collected(reader) == content
    await writing


async def test_the_file_goes_with_the_last_reader() -> None:
    spool = Spool()
    first, second = spool.reader(), spool.reader()
    await spool.append(b"x" * 100)
    await spool.finish()
    file = spool._file
    assert file is not None
    first.close()
    first.close()
    assert not file.closed
    assert await collected(second) == b"x" * 100
    assert file.closed
