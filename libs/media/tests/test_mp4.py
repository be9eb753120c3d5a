import io
from fractions import Fraction

import av
import numpy as np
import pytest
from yard.media import mp4_chunk
from yard.media.errors import MediaError
from yard.media.mp4_chunk import KEYFRAME_INTERVAL, VISUALLY_LOSSLESS_CRF, crf_for, encode_mp4
from yard.media.synthetic import moving_scene, read, scene, to_frame

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
