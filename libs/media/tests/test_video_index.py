import io
from pathlib import Path

import av
import numpy as np
import pytest
from yard.media.decode import Picture, VideoReader
from yard.media.errors import MediaError
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
    assert picture.frame is not None
    return read(np.asarray(picture.frame.to_ndarray(format="rgb24"), np.uint8))


def cut(content: bytes, percent: int) -> VideoIndex:
    return index_video(io.BytesIO(content[: len(content) * percent // 100]), "cut")


@pytest.mark.parametrize("clip", HARD_CLIPS)
def test_frame_n_shows_number_n(clip: str, tmp_path: Path) -> None:
    path = make_clip(clip, tmp_path)
    index = indexed(path)
    assert (index.frames, (index.width, index.height), index.is_broken) == (FRAMES, SIZE, False)
    assert numbers(path, index, list(range(FRAMES))) == list(range(FRAMES))


@pytest.mark.parametrize("clip", HARD_CLIPS)
def test_any_frame_is_found_by_itself(clip: str, tmp_path: Path) -> None:
    path = make_clip(clip, tmp_path)
    index = indexed(path)
    for wanted in ([FRAMES - 1], [13], [0], [11, 12, 25], list(range(3, FRAMES, 7))):
        assert numbers(path, index, wanted) == wanted


@pytest.mark.parametrize("clip", ["transport_stream", "negative_start", "variable_rate", "without_times"])
@pytest.mark.parametrize("percent", [30, 50, 66, 80, 95, 99])
def test_a_cut_video_keeps_frames_without_a_hole_and_says_so(clip: str, percent: int, tmp_path: Path) -> None:
    content = make_clip(clip, tmp_path).read_bytes()
    part = tmp_path / "part"
    part.write_bytes(content[: len(content) * percent // 100])
    index = indexed(part)
    assert FRAMES * percent // 100 - 8 <= index.frames < FRAMES
    assert numbers(part, index, list(range(index.frames))) == list(range(index.frames))
    assert index.is_broken
    assert index.warnings[-1].startswith("part is ")
    assert index.warnings[-1].endswith(f"cut off: incomplete packet; {index.frames} frames are usable") or (
        index.warnings[-1].endswith(f"bytes are there; {index.frames} frames are usable")
    )


@pytest.mark.parametrize("clip", ["transport_stream", "negative_start", "variable_rate", "vp9", "b_frames"])
def test_damage_within_leaves_the_frames_before_it_as_they_are(clip: str, tmp_path: Path) -> None:
    path = make_clip(clip, tmp_path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    for place in range(middle, middle + 1500):
        content[place] = (content[place] * 7 + place) & 255
    path.write_bytes(content)
    index = indexed(path)
    before = 4 if clip == "vp9" else 12
    assert numbers(path, index, list(range(before))) == list(range(before))


def test_a_file_that_ends_before_its_time_says_so(tmp_path: Path) -> None:
    path = make_clip("vp9", tmp_path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1500] = bytes(1500)
    path.write_bytes(content)
    index = indexed(path)
    assert index.frames < FRAMES // 2
    [warning] = index.warnings
    assert "vp9.webm tells 1.6 s, its pictures end after" in warning


def test_a_video_whose_index_was_at_its_end_says_that_it_is_cut(tmp_path: Path) -> None:
    content = make_clip("b_frames", tmp_path).read_bytes()
    with pytest.raises(MediaError, match=r"^cut: is cut off: \d+ of at least \d+ bytes are there$") as caught:
        cut(content, 80)
    assert (caught.value.code, caught.value.name) == ("truncated", "cut")


@pytest.mark.parametrize("content", [b"", b"hello\n" * 500, b"\x00\x00\x00\x18ftypmp42" + bytes(500)])
def test_what_is_no_video_is_refused(content: bytes) -> None:
    with pytest.raises(MediaError) as caught:
        index_video(io.BytesIO(content), "film.mp4")
    assert caught.value.name == "film.mp4"
    assert caught.value.code in ("invalid_media", "truncated")


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000)
        silence = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        silence.sample_rate = 48_000
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError, match="has no video stream") as caught:
        indexed(path)
    assert caught.value.code == "unsupported"


def test_the_index_says_what_the_clip_is(tmp_path: Path) -> None:
    found = {clip: indexed(make_clip(clip, tmp_path)) for clip in HARD_CLIPS}
    assert {clip for clip, index in found.items() if index.is_open_gop} == {"open_gop", "transport_stream"}
    assert {clip for clip, index in found.items() if index.matching == "order"} == {"without_times"}
    assert {clip for clip, index in found.items() if index.warnings} == {"without_times"}
    assert {clip: index.discarded for clip, index in found.items() if index.discarded} == {"edit_list": 10}
    assert {clip: index.rotation for clip, index in found.items() if index.rotation} == {
        "rotated_90": 90,
        "rotated_180": 180,
        "rotated_270": 270,
    }
    assert found["negative_start"].pts[0] < 0
    assert len({*np.diff(found["variable_rate"].pts).tolist()}) == 5
    assert found["several_streams"].stream_index == 1


@pytest.mark.parametrize("frame", [0, 11, 12, 13, 39])
def test_frames_are_decoded_from_the_key_frame_before_them(frame: int, tmp_path: Path) -> None:
    index = indexed(make_clip("b_frames", tmp_path))
    assert index.keyframe_of(frame) == frame // 12
