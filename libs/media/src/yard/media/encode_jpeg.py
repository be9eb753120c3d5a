"""Pictures to JPEG bytes.

Video frames go from their planes straight to JPEG's own colours (BT.601, full range) through one SIMD filter,
without RGB. Odd sizes and formats that the filter cannot take go through RGB; gray goes alone.
Untagged video is BT.709 from 720 lines up and BT.601 below, as players take it.
"""

from functools import lru_cache
from typing import Any

import av
import numpy as np
import simplejpeg
from av.filter import Graph
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray
from yard.media.errors import MediaError
from yard.media.jpeg_layout import Table, jpeg_layout

BT709, BT601 = 1, 5
_FULL_RANGE = 2
_MATRIX_NAMES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020ncl"}
_PLANAR = frozenset(
    f"yuv{subsampling}p{depth}" for subsampling in (420, 422, 444) for depth in ("", "10le", "12le")
) | {"yuvj420p", "yuvj422p", "yuvj444p"}

Pixels = NDArray[np.uint8]


def check_quality(quality: int) -> int:
    """Returns the JPEG quality when it lies in 5..100."""
    if not 5 <= quality <= 100:
        raise MediaError("limit", f"image quality must be 5..100, got {quality}")
    return quality


def matrix_of(frame: av.VideoFrame) -> int:
    """Colour matrix (AVColorSpace number) of a frame, guessed by its lines when it carries no known one."""
    tagged = int(frame.colorspace)
    if tagged in _MATRIX_NAMES:
        return tagged
    return BT709 if frame.height >= 720 else BT601


def is_full_range(frame: av.VideoFrame) -> bool:
    """Whether luma uses 0..255 instead of 16..235."""
    return int(frame.color_range) == _FULL_RANGE or frame.format.name.startswith("yuvj")


class FrameEncoder:
    """Encodes frames of any size and format; keeps one filter graph a shape, so use one encoder a thread."""

    def __init__(self, quality: int) -> None:
        self.quality = check_quality(quality)
        self._graphs: dict[tuple[Any, ...], Graph] = {}
        self._reformatter = VideoReformatter()

    def encode(self, frame: av.VideoFrame) -> bytes:
        """JPEG bytes of one upright frame."""
        if frame.format.name.startswith("gray"):
            return self._encode_gray(frame)
        is_even = not (frame.width % 2 or frame.height % 2)
        if is_even and frame.format.name in _PLANAR:
            return self._encode_planes(self._to_jpeg_colours(frame))
        return encode_rgb(self.to_rgb(frame), self.quality)

    def to_rgb(self, frame: av.VideoFrame) -> Pixels:
        """Upright RGB picture; a view of the converted frame."""
        if frame.format.name == "rgb24":
            return plane(frame, 0, 3)
        converted = self._reformatter.reformat(
            frame,
            format="rgb24",
            src_colorspace=matrix_of(frame),
            src_color_range="JPEG" if is_full_range(frame) else "MPEG",
            dst_color_range="JPEG",
            interpolation="BILINEAR",
            threads=1,
        )
        return plane(converted, 0, 3)

    def _encode_planes(self, frame: av.VideoFrame) -> bytes:
        y, u, v = (plane(frame, number) for number in range(3))
        return bytes(simplejpeg.encode_jpeg_yuv_planes(y, u, v, quality=self.quality))

    def _encode_gray(self, frame: av.VideoFrame) -> bytes:
        gray = frame
        if frame.format.name != "gray":
            gray = self._reformatter.reformat(frame, format="gray", threads=1)
        y = plane(gray, 0)
        if int(frame.color_range) == 1:
            y = np.clip((y.astype(np.float32) - 16) * (255 / 219), 0, 255).round().astype(np.uint8)
        return bytes(
            simplejpeg.encode_jpeg_yuv_planes(np.ascontiguousarray(y), None, None, quality=self.quality)
        )

    def _to_jpeg_colours(self, frame: av.VideoFrame) -> av.VideoFrame:
        matrix, is_full = matrix_of(frame), is_full_range(frame)
        is_8_bit = not frame.format.name.endswith("le")
        if is_full and is_8_bit and matrix in {5, 6}:
            return frame
        key = (frame.width, frame.height, frame.format.name, matrix, is_full)
        if key not in self._graphs:
            self._graphs[key] = _colour_graph(frame, matrix, is_full)
        self._graphs[key].vpush(frame)
        return self._graphs[key].vpull()


def plane(frame: av.VideoFrame, number: int, channels: int = 1) -> Pixels:
    """One 8-bit plane without its line padding, (height, width) or (height, width, channels); no copy."""
    source = frame.planes[number]
    lines = np.frombuffer(memoryview(source), np.uint8).reshape(-1, source.line_size)
    pixels: Pixels = lines[: source.height, : source.width * channels]
    return pixels if channels == 1 else pixels.reshape(source.height, source.width, channels)


def encode_rgb(pixels: Pixels, quality: int) -> bytes:
    """JPEG (4:2:0) of an RGB (height, width, 3) or gray (height, width) picture."""
    contiguous = np.ascontiguousarray(pixels)
    if contiguous.ndim == 2:
        return bytes(simplejpeg.encode_jpeg(contiguous[..., None], quality, "GRAY", "Gray"))
    return bytes(simplejpeg.encode_jpeg(contiguous, quality, "RGB", "420"))


@lru_cache(maxsize=96)
def steps_at(quality: int) -> tuple[Table, Table]:
    """Our quantisation steps of brightness and of colours, 64 each in zigzag order."""
    layout = jpeg_layout(encode_rgb(np.zeros((16, 16, 3), np.uint8), quality))
    brightness, colours, _ = (layout.tables[number] for _, number in layout.components)
    return brightness, colours


def _colour_graph(frame: av.VideoFrame, matrix: int, is_full: bool) -> Graph:
    """One pass from the source's matrix, range and depth to those of JPEG, with its own subsampling."""
    name = _MATRIX_NAMES[matrix]
    subsampling = next(part for part in ("420", "422", "444") if part in frame.format.name)
    arguments = (
        f"ispace={name}:iprimaries=bt709:itrc=bt709:irange={'pc' if is_full else 'tv'}:"
        f"space=bt470bg:primaries=bt709:trc=bt709:range=pc:format=yuv{subsampling}p:fast=1"
    )
    graph = Graph()
    # Its own threads would only hand small parts of a picture to one another: there is a graph a thread.
    graph.threads = 1
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    graph.link_nodes(source, graph.add("colorspace", arguments), graph.add("buffersink"))
    graph.configure()
    return graph
