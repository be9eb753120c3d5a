import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image
from yard.media.encode_jpeg import FrameEncoder, Pixels, check_quality, encode_rgb
from yard.media.errors import MediaError
from yard.media.synthetic import scene, to_frame

BT709, BT601 = 1, 5
LIMITED, FULL = 1, 2


def tagged(pixels: Pixels, form: str, matrix: int, color_range: int) -> av.VideoFrame:
    """The picture in another format, converted with this matrix and range, and tagged so."""
    frame = to_frame(pixels, 0, Fraction(1, 25)).reformat(
        format=form,
        dst_colorspace=matrix,
        src_color_range="JPEG",
        dst_color_range="JPEG" if color_range == FULL else "MPEG",
    )
    frame.colorspace, frame.color_range = matrix, color_range
    return frame


def decoded(content: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def error_of(first: Pixels, second: Pixels) -> float:
    return float(np.abs(first.astype(np.float32).mean((0, 1)) - second.astype(np.float32).mean((0, 1))).max())


@pytest.mark.parametrize("color_range", [LIMITED, FULL])
@pytest.mark.parametrize("matrix", [BT709, BT601])
@pytest.mark.parametrize(
    "form", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "nv12", "rgb24", "gbrp", "yuva420p"]
)
def test_colours_stay(form: str, matrix: int, color_range: int) -> None:
    pixels = scene(320, 240)
    is_rgb = form in {"rgb24", "gbrp"}
    frame = to_frame(pixels, 0, Fraction(1, 25)).reformat(format=form) if is_rgb else None
    content = FrameEncoder(90).encode(frame or tagged(pixels, form, matrix, color_range))
    assert decoded(content).shape == pixels.shape
    # Conversions outside of the filter cut off fractions, once here and once in the encoder.
    assert error_of(decoded(content), pixels) < 2.5


@pytest.mark.parametrize("size", [(321, 240), (320, 241), (17, 9), (1, 1)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    pixels = scene(*size)
    content = FrameEncoder(90).encode(to_frame(pixels, 0, Fraction(1, 25)).reformat(format="yuv444p"))
    assert decoded(content).shape == pixels.shape


@pytest.mark.parametrize(("height", "matrix"), [(720, BT709), (480, BT601)])
def test_untagged_video_is_taken_as_players_take_it(height: int, matrix: int) -> None:
    pixels = scene(640, height)
    frame = tagged(pixels, "yuv420p", matrix, LIMITED)
    frame.colorspace, frame.color_range = 2, 0
    assert error_of(decoded(FrameEncoder(90).encode(frame)), pixels) < 2.0


@pytest.mark.parametrize("form", ["gray", "gray10le"])
def test_gray_stays_gray(form: str) -> None:
    pixels = scene(64, 48).mean(2).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="gray").reformat(format=form)
    frame.color_range = FULL
    image = Image.open(io.BytesIO(FrameEncoder(90).encode(frame)))
    assert image.mode == "L"
    assert np.abs(np.asarray(image).astype(int) - pixels).mean() < 3


def test_one_encoder_takes_frames_of_any_size_and_format() -> None:
    encoder = FrameEncoder(70)
    for size, form in (
        ((64, 48), "yuv420p"),
        ((32, 32), "yuv422p"),
        ((64, 48), "yuv420p"),
        ((9, 9), "rgb24"),
    ):
        frame = to_frame(scene(*size), 0, Fraction(1, 25)).reformat(format=form)
        assert decoded(encoder.encode(frame)).shape[:2] == size[::-1]


def test_quality_decides_the_size() -> None:
    sizes = [len(encode_rgb(scene(320, 240), quality)) for quality in (5, 50, 70, 100)]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("quality", [4, 101, 0, -1])
def test_qualities_outside_of_5_to_100_are_refused(quality: int) -> None:
    with pytest.raises(MediaError, match=r"5\.\.100"):
        check_quality(quality)
