"""JPEGs of video frames beside the straightforward way through RGB: as true, and colours do not shift."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from yard.media.encode_jpeg import FrameEncoder
from yard.media.synthetic import scene

Colours = NDArray[np.float64]
RED, BLUE = {1: 0.2126, 5: 0.299}, {1: 0.0722, 5: 0.114}


def frame_of(truth: Colours, matrix: int) -> av.VideoFrame:
    """An RGB picture in exact limited-range 4:2:0."""
    red, blue = RED[matrix], BLUE[matrix]
    luma = truth @ (red, 1 - red - blue, blue)
    chroma = [
        128 + 224 / 255 * (truth[..., channel] - luma) / (2 - 2 * weight)
        for channel, weight in ((2, blue), (0, red))
    ]
    height, width = luma.shape
    halves = [plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)) for plane in chroma]
    planes = np.concatenate([(16 + 219 / 255 * luma).ravel(), *(half.ravel() for half in halves)])
    samples = planes.round().astype(np.uint8).reshape(height * 3 // 2, width)
    frame = av.VideoFrame.from_ndarray(samples, format="yuv420p")
    frame.colorspace, frame.color_range = matrix, 1
    frame.time_base = Fraction(1, 25)
    return frame


def decoded(content: bytes) -> Colours:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), np.float64)


def psnr(picture: Colours, truth: Colours) -> float:
    return float(10 * np.log10(255**2 / ((picture - truth) ** 2).mean()))


@pytest.mark.parametrize("matrix", [1, 5])
@pytest.mark.parametrize("quality", [70, 90])
def test_pictures_are_at_least_as_true_as_through_rgb(matrix: int, quality: int) -> None:
    truth = scene(1280, 720).astype(np.float64)
    frame = frame_of(truth, matrix)
    ours = decoded(FrameEncoder(quality).encode(frame))
    buffer = io.BytesIO()
    image = frame.to_image()  # type: ignore[no-untyped-call]
    image.save(buffer, "JPEG", quality=quality, optimize=True)
    assert psnr(ours, truth) >= psnr(decoded(buffer.getvalue()), truth) - 0.01
    assert np.abs((ours - truth).mean(axis=(0, 1))).max() < 1
