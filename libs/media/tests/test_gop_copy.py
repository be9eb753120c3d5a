"""Copies of whole groups are compared with the source picture by picture."""

import hashlib
import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from yard.media import gop_copy, mp4_jobs
from yard.media.decode import VideoReader
from yard.media.framed import Content, End, FrameParser
from yard.media.gop_copy import CopyRefused, may_copy, opened_copier
from yard.media.gop_runs import covering_run
from yard.media.hard_clips import HARD_CLIPS, make_clip
from yard.media.index_block import encode_video
from yard.media.kind_clips import KIND_CLIPS, make_kind
from yard.media.synthetic import moving_scene, read, to_frame
from yard.media.video_index import VideoIndex, index_video

from libs.media.tests.hosts import MemoryHost


@dataclass(slots=True)
class Clip:
    """A video in memory with its index."""

    content: bytes
    index: VideoIndex

    def host(self) -> MemoryHost:
        return MemoryHost({"video": self.content, "index": encode_video(self.index)})

    def pictures(self, first: int, last: int) -> list[str]:
        with VideoReader(io.BytesIO(self.content), self.index) as reader:
            return [digest(picture.frame) for picture in reader.frames(range(first, last + 1))]

    def copied(self, first: int, last: int, copy: gop_copy.Copy = "any", crf: int = 21) -> bytes:
        with opened_copier(io.BytesIO(self.content), self.index, "clip", copy, crf) as copier:
            return b"".join(copier.mp4(first, last))

    def job(self, first: int, last: int, **fields: Any) -> tuple[bytes, dict[str, Any]]:
        host = self.host()
        result = mp4_jobs.video_mp4(arguments(first=first, last=last, **fields), host)
        return bytes(host.emitted), result


def arguments(**fields: Any) -> dict[str, Any]:
    return {"name": "clip", "start": 0, "step": 1, "crf": 21, "copy": "any", **fields}


def clip_of(path: Path) -> Clip:
    content = path.read_bytes()
    return Clip(content, index_video(io.BytesIO(content), path.name))


def x264(params: str, frames: int = 72, suffix: str = "mp4", **options: str) -> Clip:
    file = io.BytesIO()
    with av.open(file, "w", format={"mp4": "mp4", "mkv": "matroska", "ts": "mpegts"}[suffix]) as container:
        given = {"preset": "veryfast", "crf": "23", "x264-params": f"scenecut=0:{params}", **options}
        stream = container.add_stream("libx264", rate=30, options=given)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number, picture in enumerate(moving_scene(320, 240, frames)):
            container.mux(stream.encode(to_frame(picture, number, Fraction(1, 30))))
        container.mux(stream.encode(None))
    content = file.getvalue()
    return Clip(content, index_video(io.BytesIO(content), "clip"))


def digest(frame: av.VideoFrame | None) -> str:
    assert frame is not None
    return hashlib.md5(frame.to_ndarray().tobytes()).hexdigest()


def shown(mp4: bytes) -> list[tuple[float, str]]:
    """Time in 1/25 s and picture of each, in the order in which players show them."""
    with av.open(io.BytesIO(mp4), "r") as container:
        stream = container.streams.video[0]
        base = stream.time_base
        assert base is not None
        return [(float((frame.pts or 0) * base * 25), digest(frame)) for frame in container.decode(stream)]


def assert_same(clip: Clip, first: int, last: int, mp4: bytes) -> None:
    assert [box for box in (mp4.find(b"moov"), mp4.find(b"mdat")) if box < 0] == []
    assert mp4.find(b"moov") < mp4.find(b"mdat")
    assert shown(mp4) == [(float(n), seen) for n, seen in enumerate(clip.pictures(first, last))]


def runs(index: VideoIndex) -> list[tuple[int, int]]:
    found = (covering_run(index, 0, frame, frame, index.frames) for frame in range(index.frames))
    return sorted({run for run in found if run is not None})


GROUPS_THAT_ARE_COPIED = {
    "12": "keyint=12:min-keyint=12:bframes=0",
    "30 with B-frames": "keyint=30:min-keyint=30:bframes=3:b-pyramid=normal",
    "250": "keyint=250:bframes=3",
    "uneven": "keyint=20:min-keyint=1:bframes=2:ref=4",
    "no deblocking, many slices": "keyint=12:slices=4:no-deblock=1:bframes=1",
}


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("groups", GROUPS_THAT_ARE_COPIED)
def test_every_group_is_copied_exactly(groups: str, suffix: str) -> None:
    clip = x264(f"{GROUPS_THAT_ARE_COPIED[groups]}:open-gop=0", suffix=suffix)
    found = runs(clip.index)
    assert found[0][0] == 0
    assert found[-1][1] == clip.index.frames - 1
    for first, last in {*found, (0, clip.index.frames - 1)}:
        assert_same(clip, first, last, clip.copied(first, last))


@pytest.mark.parametrize("name", HARD_CLIPS)
def test_hard_clips_are_the_same_whether_copied_or_not(name: str, tmp_path: Path) -> None:
    clip = clip_of(make_clip(name, tmp_path))
    copied = runs(clip.index)
    assert bool(copied) == (name not in NEVER_COPIED)
    for first, last in copied:
        assert_same(clip, first, last, clip.copied(first, last))
    numbers = numbers_in(clip.job(12, 23)[0])
    assert numbers == list(range(12, 24))


NEVER_COPIED = {"open_gop", "transport_stream", "without_times", "rotated_90", "rotated_180", "rotated_270"}


@pytest.mark.parametrize("name", KIND_CLIPS)
def test_every_kind_is_the_same_whether_copied_or_not(name: str, tmp_path: Path) -> None:
    clip = clip_of(make_kind(name, tmp_path))
    for first, last in runs(clip.index):
        assert_same(clip, first, last, clip.copied(first, last))
    assert numbers_in(clip.job(0, 11)[0]) == list(range(12))


def numbers_in(mp4: bytes) -> list[int]:
    with av.open(io.BytesIO(mp4), "r") as container:
        return [
            read(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            for frame in container.decode(video=0)
        ]


def boxes(mp4: bytes, name: bytes) -> int:
    return mp4[: mp4.find(b"mdat")].count(name)


def test_no_edit_list_hides_pictures_that_are_reordered() -> None:
    clip = x264("keyint=24:min-keyint=24:bframes=3:open-gop=0")
    mp4 = clip.copied(24, 47)
    assert (boxes(mp4, b"edts"), boxes(mp4, b"ctts")) == (0, 1)
    with av.open(io.BytesIO(mp4), "r") as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert packets[0].is_keyframe
    assert not any(packet.is_discard for packet in packets)


def test_browsers_get_copies_of_what_they_take() -> None:
    clip = x264("keyint=12:min-keyint=12:bframes=0:open-gop=0", crf="28")
    mp4, result = clip.job(12, 47, copy="browser")
    assert result == {"width": 320, "height": 240, "corrupt": []}
    assert_same(clip, 12, 47, mp4)


@pytest.mark.parametrize(
    "clip",
    [
        ("bframes=2:open-gop=0", "28"),
        ("bframes=0", "1"),
        ("bframes=0:tff=1:interlaced=1", "28"),
        ("bframes=0:sar=4,3", "28"),
    ],
    ids=["B-frames", "too large", "interlaced", "samples that are not square"],
)
def test_browsers_get_other_streams_encoded(clip: tuple[str, str]) -> None:
    source = x264(f"keyint=12:min-keyint=12:{clip[0]}", crf=clip[1])
    assert may_copy(source.index, "browser", 1, 12, 23)
    with pytest.raises(CopyRefused):
        source.copied(12, 23, "browser")
    assert numbers_in(source.job(12, 23, copy="browser")[0]) == list(range(12, 24))


@pytest.mark.parametrize("wanted", [(12, 22), (11, 23), (5, 5)])
def test_frames_between_key_frames_are_encoded(wanted: tuple[int, int]) -> None:
    clip = x264("keyint=12:min-keyint=12:bframes=0:open-gop=0")
    assert not may_copy(clip.index, "any", 1, *wanted)
    assert numbers_in(clip.job(*wanted)[0]) == list(range(wanted[0], wanted[1] + 1))
    assert not may_copy(clip.index, "any", 2, 12, 23)
    assert not may_copy(clip.index, "never", 1, 12, 23)


def test_an_index_of_another_video_is_noticed() -> None:
    clip = x264("keyint=12:min-keyint=12:bframes=0:open-gop=0")
    other = Clip(x264("keyint=18:min-keyint=18:bframes=0:open-gop=0").content, clip.index)
    with pytest.raises(CopyRefused):
        other.copied(12, 35)
    assert numbers_in(other.job(12, 35)[0]) == list(range(12, 36))


def test_damaged_packets_are_not_copied() -> None:
    clip = x264("keyint=12:min-keyint=12:bframes=0:open-gop=0")
    with av.open(io.BytesIO(clip.content), "r") as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    position = packets[15].pos
    assert position is not None
    harmed = clip.content[:position] + bytes(200) + clip.content[position + 200 :]
    with pytest.raises(CopyRefused, match="frame 15 is damaged"):
        Clip(harmed, clip.index).copied(12, 23)
    mp4, result = Clip(harmed, clip.index).job(12, 23)
    assert len(shown(mp4)) == 12
    assert [frame for frame, _ in result["corrupt"]][:1] == [15]
    assert len(Clip(harmed, clip.index).copied(24, 35)) > 0


def run(clip: Clip, chunks: list[list[int]], **fields: Any) -> tuple[list[bytes], list[dict[str, Any]]]:
    host = clip.host()
    mp4_jobs.video_mp4_run(arguments(chunks=chunks, **fields), host)
    contents = [b""] * len(chunks)
    results: list[dict[str, Any]] = []
    for part in FrameParser().feed(bytes(host.emitted)):
        match part:
            case Content(chunk, piece):
                contents[chunk] += bytes(piece)
            case End(_, result):
                results.append(result)
    return contents, results


@pytest.mark.parametrize("copy", ["any", "never"])
def test_a_run_holds_the_chunks_that_single_jobs_make(copy: str) -> None:
    clip = x264("keyint=20:min-keyint=20:bframes=2:open-gop=0", frames=100)
    chunks = [[0, 19], [20, 39], [40, 49], [50, 59], [60, 79], [80, 99]]
    contents, results = run(clip, chunks, copy=copy)
    assert contents == [clip.job(first, last, copy=copy)[0] for first, last in chunks]
    assert results == [{"width": 320, "height": 240, "corrupt": []}] * 6


def test_a_run_goes_on_encoding_where_a_copy_is_refused() -> None:
    clip = x264("keyint=12:min-keyint=12:bframes=2:open-gop=0")
    contents, _ = run(clip, [[0, 11], [12, 23], [24, 35]], copy="browser")
    assert [numbers_in(mp4) for mp4 in contents] == [list(range(n, n + 12)) for n in (0, 12, 24)]


def test_runs_count_from_the_start_of_the_task() -> None:
    clip = x264("keyint=12:min-keyint=12:bframes=0:open-gop=0")
    contents, _ = run(clip, [[0, 11], [12, 17]], start=12)
    assert [numbers_in(mp4) for mp4 in contents] == [list(range(12, 24)), list(range(24, 30))]


@pytest.mark.parametrize("suffix", ["mp4", "matroska"])
def test_hevc_is_copied_under_the_name_that_players_want(suffix: str) -> None:
    file = io.BytesIO()
    with av.open(file, "w", format=suffix) as container:
        params = "keyint=12:min-keyint=12:bframes=2:open-gop=0:log-level=none:pools=1"
        stream = container.add_stream(
            "libx265", rate=25, options={"preset": "ultrafast", "x265-params": params}
        )
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number, picture in enumerate(moving_scene(320, 240, 30)):
            container.mux(stream.encode(to_frame(picture, number, Fraction(1, 25))))
        container.mux(stream.encode(None))
    clip = Clip(file.getvalue(), index_video(file, "clip"))
    for first, last in runs(clip.index):
        mp4 = clip.copied(first, last)
        assert_same(clip, first, last, mp4)
        assert boxes(mp4, b"hvc1") == 1
    assert not may_copy(clip.index, "browser", 1, 12, 23)


def test_damaged_frames_of_encoded_chunks_are_placeholders_and_told() -> None:
    clip = x264("keyint=12:min-keyint=12:bframes=0:open-gop=0")
    with av.open(io.BytesIO(clip.content), "r") as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    position = packets[15].pos
    assert position is not None
    harmed = Clip(clip.content[:position] + bytes(200) + clip.content[position + 200 :], clip.index)
    contents, results = run(harmed, [[0, 9], [10, 19], [20, 29]], copy="never")
    assert [len(shown(mp4)) for mp4 in contents] == [10, 10, 10]
    assert results[1]["corrupt"][0][0] == 15
    assert results[0]["corrupt"] == []
    assert numbers_in(contents[0]) == list(range(10))
