"""What a job asks for while the video is being opened."""

import io

import pytest
from yard.media.hard_clips import FRAMES, make_clip
from yard.media.index_block import encode_video
from yard.media.video_index import VideoIndex, index_video
from yard.media.video_source import group_bytes, opened_source

from libs.media.tests.hosts import MemoryHost, Source


class Far(Source):
    """Notes what it is asked for early."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.asked: list[range] = []

    def will_need(self, offset: int, length: int) -> None:
        self.asked.append(range(offset, offset + length))


class FarHost(MemoryHost):
    def __init__(self, content: bytes, index: VideoIndex) -> None:
        super().__init__({"index": encode_video(index)})
        self.video = Far(content)

    def open(self, name: str, /) -> io.RawIOBase:
        return self.video if name == "video" else super().open(name)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_clip("b_frames", tmp_path_factory.mktemp("clips")).read_bytes()


@pytest.fixture(scope="module")
def index(content: bytes) -> VideoIndex:
    return index_video(io.BytesIO(content), "film")


def test_header_and_group_of_the_wanted_frames_are_asked_for_first(content: bytes, index: VideoIndex) -> None:
    host = FarHost(content, index)
    arguments = {"name": "film", "start": 0, "step": 1, "first": 14, "last": 16}
    with opened_source(arguments, host) as (reader, frames):
        header, group = host.video.asked
        assert [picture.is_missing for picture in reader.frames(frames)] == [False] * 3
    assert 0 in header
    assert int(index.keyframes[index.keyframe_of(14), 2]) in group


@pytest.mark.parametrize("first", range(0, FRAMES, 5))
def test_a_group_ends_where_the_next_begins(index: VideoIndex, first: int) -> None:
    row = index.keyframe_of(first)
    start, length = group_bytes(index, range(first, FRAMES))
    assert start == index.keyframes[row, 2]
    if row + 1 < len(index.keyframes):
        assert start + length == index.keyframes[row + 1, 2]
    else:
        assert length > 0
