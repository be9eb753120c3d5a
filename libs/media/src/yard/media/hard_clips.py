"""Short numbered videos that are easy to get wrong, for tests of frame exactness.

`make_clip("open_gop", folder)` writes `folder/open_gop.mp4`, whose frame n shows number n (`synthetic.read`
gets it back); `HARD_CLIPS` names them all. Pictures that a reader must not show carry numbers from `HIDDEN`
on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from yard.media import synthetic
from yard.media.synthetic import Pixels

FRAMES = 40
SIZE = (320, 240)
HIDDEN = 60_000
"""Numbers from here on are burnt into pictures that are not frames: cut off, other streams, covers."""

_RATE = 25
_GROUP = 12
_X264 = f"keyint={_GROUP}:min-keyint={_GROUP}:scenecut=0:b-adapt=0"
_B_FRAMES = f"{_X264}:bframes=3:b-pyramid=normal"
_CUT = 10  # pictures before the first frame of an edit list: within a group of pictures
_UNEVEN = (1, 7, 2, 30, 3)


def _even_times(frames: int) -> Iterable[int]:
    return range(frames)


def _uneven_times(frames: int) -> Iterable[int]:
    """Milliseconds: sums of uneven gaps."""
    return accumulate((_UNEVEN[number % len(_UNEVEN)] for number in range(frames - 1)), initial=0)


def _times_before_zero(frames: int) -> Iterable[int]:
    return range(-_CUT, frames - _CUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recipe:
    suffix: str = "mp4"
    codec: str = "libx264"
    x264: str = _B_FRAMES
    times: Callable[[int], Iterable[int]] = _even_times
    time_base: Fraction = Fraction(1, _RATE)
    rotation: int = 0
    hidden_before: int = 0
    """Pictures before the first frame, which the container hides."""
    has_neighbours: bool = False
    """Sound before the video, a second video behind it."""
    has_cover: bool = False
    options: Mapping[str, str] = field(default_factory=dict)


_RECIPES: Mapping[str, _Recipe] = {
    "b_frames": _Recipe(x264=f"{_B_FRAMES}:open-gop=0"),
    "open_gop": _Recipe(x264=f"{_B_FRAMES}:open-gop=1"),
    "variable_rate": _Recipe(suffix="mkv", times=_uneven_times, time_base=Fraction(1, 1000)),
    "negative_start": _Recipe(
        times=_times_before_zero, options={"movflags": "frag_keyframe+empty_moov+delay_moov"}
    ),
    "edit_list": _Recipe(times=_times_before_zero, hidden_before=_CUT),
    "rotated_90": _Recipe(rotation=90),
    "rotated_180": _Recipe(rotation=180),
    "rotated_270": _Recipe(rotation=270),
    "cover": _Recipe(has_cover=True),
    "several_streams": _Recipe(has_neighbours=True),
    "transport_stream": _Recipe(suffix="ts", x264=f"{_B_FRAMES}:open-gop=1"),
    "without_times": _Recipe(suffix="avi"),
    "vp9": _Recipe(suffix="webm", codec="libvpx-vp9"),
}
HARD_CLIPS: tuple[str, ...] = tuple(_RECIPES)


def make_clip(name: str, folder: Path, frames: int = FRAMES, size: tuple[int, int] = SIZE) -> Path:
    """Writes one of `HARD_CLIPS`; `frames` counts those that show, `size` is upright and even."""
    recipe = _RECIPES[name]
    path = folder / f"{name}.{recipe.suffix}"
    with av.open(str(path), "w", options=dict(recipe.options)) as container:
        _Writer(container, recipe, size).write(frames)
    return path


class _Writer:
    """All streams of one clip, picture by picture."""

    def __init__(self, container: OutputContainer, recipe: _Recipe, size: tuple[int, int]) -> None:
        self._container = container
        self._recipe = recipe
        self._size = size
        self._sound = container.add_stream("aac", rate=48_000) if recipe.has_neighbours else None
        self._video = self._add_video()
        self._second = self._add_video() if recipe.has_neighbours else None

    def write(self, frames: int) -> None:
        recipe = self._recipe
        if recipe.has_cover:
            self._write_cover()
        total = frames + recipe.hidden_before
        for number, (time, picture) in enumerate(
            zip(recipe.times(total), self._pictures(total), strict=True)
        ):
            self._encode(self._video, self._turned(picture), time)
            self._write_neighbours(number, picture)
        for stream in (self._video, self._sound, self._second):
            if stream is not None:
                self._container.mux(stream.encode(None))

    def _add_video(self) -> VideoStream:
        recipe = self._recipe
        options = {"crf": "20"}
        if recipe.codec == "libx264":
            options |= {"preset": "ultrafast", "x264-params": recipe.x264}
        stream = self._container.add_stream(recipe.codec, rate=_RATE, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = self._size if recipe.rotation % 180 == 0 else self._size[::-1]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = recipe.time_base
        if recipe.rotation:
            stream.set_display_rotation(recipe.rotation)
        return stream

    def _pictures(self, total: int) -> Iterator[Pixels]:
        hidden = self._recipe.hidden_before
        for number, picture in enumerate(synthetic.moving_scene(*self._size, total)):
            if hidden:
                synthetic.burn(picture, number - hidden if number >= hidden else HIDDEN + number)
            yield picture

    def _turned(self, picture: Pixels) -> Pixels:
        """As a camera stores it that is held upright."""
        return np.ascontiguousarray(np.rot90(picture, -(self._recipe.rotation // 90)))

    def _encode(self, stream: VideoStream, picture: Pixels, time: int) -> None:
        frame = synthetic.to_frame(picture, time, self._recipe.time_base)
        self._container.mux(stream.encode(frame))

    def _write_neighbours(self, number: int, picture: Pixels) -> None:
        if self._second is None or self._sound is None:
            return
        samples = self._sound.codec_context.sample_rate // _RATE
        silence = av.AudioFrame.from_ndarray(
            np.zeros((2, samples), np.float32), format="fltp", layout="stereo"
        )
        silence.sample_rate = self._sound.codec_context.sample_rate
        silence.pts = number * samples
        self._container.mux(self._sound.encode(silence))
        synthetic.burn(picture, HIDDEN + number)
        self._encode(self._second, picture, number)

    def _write_cover(self) -> None:
        stream = self._container.add_stream("mjpeg", rate=_RATE)
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuvj420p"
        stream.disposition = Disposition.attached_pic
        picture = synthetic.numbered_scene(HIDDEN, self._size)
        frame = synthetic.to_frame(picture, 0, Fraction(1, _RATE)).reformat(format="yuvj420p")
        self._container.mux(stream.encode(frame))
        self._container.mux(stream.encode(None))
