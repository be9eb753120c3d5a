"""Frame truth in every container and codec that is promised."""

import io
from pathlib import Path

import numpy as np
import pytest
from yard.media.decode import VideoReader
from yard.media.index_block import decode_video, encode_video
from yard.media.kind_clips import FRAMES, KIND_CLIPS, SIZE, make_kind
from yard.media.sniff import sniff
from yard.media.synthetic import read
from yard.media.video_index import VideoIndex, index_video

WITHOUT_TIMES = {"h264.avi", "h264.h264", "hevc.hevc"}


def shown(content: bytes, index: VideoIndex, wanted: list[int]) -> list[int]:
    numbers = []
    with VideoReader(io.BytesIO(content), index) as reader:
        for picture in reader.frames(wanted):
            assert picture.frame is not None
            numbers.append(read(np.asarray(picture.frame.to_ndarray(format="rgb24"), np.uint8)))
    assert not reader.is_careful
    return numbers


@pytest.mark.parametrize("kind", KIND_CLIPS)
def test_frame_n_shows_number_n(kind: str, tmp_path: Path) -> None:
    content = make_kind(kind, tmp_path).read_bytes()
    found = sniff(content[:1024])
    assert found is not None
    assert found.family == "video"
    index = decode_video(encode_video(index_video(io.BytesIO(content), kind)))
    assert (index.frames, index.width, index.height) == (FRAMES, *SIZE)
    assert (index.matching == "order") == (kind in WITHOUT_TIMES)
    assert bool(index.warnings) == (kind in WITHOUT_TIMES)
    for wanted in ([*range(FRAMES)], [7, 13, 22, FRAMES - 1], [18]):
        assert shown(content, index, wanted) == wanted
