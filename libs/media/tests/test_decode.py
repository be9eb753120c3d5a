"""Frame truth of the decoder, and of what is made from its pictures."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from yard.media.decode import VideoReader
from yard.media.encode_jpeg import FrameEncoder
from yard.media.errors import MediaError
from yard.media.hard_clips import FRAMES, HARD_CLIPS, SIZE, make_clip
from yard.media.kind_clips import make_kind
from yard.media.mp4_chunk import encode_mp4
from yard.media.synthetic import read
from yard.media.video_file import opened_video, tells_all
from yard.media.video_index import VideoIndex, index_video

SELECTIONS = {
    "all": list(range(FRAMES)),
    "stepped": list(range(3, FRAMES, 7)),
    "within a group": list(range(14, 19)),
    "a whole group": list(range(12, 24)),
    "across groups": list(range(20, 31)),
    "the last": [FRAMES - 1],
}


def number_in(frame: av.VideoFrame) -> int:
    return read(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))


@pytest.fixture(scope="module", params=HARD_CLIPS)
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(request.param, tmp_path_factory.mktemp("clips"))


@pytest.fixture
def reader(clip: Path) -> Iterator[VideoReader]:
    with clip.open("rb") as file, VideoReader(file, index_video(file, clip.name), clip.name) as reader:
        yield reader


@pytest.mark.parametrize("wanted", SELECTIONS.values(), ids=SELECTIONS)
def test_every_picture_is_the_one_that_was_asked_for(reader: VideoReader, wanted: list[int]) -> None:
    encoder = FrameEncoder(70)
    shown = []
    for picture in reader.frames(wanted):
        assert picture.frame is not None
        image = Image.open(io.BytesIO(encoder.encode(picture.frame)))
        assert image.size == SIZE
        shown.append((picture.index, read(np.asarray(image))))
    assert shown == [(frame, frame) for frame in wanted]
    assert not reader.is_careful


@pytest.mark.parametrize("wanted", SELECTIONS.values(), ids=SELECTIONS)
def test_an_mp4_shows_the_same_pictures(reader: VideoReader, wanted: list[int]) -> None:
    content = b"".join(encode_mp4(shown(reader, wanted), crf=21))
    with av.open(io.BytesIO(content), "r") as container:
        assert [number_in(frame) for frame in container.decode(video=0)] == wanted


def test_a_reader_serves_one_range_after_another(reader: VideoReader) -> None:
    for wanted in ([30, 31], [2], [39], [0]):
        assert [picture.index for picture in reader.frames(wanted)] == wanted


@pytest.mark.parametrize("wanted", [[FRAMES], [5, 4], [3, 3], [-1]])
def test_numbers_out_of_order_or_range_are_refused(reader: VideoReader, wanted: list[int]) -> None:
    with pytest.raises(MediaError, match="not in ascending order below 40"):
        list(reader.frames(wanted))


def test_a_hole_is_told_and_numbers_stay(tmp_path: Path) -> None:
    clip = make_clip("b_frames", tmp_path)
    with clip.open("rb") as file:
        index = index_video(file, clip.name)
        ghost = with_ghost_frame(index, after=9)
        with VideoReader(file, ghost, clip.name) as reader:
            found = [
                (picture.index, None if picture.frame is None else number_in(picture.frame))
                for picture in reader.frames(range(8, 15))
            ]
    # What was lost may be what the pictures behind it build upon, up to the next key frame.
    assert found == [(8, 8), (9, 9), (10, None), (11, None), (12, None), (13, 12), (14, 13)]


def shown(reader: VideoReader, wanted: list[int]) -> Iterator[av.VideoFrame]:
    for picture in reader.frames(wanted):
        assert picture.frame is not None
        yield picture.frame


def with_ghost_frame(index: VideoIndex, after: int) -> VideoIndex:
    """The same index with a frame that the stream does not hold."""
    between = int(index.pts[after] + index.pts[after + 1]) // 2
    return replace(index, pts=np.insert(index.pts, after + 1, between))


@pytest.mark.parametrize("frame", [10, 11, 12])
def test_pictures_around_the_end_of_a_group_tell_the_unit_of_their_times(frame: int, tmp_path: Path) -> None:
    with make_clip("b_frames", tmp_path).open("rb") as file:
        index = index_video(file, "film")
        with VideoReader(file, index) as reader:
            [picture] = reader.frames([frame])
    assert picture.frame is not None
    assert picture.frame.time_base == index.time_base


@pytest.mark.parametrize("kind", ["h264.mp4", "hevc.mov", "mpeg4.mov", "vp9.webm", "av1.mkv"])
def test_no_picture_is_decoded_to_open_a_video_that_tells_all(kind: str, tmp_path: Path) -> None:
    path = make_kind(kind, tmp_path, frames=8)
    with path.open("rb") as file:
        index = index_video(file, kind)
        assert tells_all(index.container, index.codec)
        with opened_video(file, kind, index.container, is_unseen=True) as (_, stream):
            assert stream.codec_context.pix_fmt is None


@pytest.mark.parametrize(("container", "codec"), [("matroska,webm", "h264"), ("mpegts", "h264")])
def test_others_are_looked_at(container: str, codec: str) -> None:
    assert not tells_all(container, codec)
