"""The jobs of chunks, called by their names as the service calls them, over local files."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

from yard.media.framed import Content, End, FrameParser
from yard.media.image_index import index_image
from yard.media.index_block import decode_video, encode_video
from yard.media.video_index import index_video

CHUNK: Final = 36
_VIDEO: Final[Mapping[str, Any]] = {"start": 0, "step": 1}


class Host:
    """The parent of a job: its sources are local files or bytes."""

    def __init__(self, sources: Mapping[str, Path | bytes], emit: Callable[[bytes], object]) -> None:
        self._sources = sources
        self.emit = emit

    def open(self, name: str, /) -> io.RawIOBase:
        """A source as a seekable file."""
        source = self._sources[name]
        if isinstance(source, Path):
            return source.open("rb", buffering=0)
        return cast("io.RawIOBase", io.BytesIO(source))


class Chunks:
    """Writes the chunks of a run as files, as they come."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self._folder, self._suffix = folder, suffix
        self._parser = FrameParser()
        self.size = 0
        self.results: list[Mapping[str, object]] = []

    def take(self, content: bytes) -> None:
        """The next bytes of the run."""
        for part in self._parser.feed(content):
            match part:
                case Content(chunk, piece):
                    with (self._folder / f"{chunk}.{self._suffix}").open("ab") as file:
                        self.size += file.write(piece)
                case End(_, result):
                    self.results.append(result)


def index(video: str, block: str) -> None:
    """Writes the index of a video into the file `block`."""
    with Path(video).open("rb") as file:
        Path(block).write_bytes(encode_video(index_video(file, video)))


def zip_video(video: str, block: str, frames: int, quality: int, folder: str) -> int:
    """The first frames in chunks, as they are built in advance; returns their bytes."""
    return _run("yard.media.video_chunks:video_zip_run", video, block, frames, folder, quality=quality)


def mp4_video(video: str, block: str, frames: int, crf: int, folder: str) -> int:
    """The same as mp4, encoded at full size."""
    return _run("yard.media.mp4_jobs:video_mp4_run", video, block, frames, folder, crf=crf, copy="never")


def original_video(video: str, block: str, frames: int, folder: str) -> int:
    """Chunks of original quality as whole groups of pictures, each asked for alone; returns their bytes."""
    covering_run = _named("yard.media.gop_runs:covering_run")
    table = decode_video(Path(block).read_bytes())
    total = 0
    for first, last in _ranges(frames):
        run = covering_run(table, 0, first, last, table.frames)
        assert run is not None, (first, last)
        path = Path(folder) / f"{first}.mp4"
        arguments = {**_VIDEO, "name": video, "first": run[0], "last": run[1], "crf": 12, "copy": "any"}
        _single("yard.media.mp4_jobs:video_mp4", arguments, _sources(video, block), path)
        total += path.stat().st_size
    return total


def zip_images(images: Sequence[str], quality: int, chunk: int, folder: str) -> int:
    """Images in chunks, as they are built in advance; returns their bytes."""
    addresses = []
    for number, image in enumerate(images):
        with Path(image).open("rb") as file:
            [address] = index_image(file, image)
        addresses.append(asdict(address) | {"source": number, "order": number})
    chunks = [[first, min(first + chunk, len(images)) - 1] for first in range(0, len(images), chunk)]
    written = Chunks(Path(folder), "zip")
    host = Host({str(number): Path(image) for number, image in enumerate(images)}, written.take)
    arguments = {"images": addresses, "look": "jpeg", "quality": quality, "first": 0, "chunks": chunks}
    _named("yard.media.image_chunks:image_zip_run")(arguments, host)
    return written.size


def jpegs(video: str, block: str, frames: Sequence[int], quality: int, folder: str) -> None:
    """Single frames as JPEG files `<frame>.jpg`."""
    for frame in frames:
        arguments = {**_VIDEO, "name": video, "first": frame, "last": frame, "look": "jpeg"}
        path = Path(folder) / f"{frame}.jpg"
        _single(
            "yard.media.video_chunks:video_frame",
            arguments | {"quality": quality},
            _sources(video, block),
            path,
        )


def _run(function: str, video: str, block: str, frames: int, folder: str, **wanted: object) -> int:
    written = Chunks(Path(folder), "chunk")
    arguments = {**_VIDEO, "name": video, "chunks": _ranges(frames), **wanted}
    _named(function)(arguments, Host(_sources(video, block), written.take))
    assert len(written.results) == len(_ranges(frames))
    return written.size


def _single(
    function: str, arguments: Mapping[str, object], sources: Mapping[str, Path | bytes], path: Path
) -> None:
    with path.open("wb") as file:
        _named(function)(arguments, Host(sources, file.write))


def _sources(video: str, block: str) -> Mapping[str, Path | bytes]:
    return {"index": Path(block).read_bytes(), "video": Path(video)}


def _ranges(frames: int) -> list[list[int]]:
    return [[first, min(first + CHUNK, frames) - 1] for first in range(0, frames, CHUNK)]


def _named(function: str) -> Callable[..., Any]:
    module, _, name = function.partition(":")
    return cast("Callable[..., Any]", getattr(import_module(module), name))
