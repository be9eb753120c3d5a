"""The straightforward way of images: what a program does that knows Pillow and zipfile."""

import io
import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageOps

T = TypeVar("T")


def zip_images(images: list[str], quality: int, chunk: int, folder: str) -> int:
    """Images, upright, as JPEGs in zips of `chunk`; returns their bytes."""
    total = 0
    for number, pictures in enumerate(chunks((_upright(path) for path in images), chunk)):
        total += write_zip(Path(folder) / f"{number}.zip", pictures, quality)
    return total


def chunks(pictures: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of that size, the last one shorter."""
    iterator = iter(pictures)
    while chunk := list(islice(iterator, size)):
        yield chunk


def write_zip(path: Path, pictures: list[Image.Image], quality: int) -> int:
    """Pictures as JPEGs in a zip; returns its length in bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, picture in enumerate(pictures):
            archive.writestr(f"{number:06d}.jpeg", jpeg(picture, quality))
    return path.stat().st_size


def jpeg(picture: Image.Image, quality: int) -> bytes:
    """As small as Pillow makes it."""
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=quality, optimize=True)
    return target.getvalue()


def _upright(path: str) -> Image.Image:
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")
