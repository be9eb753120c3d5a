"""Media of archives and PDF, read back through the addresses of their plans."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pytest
from backports import zstd
from frameyard.media.v1 import media_pb2
from yard.media.decode_image import decode_image
from yard.media.image_file import ImageFiles
from yard.media_ingest.settings import Settings
from yard.runtime import app, errors

from services.media_ingest.tests.contents import animation, clip, photo
from services.media_ingest.tests.neighbours import Client, TaskSide
from services.media_ingest.tests.plans import read_plan

FILES: dict[str, bytes] = {
    "b/10.jpg": photo(10),
    "b/9.png": photo(9, form="PNG"),
    "a/café.webp": photo(1, form="WEBP"),
    "a/10.jpg": photo(2, (40, 30)),
    "notes.txt": b"hello",
    "moving.gif": animation(2),
    "film.mp4": clip(),
}
ORDERED = [
    "a/10.jpg",
    "a/café.webp",
    "b/10.jpg",
    "b/9.png",
    "moving.gif/000000.png",
    "moving.gif/000001.png",
]


def zipped(files: Mapping[str, bytes] = FILES, method: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def deflated(files: Mapping[str, bytes] = FILES) -> bytes:
    return zipped(files, zipfile.ZIP_DEFLATED)


def tarred(files: Mapping[str, bytes] = FILES) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def document(pages: int) -> bytes:
    made = pypdfium2.PdfDocument.new()
    for page in range(pages):
        made.new_page(72 * (page + 1), 144)
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


async def check_frames(running: app.Running[Settings], media: media_pb2.Media) -> list[str]:
    """Every address leads to an image of its size; returns the names."""
    plan = await read_plan(running, media)
    blobs = running.runtime.blobs
    contents = []
    for source in plan.head.sources:
        content = await blobs.get(source.key, offset=source.offset, length=source.size_bytes)
        assert len(content) == source.size_bytes
        contents.append(content)
    files = ImageFiles(lambda number: io.BytesIO(contents[number]))
    for frame in plan.images:
        pixels = decode_image(files.read(frame), frame.name, page=frame.page)
        assert pixels.shape[:2] == (frame.height, frame.width), frame.name
    return plan.names


@pytest.mark.parametrize(
    "content",
    [
        zipped(),
        deflated(),
        tarred(),
        gzip.compress(tarred()),
        bz2.compress(tarred()),
        lzma.compress(tarred()),
        zstd.compress(tarred()),
    ],
    ids=["stored", "deflated", "tar", "gz", "bz2", "xz", "zst"],
)
async def test_images_of_an_archive_are_frames(
    content: bytes, ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media = await task.media(await ann.upload({"set": content, "read.me": b"about"}))
    assert (media.kind, media.size, media.width, media.height) == (media_pb2.MEDIA_KIND_IMAGES, 6, 40, 30)
    assert await check_frames(running, media) == ORDERED
    assert {file.name: file.reason for file in media.skipped} == {
        "read.me": "is neither an image nor a video",
        "notes.txt": "is not an image",
        "film.mp4": "is a video inside an archive: give it by itself",
    }


async def test_members_are_selected_and_ordered(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    names = ["b10", "b9", "a1", "c", "b11"]
    upload = await ann.upload({"a.zip": zipped({name: photo(n) for n, name in enumerate(names)})})
    natural: dict[str, Any] = {"sorting": media_pb2.SORTING_METHOD_NATURAL}
    media = await task.media(upload, start_frame=1, stop_frame=3, frame_step=2, **natural)
    assert await check_frames(running, media) == ["b9", "b11"]
    assert (media.source_frames, media.data.stop_frame) == (5, 3)
    media = await task.media(upload, sorting=media_pb2.SORTING_METHOD_PREDEFINED)
    assert await check_frames(running, media) == names
    shuffled: dict[str, Any] = {"sorting": media_pb2.SORTING_METHOD_RANDOM, "random_seed": 3}
    orders = [await check_frames(running, await task.media(upload, **shuffled)) for _ in range(2)]
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == sorted(names)
    assert media.data.sorting == media_pb2.SORTING_METHOD_PREDEFINED


async def test_a_page_of_a_pdf_is_a_frame(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    upload = await ann.upload({"a.pdf": document(12)})
    media = await task.media(upload, start_frame=1, frame_step=10)
    assert (media.size, media.source_frames, media.width, media.height) == (2, 12, 300, 300)
    plan = await read_plan(running, media)
    assert [(a.name, a.page, a.method) for a in plan.images] == [
        ("a.pdf/000001.png", 1, "page"),
        ("a.pdf/000011.png", 11, "page"),
    ]
    assert (await task.media(upload, start_frame=1, pdf_dpi=72)).width == 144


REFUSALS: list[tuple[dict[str, bytes], str, str]] = [
    ({"a.zip": zipped(), "b.jpg": photo()}, "a.zip", "is an archive among images such as b.jpg"),
    ({"a.zip": zipped(), "b.zip": zipped()}, "b.zip", "is a second archive besides a.zip"),
    ({"a.zip": zipped()[:-40]}, "a.zip", "is a zip without its directory"),
    ({"a.tgz": gzip.compress(tarred())[:-90]}, "a.tgz", "ends within its packed stream"),
    ({"a.tar": tarred()[:5000]}, "a.tar", "is a tar that ends within a member"),
    ({"a.zip": zipped({"x.txt": b"text"})}, "x.txt", "is not an image"),
    ({"a.zip": zipped({})}, "a.zip", "is empty"),
    ({"a.gz": gzip.compress(b"no tar" * 200)}, "a.gz", "is no tar, or one with a damaged header"),
    ({"a.pdf": b"%PDF-1.7 and so on"}, "a.pdf", "is not a PDF that can be read"),
]


@pytest.mark.parametrize(("files", "name", "words"), REFUSALS)
async def test_what_cannot_be_taken_is_named(
    files: dict[str, bytes], name: str, words: str, ann: Client, task: TaskSide
) -> None:
    fault = await task.refusal(await ann.upload(files))
    assert isinstance(fault, errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == [name]
    assert words in fault.message


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
async def test_a_bomb_is_refused(
    pack: Callable[[bytes], bytes], ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    bomb = {"a.bmp": bytes(80 << 20)}
    content = deflated(bomb) if pack is bytes else pack(tarred(bomb))
    fault = await task.refusal(await ann.upload({"bomb": content}))
    assert "bomb: the archive expands" in fault.message
    left = [blob.key async for blob in running.runtime.blobs.list("media/")]
    assert all(key.endswith("/results") for key in left)
