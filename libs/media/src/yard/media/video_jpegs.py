"""The frames of a video as JPEGs, in order, from several threads."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from threading import local

from yard.media.cores import threads_for
from yard.media.decode import Picture, VideoReader
from yard.media.encode_jpeg import FrameEncoder, check_quality, encode_rgb
from yard.media.job_host import Arguments, Host
from yard.media.parallel import first_at_once
from yard.media.placeholder import placeholder
from yard.media.side_by_side import side_by_side
from yard.media.video_index import VideoIndex
from yard.media.video_parts import closed_parts
from yard.media.video_source import opened_source, read_index, wanted_frames

_AHEAD = 2
"""Pictures a thread that are decoded and not yet sent: key frames take several times as long as others."""


@dataclass(frozen=True, slots=True)
class Jpeg:
    """A relative frame number and its picture; a placeholder has the reason for it."""

    frame: int
    content: bytes
    reason: str

    def __len__(self) -> int:
        return len(self.content)


class _Encoder:
    """Makes JPEGs of numbered pictures, in any thread."""

    def __init__(self, quality: int, index: VideoIndex) -> None:
        self._quality = check_quality(quality)
        self._index = index
        self._own = local()

    def encode(self, numbered: tuple[int, Picture]) -> Jpeg:
        number, picture = numbered
        if picture.frame is None:
            drawn = placeholder(self._index.width, self._index.height, number, picture.reason)
            return Jpeg(number, encode_rgb(drawn, self._quality), picture.reason)
        if not hasattr(self._own, "encoder"):
            self._own.encoder = FrameEncoder(self._quality)
        return Jpeg(number, self._own.encoder.encode(picture.frame), "")


@contextmanager
def opened_jpegs(arguments: Arguments, host: Host) -> Iterator[tuple[VideoIndex, Iterator[Jpeg]]]:
    """Those of frames `first` to `last`; one decoder runs through them, and threads encode behind it."""
    with _opened(arguments, host, read_index(host)) as opened:
        yield opened


@contextmanager
def _opened(
    arguments: Arguments, host: Host, index: VideoIndex
) -> Iterator[tuple[VideoIndex, Iterator[Jpeg]]]:
    with (
        opened_source(arguments, host, index) as (reader, frames),
        closing(reader.frames(frames)) as pictures,
    ):
        threads = _threads(arguments, index)
        numbered = zip(count(arguments["first"]), pictures, strict=False)
        encoder = _Encoder(arguments["quality"], index)
        yield index, first_at_once(encoder.encode, numbered, threads, _AHEAD * threads)


@contextmanager
def opened_run(arguments: Arguments, host: Host) -> Iterator[tuple[VideoIndex, Iterator[Jpeg]]]:
    """As `opened_jpegs`, from a decoder a thread where threads can share the video.

    That keeps all cores busy, and decoders without threads of their own take less of them.
    """
    index = read_index(host)
    threads = _threads(arguments, index)
    frames = wanted_frames(arguments)
    parts = closed_parts(index, frames, threads)
    encoder = _Encoder(arguments["quality"], index)
    with ExitStack() as stack:
        if not parts:
            yield stack.enter_context(_opened(arguments, host, index))
            return
        first = arguments["first"]
        makers = []
        for part in parts[:threads]:
            own = {**arguments, "threads": 1, "first": first + part[0], "last": first + part[-1]}
            reader, _ = stack.enter_context(opened_source(own, host, index))
            makers.append(partial(_made, reader, encoder, frames, first))
        yield index, stack.enter_context(closing(side_by_side(parts, makers)))


def _made(
    reader: VideoReader, encoder: _Encoder, frames: Sequence[int], first: int, part: range
) -> Iterator[Jpeg]:
    with closing(reader.frames(frames[part.start : part.stop])) as pictures:
        for numbered in zip(count(first + part.start), pictures, strict=False):
            yield encoder.encode(numbered)


def _threads(arguments: Arguments, index: VideoIndex) -> int:
    return threads_for(index.width * index.height, arguments.get("threads", 0))
