"""A short numbered video of every container and codec that is promised, for tests of frame exactness.

`make_kind("hevc.mkv", folder)` writes `folder/hevc.mkv`, whose frame n shows number n; `KIND_CLIPS` names
them all.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.video.stream import VideoStream
from yard.media import synthetic

FRAMES = 30
SIZE = (320, 240)

_RATE = 25
_GROUP = {"g": "12"}
_REORDERED = {"g": "12", "bf": "2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Codec:
    encoder: str
    pixels: str = "yuv420p"
    options: Mapping[str, str] = field(default_factory=dict)


_CODECS: Mapping[str, _Codec] = {
    "h264": _Codec(encoder="libx264", options={"preset": "ultrafast", "x264-params": "keyint=12:bframes=2"}),
    "hevc": _Codec(
        encoder="libx265",
        options={"preset": "ultrafast", "x265-params": "keyint=12:bframes=2:log-level=none:pools=1"},
    ),
    "vp8": _Codec(encoder="libvpx", options={"g": "12", "deadline": "realtime", "cpu-used": "8"}),
    "vp9": _Codec(encoder="libvpx-vp9", options={"g": "12", "deadline": "realtime", "cpu-used": "8"}),
    "av1": _Codec(encoder="libsvtav1", options={"g": "12", "preset": "12", "svtav1-params": "lp=1"}),
    "mpeg1": _Codec(encoder="mpeg1video", options={"b": "4M", **_REORDERED}),
    "mpeg2": _Codec(encoder="mpeg2video", options={"b": "4M", **_REORDERED}),
    "mpeg4": _Codec(encoder="mpeg4", options={"b": "4M", **_REORDERED}),
    "mjpeg": _Codec(encoder="mjpeg", pixels="yuvj422p", options={"qmin": "2", "qmax": "4"}),
    "prores": _Codec(encoder="prores_ks", pixels="yuv422p10le", options={"profile": "0"}),
    "dnxhd": _Codec(encoder="dnxhd", pixels="yuv422p", options={"profile": "dnxhr_lb"}),
    "ffv1": _Codec(encoder="ffv1", options={"g": "1"}),
    "wmv2": _Codec(encoder="wmv2", options={"b": "4M", **_GROUP}),
    "flv1": _Codec(encoder="flv", options={"b": "4M", **_GROUP}),
}

KIND_CLIPS: tuple[str, ...] = (
    *("h264.mp4", "h264.mov", "h264.mkv", "h264.avi", "h264.ts", "h264.m2ts", "h264.flv", "h264.h264"),
    *("hevc.mp4", "hevc.mov", "hevc.mkv", "hevc.ts", "hevc.hevc"),
    *("vp8.webm", "vp8.mkv", "vp8.ivf", "vp9.webm", "vp9.mp4", "vp9.ivf"),
    *("av1.mp4", "av1.webm", "av1.mkv", "av1.ivf"),
    *("mpeg1.mpg", "mpeg2.mpg", "mpeg2.ts", "mpeg2.mkv"),
    *("mpeg4.mp4", "mpeg4.avi", "mpeg4.mov", "mpeg4.mkv"),
    *("mjpeg.avi", "mjpeg.mov", "mjpeg.mkv"),
    *("prores.mov", "dnxhd.mov", "ffv1.mkv", "wmv2.wmv", "flv1.flv"),
)


def make_kind(name: str, folder: Path, frames: int = FRAMES, size: tuple[int, int] = SIZE) -> Path:
    """Writes one of `KIND_CLIPS`."""
    codec = _CODECS[name.split(".")[0]]
    path = folder / name
    with _own_schedule(), av.open(str(path), "w") as container:
        stream = container.add_stream(codec.encoder, rate=_RATE, options=dict(codec.options))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = codec.pixels
        stream.codec_context.time_base = Fraction(1, _RATE)
        for number, picture in enumerate(synthetic.moving_scene(*size, frames)):
            container.mux(stream.encode(synthetic.to_frame(picture, number, Fraction(1, _RATE))))
        container.mux(stream.encode(None))
    return path


@contextmanager
def _own_schedule() -> Iterator[None]:
    """Goes on in the scheduling class of before.

    SVT-AV1 takes the whole process of a superuser to the first-in first-out class, and what such a process
    starts leaves no time for anything else.
    """
    if not hasattr(os, "sched_setscheduler"):
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)
