"""Frame truth in the demonstration: the number in each picture is read back and compared."""

import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from frameyard.media.v1 import media_pb2
from PIL import Image
from yard.client.pixels import Pixels
from yard.media.synthetic import read


class WrongPictureError(Exception):
    """A frame does not show its own number."""


async def check_chunks(
    pixels: Pixels, count: int, on_frames: Callable[[int], None], *, mp4: bool = False
) -> int:
    """Fetches the first `count` chunks, reads the number in every picture, returns how many were read."""
    size = (await pixels.grant()).data.chunk_size
    form = media_pb2.CHUNK_FORMAT_MP4 if mp4 else media_pb2.CHUNK_FORMAT_ZIP
    checked = 0
    for number in range(count):
        with tempfile.TemporaryFile() as file:
            header = (await pixels.chunk(number, file, form=form)).header
            file.seek(0)
            pictures = pictures_of_mp4(file) if mp4 else pictures_of_zip(file)
            found = _check(pictures, number * size)
        expected = header.frames.last - header.frames.first + 1
        if found != expected:
            raise WrongPictureError(f"chunk {number} has {found} pictures instead of {expected}")
        checked += found
        on_frames(found)
    return checked


def pictures_of_zip(file: BinaryIO) -> Iterator[np.ndarray]:
    """The pictures of a zip chunk in their order."""
    with zipfile.ZipFile(file) as archive:
        for name in sorted(archive.namelist()):
            with archive.open(name) as member:
                yield np.asarray(Image.open(member).convert("RGB"))


def pictures_of_mp4(file: BinaryIO) -> Iterator[np.ndarray]:
    """The pictures of an mp4 chunk in their order."""
    with av.open(file, "r") as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def save(content: bytes, target: Path) -> Path:
    """A picture to look at."""
    target.write_bytes(content)
    return target


def _check(pictures: Iterator[np.ndarray], first: int) -> int:
    count = 0
    for count, picture in enumerate(pictures, start=1):
        expected = first + count - 1
        if (shown := read(picture)) != expected:
            raise WrongPictureError(f"frame {expected} shows number {shown}")
    return count
