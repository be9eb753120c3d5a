"""Indexing as jobs of child processes: bytes come through the host, the index block leaves through it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BufferedReader, RawIOBase
from typing import Any

from yard.media import video_index
from yard.media.errors import MediaError
from yard.media.image_facts import ImageLimits
from yard.media.image_file import LARGEST_FILE_BYTES
from yard.media.image_header import DEFAULT_LIMITS
from yard.media.image_index import index_image
from yard.media.index_block import FRAMES_PER_BLOCK, ImageAddress, encode_frames, encode_video
from yard.media.job_host import Arguments, Host
from yard.media.part_file import PartFile

THREADS = 8
"""Images that are asked for at the same time: their bytes come from afar."""


def index_video(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Emits the index block of the video in the source "file", whose label is the argument `name`.

    Returns frames, width, height (upright, pixels) and warnings. MediaError when it shows nothing.
    """
    with _Watched(host.open("file"), host) as file:
        index = video_index.index_video(file, arguments["name"])
    host.emit(encode_video(index))
    return {
        "frames": index.frames,
        "width": index.width,
        "height": index.height,
        "warnings": list(index.warnings),
    }


def index_images(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Emits one frame block of images.

    The argument `files` describes them: name, source (number in the addresses), size (bytes), and the source
    of the call that they lie in, `file`, from `offset` on; what lies in one source is read in its order.
    Returns files (so many are done, at least one: pages may fill the block before the last file), count
    (frames in the block) and skipped (name and reason of files that are no images).
    """
    files: Sequence[Mapping[str, Any]] = arguments["files"]
    limits = replace(DEFAULT_LIMITS, **arguments.get("limits", {}))
    limits = replace(limits, pages=min(limits.pages, FRAMES_PER_BLOCK))
    frames: list[ImageAddress] = []
    skipped: list[dict[str, str]] = []
    done = 0
    for file, found in zip(files, _read_all(files, limits, host), strict=True):
        if isinstance(found, MediaError):
            skipped.append({"name": file["name"], "reason": found.message})
        elif found is None or len(frames) + len(found) > FRAMES_PER_BLOCK:
            break
        else:
            frames += found
        done += 1
    host.emit(encode_frames([replace(frame, order=order) for order, frame in enumerate(frames)]))
    return {"files": done, "count": len(frames), "skipped": skipped}


_Found = list[ImageAddress] | MediaError


def _read_all(files: Sequence[Mapping[str, Any]], limits: ImageLimits, host: Host) -> list[_Found | None]:
    """What each file holds, or what is wrong with it; None when more was found than a block holds."""
    numbers: dict[str, list[int]] = {}
    found: dict[int, _Found] = {}
    total = 0
    for number, file in enumerate(files):
        numbers.setdefault(file["file"], []).append(number)

    def read(name: str) -> None:
        nonlocal total
        with host.open(name) as raw:
            for number in sorted(numbers[name], key=lambda number: int(files[number]["offset"])):
                if total > FRAMES_PER_BLOCK and number:
                    return
                found[number] = read_now = _read(files[number], limits, raw)
                total += 0 if isinstance(read_now, MediaError) else len(read_now)

    with ThreadPoolExecutor(THREADS) as threads:
        for _ in threads.map(read, numbers):
            pass
    return [found.get(number) for number in range(len(files))]


def _read(described: Mapping[str, Any], limits: ImageLimits, raw: RawIOBase) -> _Found:
    size: int = described["size"]
    if size > LARGEST_FILE_BYTES:
        return MediaError("limit", f"is longer than {LARGEST_FILE_BYTES >> 20} MiB")
    try:
        file = BufferedReader(PartFile(raw, described["offset"], size))
        frames = index_image(file, described["name"], limits)
    except MediaError as fault:
        return fault
    source = described["source"]
    return [replace(frame, source=source, size=0 if frame.method == "page" else size) for frame in frames]


class _Watched(BufferedReader):
    """Tells the host how much of a source has been read."""

    def __init__(self, raw: RawIOBase, host: Host) -> None:
        super().__init__(raw)
        self._host = host
        self._bytes = self.seek(0, 2) or 1
        self._read = 0
        self.seek(0)

    def read(self, size: int | None = -1) -> bytes:
        """As any file; some parts may be read twice."""
        content = super().read(size)
        self._read += len(content)
        self._host.progress(min(0.99, self._read / self._bytes))
        return content
