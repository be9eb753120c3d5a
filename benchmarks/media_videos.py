"""How fast videos are indexed, beside decoding them once and beside other sizes of pictures."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.video.stream import VideoStream
from yard.media.synthetic import Pixels, scene, to_frame
from yard.media.video_file import opened_video, pictures
from yard.media.video_index import index_video
from yard.runtime import clock

from benchmarks.repeated import repeat
from benchmarks.report import Aim, Row, row

REPETITIONS: Final = 5
FPS: Final = 30
SECONDS: Final = 60
ENCODED_SECONDS: Final = 10
BIT_RATE: Final = 8_000_000
HD, FULL_HD, UHD = (1280, 720), (1920, 1080), (3840, 2160)
_SHIFTS: Final = 12


def measure_videos(folder: Path) -> list[Row]:
    """Frames a second against one decode, and the time of 4K against that of 720p at equal bit rate."""
    small, full, large = (_clip(folder, size) for size in (HD, FULL_HD, UHD))
    rates: dict[str, list[float]] = {"index": [], "decode": []}
    times: dict[str, list[float]] = {"large": [], "small": []}
    for _ in range(REPETITIONS):
        rates["index"].append(SECONDS * FPS / _timed(lambda: _index(full)))
        rates["decode"].append(SECONDS * FPS / _timed(lambda: _decode(full)))
        times["large"].append(1000 * _timed(lambda: _index(large)))
        times["small"].append(1000 * _timed(lambda: _index(small)))
    return [
        row(
            "index of 60 s of 1080p H.264 beside one decode",
            "frames/s",
            rates["index"],
            rates["decode"],
            Aim(of="ratio", relation=">=", value=20),
        ),
        row(
            "index of 60 s of 4K beside 720p at 8 Mbit/s",
            "ms",
            times["large"],
            times["small"],
            Aim(of="ratio", relation="<", value=1.5),
        ),
    ]


def _index(path: Path) -> None:
    with path.open("rb") as file:
        index_video(file, path.name)


def _decode(path: Path) -> None:
    """As fast as it goes: all threads, nothing done with the pictures."""
    with path.open("rb") as file, opened_video(file, path.name) as (container, stream):
        stream.thread_type = "AUTO"
        for _ in pictures(container, stream):
            pass


def _timed(work: Callable[[], None]) -> float:
    began = clock.monotonic()
    work()
    return clock.monotonic() - began


def _clip(folder: Path, size: tuple[int, int]) -> Path:
    """A few seconds are encoded and then repeated without encoding."""
    part = _encoded(folder / f"{size[0]}_part.mp4", size)
    path = folder / f"{size[0]}.mp4"
    repeat(part, path, times=SECONDS // ENCODED_SECONDS, seconds=ENCODED_SECONDS)
    return path


def _encoded(path: Path, size: tuple[int, int]) -> Path:
    """H.264 with B-frames at a fixed bit rate."""
    rate = {"b": BIT_RATE, "minrate": BIT_RATE, "maxrate": BIT_RATE, "bufsize": BIT_RATE}
    options = {"preset": "ultrafast", "x264-params": "keyint=60:bframes=2:nal-hrd=cbr"}
    options |= {name: str(value) for name, value in rate.items()}
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(islice(cycle(_shifted(size)), ENCODED_SECONDS * FPS)):
            container.mux(stream.encode(to_frame(picture, number, Fraction(1, FPS))))
        container.mux(stream.encode(None))
    return path


def _shifted(size: tuple[int, int]) -> Iterator[Pixels]:
    """A few pictures of a camera that pans to and fro."""
    still = scene(*size)
    for number in range(_SHIFTS):
        yield np.roll(still, 3 * min(number, _SHIFTS - number), axis=1)
