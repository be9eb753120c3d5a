"""What is cut into chunks: videos that pan over photos and show real clips, with sensor noise; photos.

Everything is made once and kept beside the packages it is made from.
"""

import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.filter import Graph
from av.video.stream import VideoStream
from PIL import Image
from yard.media.synthetic import Pixels, to_frame

from benchmarks.chunking_fetch import FOLDER, clips, photos
from benchmarks.repeated import repeat

FPS: Final = 30
SECONDS: Final = 60
FRAMES: Final = SECONDS * FPS
LONG_TIMES: Final = 10
"""The long video is the short one so many times."""
SIZE: Final = (1920, 1080)
TWELVE_MP: Final = (4000, 3000)
PHOTOS: Final[dict[tuple[int, int], int]] = {TWELVE_MP: 24, SIZE: 120}
_PHOTO_QUALITY: Final = 90
_PHOTO_WIDTH: Final = 2000
_SENSOR_NOISE: Final = 6
_PAN_FRAMES: Final = 120
_PAN_ROOM: Final = (480, 270)
_NOISE: Final = "c0s=6:c0f=t:c1s=6:c1f=t:c2s=6:c2f=t"
_CRF: Final = 23


def video(gop: int) -> Path:
    """60 s of 1080p30 H.264 High with B-frames, and a key frame every `gop` frames."""
    return _made(f"1080p-gop{gop}.mp4", lambda path: _encode(path, gop))


def long_video() -> Path:
    """10 minutes: the one with a key frame a second again and again, not encoded anew."""
    source = video(FPS)
    return _made("1080p-long.mp4", lambda path: repeat(source, path, times=LONG_TIMES, seconds=SECONDS))


def pictures(size: tuple[int, int]) -> list[Path]:
    """Different JPEGs of quality 90, 4:2:0."""
    folder = _made(f"photos-{size[0]}x{size[1]}", lambda path: _photos(path, size))
    return sorted(folder.iterdir())


def _made(name: str, make: Callable[[Path], None]) -> Path:
    """What lies under its name is whole."""
    path = FOLDER / name
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"unfinished-{name}")
        make(unfinished)
        unfinished.rename(path)
    return path


def _encode(path: Path, gop: int) -> None:
    options = {"preset": "veryfast", "crf": str(_CRF), "profile": "high"}
    options["x264-params"] = f"keyint={gop}:bframes=3:open-gop=0:scenecut=0:colormatrix=bt709"
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as target:
        stream = target.add_stream("libx264", rate=FPS, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for frame in _noisy(_scenes()):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))


def _noisy(pictured: Iterator[Pixels]) -> Iterator[av.VideoFrame]:
    """The noise of a sensor, other in each frame, in the colours of HD video."""
    graph: Graph | None = None
    for number, picture in enumerate(pictured):
        frame = to_frame(picture, number, Fraction(1, FPS)).reformat(
            format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        frame.colorspace, frame.color_range = 1, 1
        graph = graph or _noise_graph(frame)
        graph.vpush(frame)
        noisy = graph.vpull()
        noisy.pict_type = 0
        yield noisy


def _noise_graph(frame: av.VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, FPS)
    )
    graph.link_nodes(source, graph.add("noise", _NOISE), graph.add("buffersink"))
    graph.configure()
    return graph


def _scenes() -> Iterator[Pixels]:
    """Pans and clips in turns, as many pictures as the video has frames."""
    pans = itertools.cycle(photos())
    moving = itertools.cycle(clips())
    scenes = itertools.chain.from_iterable(
        itertools.chain(_pan(next(pans)), _pan(next(pans)), _clip(next(moving))) for _ in itertools.count()
    )
    return itertools.islice(scenes, FRAMES)


def _pan(path: Path) -> Iterator[Pixels]:
    """A window that moves over a photo at the pace of a slow camera."""
    still = np.asarray(_filling(path, (SIZE[0] + _PAN_ROOM[0], SIZE[1] + _PAN_ROOM[1])))
    for number in range(_PAN_FRAMES):
        left, top = (room * number // _PAN_FRAMES for room in _PAN_ROOM)
        yield np.ascontiguousarray(still[top : top + SIZE[1], left : left + SIZE[0]])


def _clip(path: Path) -> Iterator[Pixels]:
    with av.open(str(path)) as source:
        for frame in source.decode(video=0):
            scaled = frame.reformat(*SIZE, format="rgb24", interpolation="BICUBIC")
            yield np.asarray(scaled.to_ndarray(), np.uint8)


def _filling(path: Path, size: tuple[int, int], place: float = 0.5) -> Image.Image:
    """A photo in another size, cut to its shape at `place` between its edges."""
    with Image.open(path) as photo:
        scale = max(size[0] / photo.width, size[1] / photo.height)
        wide, high = size[0] / scale, size[1] / scale
        left, top = (photo.width - wide) * place, (photo.height - high) * place
        box = (left, top, left + wide, top + high)
        return photo.convert("RGB").resize(size, Image.Resampling.LANCZOS, box=box)


def _photos(folder: Path, size: tuple[int, int]) -> None:
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(7)
    for number in range(PHOTOS[size]):
        noise = random.normal(0, _SENSOR_NOISE, (size[1], size[0], 1)).astype(np.float32)
        pixels = np.clip(_mosaic(number, size) + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:04d}.jpg", quality=_PHOTO_QUALITY)


def _mosaic(number: int, size: tuple[int, int]) -> Pixels:
    """Photos side by side, so many that their own detail is kept and not blown up."""
    sources = photos()
    across = max(1, round(size[0] / _PHOTO_WIDTH))
    tile = (size[0] // across, size[1] // across)
    tiles = [
        np.asarray(_filling(sources[(number + 3 * place) % len(sources)], tile, number / PHOTOS[size]))
        for place in range(across * across)
    ]
    lines = [np.concatenate(tiles[first : first + across], axis=1) for first in range(0, len(tiles), across)]
    return np.concatenate(lines, axis=0)
