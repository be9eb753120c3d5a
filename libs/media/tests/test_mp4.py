import io
from collections.abc import Iterable
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from numpy.typing import NDArray
from yard.media import mp4_chunk
from yard.media.encode_jpeg import Pixels, plane
from yard.media.errors import MediaError
from yard.media.mp4_chunk import KEYFRAME_INTERVAL, VISUALLY_LOSSLESS_CRF, crf_for, drawn_frame, encode_mp4
from yard.media.placeholder import placeholder
from yard.media.synthetic import moving_scene, read, scene, to_frame
from yard.media.video_index import index_video

BASE = Fraction(1, 25)


def frames(count: int, size: tuple[int, int] = (160, 120), form: str = "yuv420p") -> list[av.VideoFrame]:
    return [
        to_frame(picture, n, BASE).reformat(format=form)
        for n, picture in enumerate(moving_scene(*size, count))
    ]


def number_in(frame: av.VideoFrame) -> int:
    return read(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))


def test_the_index_comes_first_and_nothing_needs_reordering() -> None:
    content = b"".join(encode_mp4(frames(30), crf=21))
    assert [content.find(box) for box in (b"ftyp", b"moov", b"mdat")] == sorted(
        content.find(box) for box in (b"ftyp", b"moov", b"mdat")
    )
    with av.open(io.BytesIO(content), "r") as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert [packet.pts for packet in packets] == sorted(packet.pts or 0 for packet in packets)
        assert all(packet.pts == packet.dts for packet in packets)
        keys = [n for n, packet in enumerate(packets) if packet.is_keyframe]
    assert keys == list(range(0, 30, KEYFRAME_INTERVAL))


def test_equal_pictures_give_equal_bytes() -> None:
    assert b"".join(encode_mp4(frames(15), crf=21)) == b"".join(encode_mp4(frames(15), crf=21))


@pytest.mark.parametrize("form", ["yuv422p10le", "rgb24", "gray", "nv12"])
def test_any_format_becomes_what_browsers_take(form: str) -> None:
    content = b"".join(encode_mp4(frames(5, form=form), crf=21))
    with av.open(io.BytesIO(content), "r") as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        shown = [number_in(frame) for frame in container.decode(video=0)]
    assert shown == list(range(5))


def test_odd_sizes_are_padded() -> None:
    content = b"".join(encode_mp4(frames(3, size=(161, 121), form="yuv444p"), crf=21))
    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (162, 122)


def test_original_quality_is_visually_lossless() -> None:
    picture = scene(320, 240)
    content = b"".join(encode_mp4([to_frame(picture, 0, BASE)], crf=VISUALLY_LOSSLESS_CRF))
    with av.open(io.BytesIO(content), "r") as container:
        shown = np.asarray(next(container.decode(video=0)).to_ndarray(format="rgb24"))
    mse = float(((shown.astype(np.float32) - picture.astype(np.float32)) ** 2).mean())
    assert 10 * np.log10(255**2 / mse) > 38


def test_quality_decides_the_rate_factor() -> None:
    assert [crf_for(quality) for quality in (100, 70, 5)] == [12, 21, 40]


def test_an_endless_mp4_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp4_chunk, "LARGEST_BYTES", 10_000)
    with pytest.raises(MediaError, match="ask for less"):
        list(encode_mp4(frames(40), crf=12))


def photo(number: int, size: tuple[int, int] = (640, 360)) -> Pixels:
    """A camera that moves over a scene of gradients and blobs, with new noise in each picture."""
    width, height = size
    wide = scene(width + 64, height + 32).astype(np.float32)
    noise = np.random.default_rng(number).normal(0, 2, (height, width, 1))
    part = wide[number % 32 : number % 32 + height, 2 * number % 64 : 2 * number % 64 + width]
    return np.clip(part + noise, 0, 255).astype(np.uint8)


def psnr(crf: int, sources: list[av.VideoFrame]) -> tuple[float, int]:
    """Of luma against what the encoder got, in dB, and the bytes of the mp4."""
    content = b"".join(encode_mp4(sources, crf))
    with av.open(io.BytesIO(content), "r") as container:
        errors = [
            ((plane(shown, 0).astype(np.float32) - plane(source, 0)) ** 2).mean()
            for shown, source in zip(container.decode(video=0), sources, strict=True)
        ]
    return 10 * float(np.log10(255**2 / np.mean(errors))), len(content)


def test_quality_has_a_floor_and_rises() -> None:
    sources = [to_frame(photo(n), n, BASE).reformat(format="yuv420p") for n in range(15)]
    found = {quality: psnr(crf_for(quality), sources) for quality in (20, 50, 70, 90, 100)}
    for quality, floor in FLOORS.items():
        assert found[quality][0] >= floor, found
    assert [*found.values()] == sorted(found.values())
    assert [size for _, size in found.values()] == sorted(size for _, size in found.values())


FLOORS = {20: 36.5, 50: 37.0, 70: 40.0, 90: 45.0, 100: 48.0}
"""dB of luma."""


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("matrix", [1, 5, 6])
@pytest.mark.parametrize("form", ["yuv420p", "yuv444p", "yuv422p10le"])
def test_colours_stay_and_are_tagged(form: str, matrix: int, is_full: bool) -> None:
    source = tagged(scene(320, 240), matrix, is_full, form)
    before = mean_rgb(source, matrix, is_full)
    shown = first_frame(encode_mp4([source], crf=12))
    assert (int(shown.colorspace), int(shown.color_range)) == (matrix, 2 if is_full else 1)
    assert np.abs(mean_rgb(shown, matrix, is_full) - before).max() < 1


@pytest.mark.parametrize(("size", "matrix"), [((320, 240), 5), ((1280, 720), 1)])
def test_colours_of_rgb_video_stay(size: tuple[int, int], matrix: int) -> None:
    picture = scene(*size)
    shown = first_frame(encode_mp4([to_frame(picture, 0, BASE)], crf=12))
    assert (int(shown.colorspace), int(shown.color_range)) == (matrix, 1)
    assert np.abs(mean_rgb(shown, matrix, is_full=False) - picture.mean(axis=(0, 1))).max() < 1


def first_frame(pieces: Iterable[bytes]) -> av.VideoFrame:
    with av.open(io.BytesIO(b"".join(pieces)), "r") as container:
        return next(container.decode(video=0))


def tagged(picture: Pixels, matrix: int, is_full: bool, form: str = "yuv420p") -> av.VideoFrame:
    frame = to_frame(picture, 0, BASE).reformat(
        format=form, dst_colorspace=matrix, dst_color_range="JPEG" if is_full else "MPEG"
    )
    frame.colorspace, frame.color_range = matrix, 2 if is_full else 1
    return frame


def mean_rgb(frame: av.VideoFrame, matrix: int, is_full: bool) -> NDArray[np.float64]:
    """Mean colour by the definition of matrix and range, which are linear."""
    levels = [plane_levels(frame, number).mean() for number in range(3)]
    y = levels[0] if is_full else (levels[0] - 16) * 255 / 219
    u, v = ((level - 128) * (1 if is_full else 255 / 224) for level in levels[1:])
    red, blue = (0.2126, 0.0722) if matrix == 1 else (0.299, 0.114)
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    return np.array([r, (y - red * r - blue * b) / (1 - red - blue), b])


def plane_levels(frame: av.VideoFrame, number: int) -> NDArray[np.float64]:
    source = frame.planes[number]
    if not frame.format.name.endswith("10le"):
        return plane(frame, number).astype(np.float64)
    lines = np.frombuffer(memoryview(source), "<u2").reshape(-1, source.line_size // 2)
    return lines[:, : source.width].astype(np.float64) / 4


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("matrix", [1, 5])
def test_placeholders_have_the_colours_of_any_video(matrix: int, is_full: bool) -> None:
    drawn = placeholder(320, 240, 3, "its picture does not decode")
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, 2 if is_full else 1
        container.mux(stream.encode(tagged(scene(320, 240), matrix, is_full)))
        container.mux(stream.encode(None))
    shown = first_frame(encode_mp4([drawn_frame(drawn, index_video(file, "clip"))], crf=12))
    assert (int(shown.colorspace), int(shown.color_range)) == (matrix, 2 if is_full else 1)
    # It is drawn, not filmed: a fast conversion that rounds down is good enough.
    assert np.abs(mean_rgb(shown, matrix, is_full) - drawn.mean(axis=(0, 1))).max() < 3
