"""Chunks are whole, or their number is told; streams that the service ends are asked for again."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from yard.client import Client, ClientError, patience
from yard.client.files import PartialFile
from yard.client.pixels import Pixels

from libs.client.tests.chunk_side import CONTENT, HALF, ChunkSide, Stream, new_chunk_side, serving

ENDED = Stream(sent=HALF, code=grpc.StatusCode.UNAVAILABLE, reason="BUILDER_ENDED")
CUT = Stream(sent=HALF, code=grpc.StatusCode.UNAVAILABLE)
SILENT = Stream(sent=0, code=grpc.StatusCode.UNAVAILABLE, reason="BUILDER_ENDED")


@pytest.fixture
def side() -> ChunkSide:
    return new_chunk_side()


@pytest.fixture
async def pixels(side: ChunkSide) -> AsyncIterator[Pixels]:
    async with serving(side) as endpoints, Client(endpoints) as client:
        yield Pixels(client, task_id=5)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less patience than a person has."""
    monkeypatch.setattr(patience, "LONGEST_PAUSE_S", 0.01)


@pytest.mark.parametrize(
    ("stream", "told"),
    [
        (Stream(told=None), "chunk 3: the stream ended after 25600 bytes, before its trailer"),
        (Stream(told=None, announced=len(CONTENT)), "chunk 3: .* before its trailer"),
        (Stream(sent=HALF), "chunk 3: 12800 of 25600 bytes came"),
        (Stream(sent=len(CONTENT) + 4), "chunk 3: 25604 of 25600 bytes came"),
        (Stream(announced=len(CONTENT) + 1), "chunk 3: 25600 of 25601 bytes came"),
        (Stream(sent=0, told=None), "chunk 3: .* after 0 bytes"),
    ],
    ids=["no trailer", "no trailer, length told", "less", "more", "another length told", "nothing"],
)
async def test_what_is_not_whole_is_an_error_and_no_file(
    side: ChunkSide, pixels: Pixels, tmp_path: Path, stream: Stream, told: str
) -> None:
    side.streams = [stream]
    with PartialFile(tmp_path, "key") as partial, pytest.raises(ClientError, match=told) as caught:
        await pixels.chunk(3, partial)
    assert caught.value.code == "DATA_LOSS"
    assert len(side.calls) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ended", [ENDED, CUT, SILENT], ids=["ended", "cut", "before a byte"])
async def test_a_stream_that_the_service_ends_is_asked_for_again(
    side: ChunkSide, pixels: Pixels, tmp_path: Path, ended: Stream
) -> None:
    side.streams = [ended, ended, Stream()]
    with PartialFile(tmp_path, "key") as partial:
        await pixels.chunk(3, partial)
        assert partial.place(tmp_path / "3.zip", replace=False).read_bytes() == CONTENT
    assert [call.number for call in side.calls] == [3, 3, 3]


async def test_it_is_not_asked_for_again_for_ever(
    side: ChunkSide, pixels: Pixels, tmp_path: Path, hurried: None
) -> None:
    side.streams = [ENDED]
    with PartialFile(tmp_path, "key") as partial, pytest.raises(ClientError, match="chunk 3: it has ended"):
        await pixels.chunk(3, partial)
    assert len(side.calls) == patience.MOST_CUTS_IN_A_ROW + 1
    assert list(tmp_path.iterdir()) == []


async def test_what_cannot_restart_never_gets_bytes_twice(side: ChunkSide, pixels: Pixels) -> None:
    side.streams = [SILENT, Stream()]
    into = io.BytesIO()
    await pixels.chunk(3, into)
    assert into.getvalue() == CONTENT
    side.streams, side.calls[:] = [ENDED, Stream()], []
    with pytest.raises(ClientError, match="it has ended"):
        await pixels.chunk(3, io.BytesIO())
    assert len(side.calls) == 1


async def test_a_file_that_is_gone_is_told_at_once(side: ChunkSide, pixels: Pixels, tmp_path: Path) -> None:
    gone = Stream(sent=0, code=grpc.StatusCode.UNAVAILABLE, reason="SHARE_FILE_GONE")
    side.streams = [gone, Stream()]
    with PartialFile(tmp_path, "key") as partial, pytest.raises(ClientError) as caught:
        await pixels.chunk(3, partial)
    assert caught.value.reason == "SHARE_FILE_GONE"
    assert len(side.calls) == 1


async def test_a_frame_that_is_not_whole_is_an_error(side: ChunkSide, pixels: Pixels) -> None:
    assert (await pixels.frame(7)).content == CONTENT
    side.streams = [Stream(sent=HALF)]
    with pytest.raises(ClientError, match="frame 7: 12800 of 25600 bytes came"):
        await pixels.frame(7)
