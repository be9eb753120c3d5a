"""The straightforward way: PyAV's pictures, Pillow's JPEGs, zipfile; whole lists of a chunk's pictures."""

from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image
from yard.runtime import clock

from benchmarks.chunking_pillow import chunks, jpeg, write_zip

CHUNK: Final = 36
ORIGINAL_CRF: Final = 17
COMPRESSED_CRF: Final = 21


def index_video(video: str) -> int:
    """All frames are decoded to know their times and which are key frames."""
    with av.open(video) as container:
        _threaded(container)
        return len([(frame.pts, frame.key_frame) for frame in container.decode(video=0)])


def zip_video(video: str, frames: int, quality: int, folder: str) -> int:
    """Chunk after chunk from the start, each a file; returns their bytes."""
    total = 0
    with av.open(video) as container:
        _threaded(container)
        decoded = islice(container.decode(video=0), frames)
        for number, pictures in enumerate(chunks((_image(frame) for frame in decoded), CHUNK)):
            total += write_zip(Path(folder) / f"{number}.zip", pictures, quality)
    return total


def zip_range(video: str, first: int, quality: int, folder: str) -> float:
    """One chunk on demand, its frames found by their times; returns the seconds."""
    began = clock.monotonic()
    with av.open(video) as container:
        stream = _threaded(container)
        assert stream.time_base is not None
        assert stream.average_rate is not None
        assert stream.start_time is not None
        start = stream.start_time + round(first / stream.average_rate / stream.time_base)
        container.seek(start, stream=stream)
        wanted = (frame for frame in container.decode(video=0) if (frame.pts or 0) >= start)
        pictures = [_image(frame) for frame in islice(wanted, CHUNK)]
    write_zip(Path(folder) / "range.zip", pictures, quality)
    return clock.monotonic() - began


def mp4_video(video: str, frames: int, crf: int, half: bool, folder: str) -> int:
    """x264 at its fastest preset, at half or full size, a file a chunk; returns their bytes."""
    total = 0
    with av.open(video) as container:
        _threaded(container)
        decoded = islice(container.decode(video=0), frames)
        for number, pictures in enumerate(chunks(decoded, CHUNK)):
            path = Path(folder) / f"{number}.mp4"
            _write_mp4(path, pictures, crf, half)
            total += path.stat().st_size
    return total


def jpegs(video: str, frames: list[int], quality: int, folder: str) -> None:
    """Single frames as JPEG files `<frame>.jpg`."""
    with av.open(video) as container:
        for number, frame in enumerate(islice(container.decode(video=0), max(frames) + 1)):
            if number in frames:
                content = jpeg(_image(frame), quality)
                (Path(folder) / f"{number}.jpg").write_bytes(content)


def _threaded(container: InputContainer) -> VideoStream:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return stream


def _image(frame: VideoFrame) -> Image.Image:
    image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    return image


def _write_mp4(path: Path, frames: list[VideoFrame], crf: int, half: bool) -> None:
    width, height = frames[0].width >> half, frames[0].height >> half
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "crf": str(crf)}
        stream = container.add_stream("libx264", rate=25, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number, frame in enumerate(frames):
            scaled = frame.reformat(width, height) if half else frame
            scaled.pts, scaled.time_base, scaled.pict_type = number, Fraction(1, 25), 0
            container.mux(stream.encode(scaled))
        container.mux(stream.encode(None))
