"""Faults within videos: damaged frames are told, no frame shows another's picture, numbers stay."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from yard.media import video_chunks
from yard.media.decode import VideoReader
from yard.media.framed import Content, End, FrameParser
from yard.media.hard_clips import HARD_CLIPS, make_clip
from yard.media.index_block import encode_video
from yard.media.kind_clips import FRAMES, SIZE, make_kind
from yard.media.synthetic import moving_scene, read, to_frame
from yard.media.video_index import VideoIndex, index_video

from libs.media.tests.hosts import MemoryHost

INTRA = {"mjpeg.mov", "ffv1.mkv"}
KINDS = (
    *("h264.mp4", "h264.mkv", "hevc.mp4", "hevc.mkv", "mpeg4.mp4", "vp9.mp4", "av1.mp4", "mpeg2.mkv"),
    *("mjpeg.mov", "ffv1.mkv", "prores.mov"),
)


@dataclass
class Damaged:
    content: bytes
    index: VideoIndex
    frame: int
    """That the damaged packet holds."""
    end: int
    """The next key frame."""

    def host(self) -> MemoryHost:
        return MemoryHost({"video": self.content, "index": encode_video(self.index)})


def damaged(kind: str, folder: Path, packet: int = 16) -> Damaged:
    """A clip of which one packet is erased after it was indexed."""
    whole = make_kind(kind, folder).read_bytes()
    index = index_video(io.BytesIO(whole), kind)
    with av.open(io.BytesIO(whole), "r") as container:
        hit = [each for each in container.demux(video=0) if each.size][packet]
        assert hit.pos is not None
        content = bytearray(whole)
        size = hit.size
        content[hit.pos : hit.pos + size] = bytes(size)
        frame = index.pts.tolist().index(hit.pts)
    later = [key for key in np.searchsorted(index.pts, index.keyframes[:, 0]) if key > frame]
    return Damaged(bytes(content), index, frame, int(min(later, default=FRAMES)))


def number_in(picture: np.ndarray[Any, Any]) -> int | None:
    try:
        return read(np.asarray(picture, np.uint8))
    except ValueError:
        return None


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_shows_its_own_picture_or_none(kind: str, tmp_path: Path) -> None:
    clip = damaged(kind, tmp_path)
    missing = []
    with VideoReader(io.BytesIO(clip.content), clip.index) as reader:
        for number, picture in enumerate(reader.frames(range(FRAMES))):
            assert picture.index == number
            if picture.frame is None:
                assert picture.reason
                missing.append(number)
            else:
                assert number_in(picture.frame.to_ndarray(format="rgb24")) == number
    assert clip.frame in missing
    # Pictures that lie before the damaged one, but refer to it, are gone as well.
    assert set(missing) <= set(range(clip.frame - 3, clip.end))


@pytest.mark.parametrize("kind", ["h264.mp4", "mpeg4.mp4"])
@pytest.mark.parametrize("first", [0, 13, 19, 22, 24, 29])
def test_frames_that_are_asked_for_alone_are_judged_alike(kind: str, first: int, tmp_path: Path) -> None:
    clip = damaged(kind, tmp_path)
    with VideoReader(io.BytesIO(clip.content), clip.index) as reader:
        together = [picture.is_missing for picture in reader.frames(range(FRAMES))]
        assert [picture.is_missing for picture in reader.frames([first])] == [together[first]]
    with VideoReader(io.BytesIO(clip.content), clip.index) as reader:
        assert [picture.is_missing for picture in reader.frames([first])] == [together[first]]


@pytest.mark.parametrize("threads", [1, 2])
def test_no_picture_is_shown_that_noise_has_changed(threads: int, tmp_path: Path) -> None:
    whole = make_kind("h264.mp4", tmp_path).read_bytes()
    index = index_video(io.BytesIO(whole), "h264.mp4")
    with av.open(io.BytesIO(whole), "r") as container:
        hit = [each for each in container.demux(video=0) if each.is_keyframe][1]
    content = bytearray(whole)
    start = (hit.pos or 0) + hit.size // 3
    content[start : start + 60] = np.random.default_rng(2).bytes(60)
    healthy, noisy = decoded(whole, index, threads), decoded(bytes(content), index, threads)
    shown = [number for number, picture in enumerate(noisy) if picture is not None]
    assert 0 < len(shown) < FRAMES
    for number in shown:
        assert np.array_equal(noisy[number], healthy[number]), number


def decoded(content: bytes, index: VideoIndex, threads: int) -> list[Any]:
    with VideoReader(io.BytesIO(content), index, threads=threads) as reader:
        pictures = reader.frames(range(FRAMES))
        return [each.frame and each.frame.to_ndarray(format="rgb24") for each in pictures]


def test_transport_streams_keep_their_numbers(tmp_path: Path) -> None:
    whole = make_kind("mpeg2.ts", tmp_path).read_bytes()
    index = index_video(io.BytesIO(whole), "clip")
    with av.open(io.BytesIO(whole), "r") as container:
        hit = [each for each in container.demux(video=0) if each.size][16]
    assert hit.pos is not None
    content = bytearray(whole)
    content[hit.pos + 188 + 4 : hit.pos + 188 + 188] = bytes(184)
    with VideoReader(io.BytesIO(content), index) as reader:
        found = list(reader.frames(range(FRAMES)))
    missing = {picture.index for picture in found if picture.is_missing}
    assert index.pts.tolist().index(hit.pts) in missing
    assert missing <= set(range(12, 24))
    for picture in found:
        if picture.frame is not None:
            assert number_in(picture.frame.to_ndarray(format="rgb24")) == picture.index


def test_a_file_that_was_cut_after_indexing_has_placeholders_to_its_end(tmp_path: Path) -> None:
    whole = make_clip("transport_stream", tmp_path).read_bytes()
    index = index_video(io.BytesIO(whole), "clip")
    with VideoReader(io.BytesIO(whole[: len(whole) // 2]), index) as reader:
        pictures = list(reader.frames(range(index.frames)))
    shown = [picture for picture in pictures if picture.frame is not None]
    assert all(number_in(each.frame.to_ndarray(format="rgb24")) == each.index for each in shown if each.frame)
    # Around the cut B pictures are missing that come before others in time, but not in the file.
    assert 5 < len(shown) <= shown[-1].index + 1 < len(shown) + 4 < index.frames - 5


@pytest.mark.parametrize("clip", HARD_CLIPS)
def test_nothing_is_wrong_with_healthy_videos(clip: str, tmp_path: Path) -> None:
    content = make_clip(clip, tmp_path).read_bytes()
    index = index_video(io.BytesIO(content), clip)
    with VideoReader(io.BytesIO(content), index) as reader:
        for wanted in (range(index.frames), range(15, 20), [index.frames - 1], range(0, index.frames, 9)):
            assert not any(picture.is_missing for picture in reader.frames(wanted))
        assert not reader.is_careful


def test_a_frame_that_builds_upon_a_moving_refresh_is_whole(tmp_path: Path) -> None:
    """Key frames that are refreshed part by part decode from one group earlier."""
    content = intra_refreshed(tmp_path / "refresh.mp4")
    index = index_video(io.BytesIO(content), "refresh")
    with VideoReader(io.BytesIO(content), index) as reader:
        for wanted in ([index.frames - 1], list(range(index.frames)), [index.frames // 2]):
            for number, picture in zip(wanted, reader.frames(wanted), strict=True):
                assert picture.frame is not None
                assert number_in(picture.frame.to_ndarray(format="rgb24")) == number


def intra_refreshed(path: Path) -> bytes:
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "x264-params": "intra-refresh=1:keyint=12:bframes=0"}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(moving_scene(*SIZE, 40)):
            container.mux(stream.encode(to_frame(picture, number, Fraction(1, 25))))
        container.mux(stream.encode(None))
    return path.read_bytes()


def arguments(**fields: Any) -> dict[str, Any]:
    return {"name": "clip", "start": 0, "step": 1, "quality": 70, **fields}


def pictures(content: bytes) -> Iterator[int | None]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            image = Image.open(io.BytesIO(archive.read(name)))
            assert image.size == SIZE
            yield number_in(np.asarray(image.convert("RGB")))


def run(host: MemoryHost, **fields: Any) -> list[tuple[bytes, dict[str, Any]]]:
    video_chunks.video_zip_run(arguments(**fields), host)
    chunks: list[tuple[bytes, dict[str, Any]]] = []
    content = b""
    parser = FrameParser(len(fields["chunks"]))
    for part in parser.feed(bytes(host.emitted)):
        match part:
            case Content(_, piece):
                content += piece
            case End(_, result):
                chunks.append((content, result))
                content = b""
    parser.finish()
    return chunks


def test_a_zip_holds_placeholders_and_lists_them(tmp_path: Path) -> None:
    clip = damaged("mjpeg.mov", tmp_path)
    host = clip.host()
    result = video_chunks.video_zip(arguments(start=2, step=2, first=5, last=9), host)
    assert result == {"width": 320, "height": 240, "corrupt": [[7, "its picture does not decode"]]}
    assert list(pictures(bytes(host.emitted))) == [12, 14, None, 18, 20]


def test_a_run_gives_the_bytes_of_its_chunks(tmp_path: Path) -> None:
    clip = damaged("mjpeg.mov", tmp_path)
    chunks = [[0, 9], [10, 15], [16, 16], [17, FRAMES - 1]]
    made = run(clip.host(), chunks=chunks)
    assert [result["corrupt"] for _, result in made] == [[], [], [[16, "its picture does not decode"]], []]
    for (first, last), (content, result) in zip(chunks, made, strict=True):
        alone = clip.host()
        assert json.loads(json.dumps(result)) == video_chunks.video_zip(
            arguments(first=first, last=last), alone
        )
        assert content == bytes(alone.emitted)


@pytest.mark.parametrize("look", ["jpeg", "png", "preview", "original"])
def test_a_damaged_frame_has_a_placeholder_of_every_kind(look: str, tmp_path: Path) -> None:
    host = damaged("h264.mp4", tmp_path).host()
    result = video_chunks.video_frame(arguments(first=18, last=18, look=look), host)
    assert result["corrupt"] == [[18, "its picture does not decode"]]
    assert Image.open(io.BytesIO(host.emitted)).size == (result["width"], result["height"])


def test_a_run_is_decoded_in_one_pass(tmp_path: Path) -> None:
    content = make_clip("b_frames", tmp_path).read_bytes()
    index = encode_video(index_video(io.BytesIO(content), "clip"))
    opened: list[str] = []

    class Counting(MemoryHost):
        def open(self, name: str, /) -> io.RawIOBase:
            opened.append(name)
            return super().open(name)

    made = run(Counting({"video": content, "index": index}), chunks=[[0, 6], [7, 20], [21, 39]])
    assert [number for content, _ in made for number in pictures(content)] == list(range(40))
    assert sorted(opened) == ["index", "video"]
