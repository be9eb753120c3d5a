"""Runs that several decoders share are what one decoder makes."""

import io
from typing import Any

import pytest
from yard.media import video_chunks
from yard.media.decode import VideoReader
from yard.media.framed import Content, End, FrameParser
from yard.media.index_block import encode_video
from yard.media.video_index import VideoIndex
from yard.media.video_parts import closed_parts

from libs.media.tests.hosts import MemoryHost
from libs.media.tests.test_gop_copy import Clip, digest, x264

FRAMES = 180
CHUNKS = [[first, first + 35] for first in range(0, FRAMES, 36)]


class CountingHost(MemoryHost):
    """Counts the decoders, each of which opens the video."""

    videos = 0

    def open(self, name: str, /) -> io.RawIOBase:
        self.videos += name == "video"
        return super().open(name)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return x264("keyint=25:min-keyint=25:bframes=2:open-gop=0", FRAMES)


def arguments(**fields: Any) -> dict[str, Any]:
    return {"name": "clip", "start": 0, "step": 1, "quality": 70, **fields}


def run(host: MemoryHost, **fields: Any) -> list[tuple[bytes, object]]:
    video_chunks.video_zip_run(arguments(**fields), host)
    contents, results = [b""] * len(fields["chunks"]), []
    for part in FrameParser(len(contents)).feed(bytes(host.emitted)):
        match part:
            case Content(chunk, piece):
                contents[chunk] += piece
            case End(_, result):
                results.append(result)
    return list(zip(contents, results, strict=True))


def alone(clip: Clip, first: int, last: int, **fields: Any) -> tuple[bytes, object]:
    host = clip.host()
    result = video_chunks.video_zip(arguments(first=first, last=last, **fields), host)
    return bytes(host.emitted), result


def counting(content: bytes, index: VideoIndex) -> CountingHost:
    return CountingHost({"video": content, "index": encode_video(index)})


@pytest.mark.parametrize("damaged", [False, True])
def test_decoders_share_a_run(clip: Clip, damaged: bool) -> None:
    content = bytearray(clip.content)
    if damaged:
        begin = int(clip.index.keyframes[3, 2])
        content[begin + 300 : begin + 600] = bytes(300)
    broken = Clip(bytes(content), clip.index)
    host = counting(broken.content, broken.index)
    made = run(host, chunks=CHUNKS, threads=2)
    assert host.videos == 2
    # Decoders with threads by picture do not tell of all that is damaged within one.
    assert made == [alone(broken, first, last, threads=1) for first, last in CHUNKS]
    assert any(result["corrupt"] for _, result in made) == damaged  # type: ignore[index]


def test_a_stepped_run_is_shared_by_the_frames_it_wants(clip: Clip) -> None:
    chunks = [[first, first + 19] for first in range(0, 80, 20)]
    host = counting(clip.content, clip.index)
    made = run(host, chunks=chunks, threads=2, start=3, step=2)
    assert made == [alone(clip, first, last, start=3, step=2) for first, last in chunks]


@pytest.mark.parametrize("params", ["keyint=90:bframes=2:open-gop=0", "keyint=25:bframes=2:open-gop=1"])
def test_long_and_open_groups_have_one_decoder(params: str) -> None:
    clip = x264(params, FRAMES)
    host = counting(clip.content, clip.index)
    made = run(host, chunks=CHUNKS, threads=2)
    assert host.videos == 1
    assert made == [alone(clip, first, last) for first, last in CHUNKS]


def test_who_wants_no_more_stops_all_decoders(clip: Clip) -> None:
    class Full(MemoryHost):
        def emit(self, chunk: bytes, /) -> None:
            raise BrokenPipeError(len(chunk))

    with pytest.raises(BrokenPipeError):
        run(Full(clip.host().sources), chunks=CHUNKS, threads=2)


def test_parts_begin_with_key_frames_and_leave_nothing_out(clip: Clip) -> None:
    parts = closed_parts(clip.index, range(5, FRAMES), 2)
    assert [position for part in parts for position in part] == list(range(FRAMES - 5))
    assert [part.start + 5 for part in parts[1:]] == [50, 75, 100, 125, 150, 175]
    assert closed_parts(clip.index, range(FRAMES), 1) == []
    assert closed_parts(clip.index, range(100), 2) == []


def test_pictures_of_a_group_come_without_decoding_the_next(clip: Clip) -> None:
    content = bytearray(clip.content)
    begin = int(clip.index.keyframes[2, 2])
    content[begin + 100 : begin + 1000] = bytes(900)
    with VideoReader(io.BytesIO(content), clip.index, threads=1) as reader:
        whole = [digest(picture.frame) for picture in reader.frames(range(25, 50))]
        assert not reader.is_careful
        assert next(iter(reader.frames([50]))).is_missing
    assert whole == clip.pictures(25, 49)
