"""Makes manifest.jsonl of files on this machine, offline: `python -m yard.media.manifest_tool --help`.

Images are read by their headers, videos by their packets; nothing is decoded.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, get_args

import av
import numpy as np
from yard.media.errors import MediaError
from yard.media.image_index import index_image
from yard.media.manifest import (
    ManifestImage,
    ManifestKeyframe,
    ManifestVideo,
    write_images,
    write_video,
)
from yard.media.name_order import Order, arranged
from yard.media.sniff import HEAD_BYTES, sniff
from yard.media.video_index import VideoIndex, index_video

Tell = Callable[[str], object]
Named = tuple[str, Path]

MANIFEST_SUFFIX = ".jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if a manifest is written."""
    parser = argparse.ArgumentParser(prog="manifest", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, help="images and folders, or one video")
    parser.add_argument("-o", "--output", type=Path, help="file to write; default: standard output")
    parser.add_argument("--sorting", choices=get_args(Order)[:3], default="lexicographical")
    chosen = parser.parse_args(arguments)
    try:
        pieces = manifest_of(chosen.paths, chosen.sorting, lambda line: sys.stderr.write(f"{line}\n"))
        _write(pieces, chosen.output)
    except (MediaError, OSError) as fault:
        sys.stderr.write(f"error: {fault}\n")
        return 1
    return 0


def manifest_of(paths: Sequence[Path], sorting: Order, tell: Tell) -> Iterator[bytes]:
    """The pieces of a manifest; names are below the folder if just one is given, else as an upload has them.

    Files that are no media are left out, and told of. MediaError if nothing is left.
    """
    files = named_files(paths)
    kinds = {name: _family(path) for name, path in files}
    videos = [(name, path) for name, path in files if kinds[name] == "video"]
    if videos and len(files) > 1:
        raise MediaError("unsupported", "give one video, or images alone", videos[0][0])
    if videos:
        [(name, path)] = videos
        with path.open("rb") as file:
            index = _video_index(file, name)
        return write_video(_described(name, index), _keyframes(index))
    order = arranged([name.encode("utf-8", "surrogatepass") for name, _ in files], sorting, 0)
    images = _images((files[position] for position in order), kinds, tell)
    first = next(images, None)
    if first is None:
        raise MediaError("invalid_media", "there is no image and no video")
    return write_images(_chained(first, images))


def named_files(paths: Sequence[Path]) -> list[Named]:
    """Each file with its name for the platform; those of folders in the order of their names."""
    found: list[Named] = []
    for path in paths:
        if path.is_dir():
            root = "" if len(paths) == 1 else f"{path.resolve().name}/"
            inside = sorted(entry for entry in path.rglob("*") if entry.is_file())
            found += [(root + entry.relative_to(path).as_posix(), entry) for entry in inside]
        else:
            found.append((path.name, path))
    return [(name, path) for name, path in found if not name.lower().endswith(MANIFEST_SUFFIX)]


def _family(path: Path) -> str:
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD_BYTES))
    return "" if kind is None else kind.family


def _images(files: Iterable[Named], kinds: dict[str, str], tell: Tell) -> Iterator[ManifestImage]:
    for name, path in files:
        if kinds[name] != "image":
            tell(f"skipped: {name}: is no image")
            continue
        try:
            with path.open("rb") as file:
                frames = index_image(file, name)
        except MediaError as fault:
            tell(f"skipped: {name}: {fault}")
            continue
        for frame in frames:
            yield ManifestImage(name=frame.name, width=frame.width, height=frame.height)


def _video_index(file: BinaryIO, name: str) -> VideoIndex:
    try:
        return index_video(file, name)
    except av.FFmpegError as fault:
        raise MediaError("invalid_media", f"cannot be read ({fault.strerror})", name) from fault


def _described(name: str, index: VideoIndex) -> ManifestVideo:
    return ManifestVideo(name=name, width=index.width, height=index.height, frames=index.frames)


def _keyframes(index: VideoIndex) -> Iterator[ManifestKeyframe]:
    """Those that are shown."""
    times = np.intersect1d(index.keyframes[:, 0], index.pts)
    for number in np.searchsorted(index.pts, times).tolist():
        yield ManifestKeyframe(number=number, pts=int(index.pts[number]))


def _chained(first: ManifestImage, rest: Iterator[ManifestImage]) -> Iterator[ManifestImage]:
    yield first
    yield from rest


def _write(pieces: Iterator[bytes], output: Path | None) -> None:
    if output is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        return
    partial = output.with_name(f".{output.name}.part")
    try:
        with partial.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
