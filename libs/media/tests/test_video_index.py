from pathlib import Path

import numpy as np
import pytest
from yard.media.decode import Picture, VideoReader
from yard.media.hard_clips import FRAMES, HARD_CLIPS, SIZE, make_clip
from yard.media.synthetic import read
from yard.media.video_index import VideoIndex, index_video


def indexed(path: Path) -> VideoIndex:
    with path.open("rb") as file:
        return index_video(file, path.name)


def numbers(path: Path, index: VideoIndex, wanted: list[int]) -> list[int]:
    with path.open("rb") as file, VideoReader(file, index) as reader:
        return [number_of(picture) for picture in reader.frames(wanted)]


def number_of(picture: Picture) -> int:
    return read(np.asarray(picture.frame.to_ndarray(format="rgb24"), np.uint8))


@pytest.mark.parametrize("clip", HARD_CLIPS)
def test_frame_n_shows_number_n(clip: str, tmp_path: Path) -> None:
    path = make_clip(clip, tmp_path)
    index = indexed(path)
    assert (index.frames, (index.width, index.height), index.is_broken) == (FRAMES, SIZE, False)
    assert numbers(path, index, list(range(FRAMES))) == list(range(FRAMES))
