"""Frames inside archives and documents show their own numbers, wherever they lie in them."""

import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from frameyard.chunk.v1 import chunk_service_pb2 as chunks
from frameyard.media.v1 import media_pb2
from PIL import Image
from yard.client import Client
from yard.client.pixels import Pixels
from yard.media import synthetic

from tests.e2e.test_frame_truth import numbers_of_chunks, shown_in, task_with

COUNT = 11
SIZE = (160, 120)
NAMES = [f"{'ab'[number % 2]}/путь/{number:02d}" for number in range(COUNT)]
IN_ORDER = [*range(0, COUNT, 2), *range(1, COUNT, 2)]


def picture(number: int) -> Image.Image:
    return Image.fromarray(synthetic.numbered_scene(number, SIZE))


def encoded(number: int, form: str) -> bytes:
    target = io.BytesIO()
    picture(number).save(target, form)
    return target.getvalue()


def files() -> dict[str, bytes]:
    """Single images, but for the last two, which are the pages of one TIFF."""
    forms = ("JPEG", "PNG", "WEBP")
    found = {NAMES[number]: encoded(number, forms[number % 3]) for number in range(COUNT - 2)}
    target = io.BytesIO()
    picture(COUNT - 2).save(target, "TIFF", save_all=True, append_images=[picture(COUNT - 1)])
    return {**found, "z.tif": target.getvalue()}


def zipped(path: Path, method: int) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files().items():
            archive.writestr(name, content)


def tarred(path: Path, pack: Callable[[bytes], bytes]) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files().items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    path.write_bytes(pack(target.getvalue()))


ARCHIVES: dict[str, Callable[[Path], None]] = {
    "stored.zip": lambda path: zipped(path, zipfile.ZIP_STORED),
    "deflated.zip": lambda path: zipped(path, zipfile.ZIP_DEFLATED),
    "plain.tar": lambda path: tarred(path, bytes),
    "packed.tar.gz": lambda path: tarred(path, gzip.compress),
    "packed.tar.xz": lambda path: tarred(path, lzma.compress),
}


@pytest.mark.parametrize("name", ARCHIVES)
async def test_members_of_an_archive_show_their_numbers(client: Client, tmp_path: Path, name: str) -> None:
    ARCHIVES[name](tmp_path / name)
    single = [number for number in IN_ORDER if number < COUNT - 2]
    expected = [*single, COUNT - 2, COUNT - 1]
    task = await task_with(client, tmp_path / name)
    pixels = Pixels(client, task_id=task.id)
    assert await numbers_of_chunks(pixels, 2, media_pb2.CHUNK_FORMAT_ZIP) == expected
    originals = [await pixels.frame(frame, quality=chunks.QUALITY_ORIGINAL) for frame in range(COUNT)]
    assert [shown_in(frame.content) for frame in originals] == expected
    stepped = await task_with(client, tmp_path / name, start_frame=1, stop_frame=9, frame_step=3)
    shown = await numbers_of_chunks(Pixels(client, task_id=stepped.id), 1, media_pb2.CHUNK_FORMAT_ZIP)
    assert shown == expected[1:10:3]


async def test_pages_of_a_document_show_their_numbers(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "book.pdf"
    first, *others = (picture(number) for number in range(COUNT))
    first.save(path, "PDF", save_all=True, append_images=others, resolution=72, quality=95)
    task = await task_with(client, path, pdf_dpi=72)
    assert (task.width, task.height) == SIZE
    pixels = Pixels(client, task_id=task.id)
    assert await numbers_of_chunks(pixels, 2, media_pb2.CHUNK_FORMAT_ZIP) == list(range(COUNT))
