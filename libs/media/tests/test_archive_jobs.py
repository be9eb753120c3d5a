from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pytest
from backports import zstd
from PIL import Image
from yard.media import archive_jobs
from yard.media.batch_stream import BatchStream, IndexedBatch
from yard.media.decode_image import decode_image
from yard.media.errors import MediaError
from yard.media.image_file import ImageFiles
from yard.media.index_block import FRAMES_PER_BLOCK, ImageAddress, decode_frames

from libs.media.tests.hosts import MemoryHost, Source

LIMITS = {
    "members": 30_000,
    "member_bytes": 1 << 20,
    "total_bytes": 1 << 30,
    "expansion": 200,
    "pixels": 100_000,
    "pages": 50,
}


def picture(number: int, form: str = "JPEG", **options: Any) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (32 + number, 24), (number, 0, 0)).save(target, form, **options)
    return target.getvalue()


def animation(pages: int, form: str = "GIF") -> bytes:
    target = io.BytesIO()
    images = [Image.new("L", (32, 24 + page), 40 * page) for page in range(pages)]
    images[0].save(target, form, save_all=True, append_images=images[1:])
    return target.getvalue()


FILES: dict[str, bytes] = {
    "b/10.jpg": picture(10),
    "b/9.png": picture(9, "PNG"),
    "a/читать.webp": picture(3, "WEBP"),
    "notes.txt": b"hello",
    "empty.jpg": b"",
    "inner.zip": b"PK\x03\x04" + bytes(60),
    "turned.jpg": picture(1, exif=Image.Exif()),
    "pages.tif": animation(3, "TIFF"),
    "moving.gif": animation(2),
    "still.avif": picture(5, "AVIF"),
}
SKIPPED = {
    "notes.txt": "is not an image",
    "empty.jpg": "is empty",
    "inner.zip": "is an archive inside an archive, which is not unpacked",
}
FRAMES = [
    "b/10.jpg",
    "b/9.png",
    "a/читать.webp",
    "turned.jpg",
    *(f"pages.tif/{page:06d}.png" for page in range(3)),
    *(f"moving.gif/{page:06d}.png" for page in range(2)),
    "still.avif",
]


def zipped(method: int, files: Mapping[str, bytes] = FILES) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def tarred(files: Mapping[str, bytes] = FILES) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


class Indexed:
    """What a job has emitted."""

    def __init__(
        self,
        function: Callable[..., dict[str, Any]],
        content: bytes,
        *,
        piece: int = 1000,
        kept: bytes = b"",
        **arguments: Any,
    ) -> None:
        host = MemoryHost({"file": content, "kept": kept})
        given = {"name": "set", "limits": LIMITS, "done": 0, "packs": 0, "dpi": 72, "pack_bytes": 1 << 20}
        given |= {"batch_files": FRAMES_PER_BLOCK, "place": None, **arguments}
        function(given, host)
        self.batches: list[IndexedBatch] = []
        self.packs: list[bytes] = [b""]
        stream = BatchStream()
        for start in range(0, len(host.emitted), piece):
            for message in stream.feed(bytes(host.emitted[start : start + piece])):
                if isinstance(message, IndexedBatch):
                    self.batches.append(message)
                    self.packs.append(b"")
                elif isinstance(message, bytes):
                    self.packs[-1] += message

    @property
    def frames(self) -> list[ImageAddress]:
        return [frame for batch in self.batches for frame in decode_frames(batch.block)]

    @property
    def skipped(self) -> dict[str, str]:
        return {file["name"]: file["reason"] for batch in self.batches for file in batch.result["skipped"]}


def check_content(frames: list[ImageAddress], sources: list[bytes]) -> None:
    """Every address leads to its picture."""
    files = ImageFiles(lambda number: Source(sources[number]))  # type: ignore[arg-type, return-value]
    for frame in frames:
        pixels = decode_image(files.read(frame), frame.name, page=frame.page)
        assert pixels.shape[:2] == (frame.height, frame.width), frame.name
        assert frame.width != 32 or frame.page == pixels.max() // 40


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_frames_are_addressed_inside_a_zip(method: int) -> None:
    content = zipped(method)
    found = Indexed(archive_jobs.index_zip, content)
    assert [frame.name for frame in found.frames] == FRAMES
    assert found.skipped == SKIPPED
    assert found.batches[-1].result["is_last"]
    check_content(found.frames, [content])


def test_frames_are_addressed_inside_a_plain_tar() -> None:
    content = tarred()
    found = Indexed(archive_jobs.index_tar, content)
    assert [frame.name for frame in found.frames] == FRAMES
    assert found.skipped == SKIPPED
    assert found.packs == [b"", b""]
    check_content(found.frames, [content])


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd.compress])
def test_images_of_a_packed_tar_go_into_packs(pack: Callable[[bytes], bytes]) -> None:
    found = Indexed(archive_jobs.index_tar, pack(tarred()), packs=1)
    assert [frame.name for frame in found.frames] == FRAMES
    assert found.skipped == SKIPPED
    assert {frame.source for frame in found.frames} == {1}
    assert len(found.packs[0]) == sum(len(FILES[name]) for name in FILES if name not in SKIPPED)
    check_content(found.frames, [b"", found.packs[0]])


@pytest.mark.parametrize("bounds", [{"pack_bytes": 500}, {"batch_files": 2}])
def test_packs_end_when_they_are_full(bounds: dict[str, Any]) -> None:
    found = Indexed(archive_jobs.index_tar, gzip.compress(tarred()), piece=77, **bounds)
    assert len(found.batches) > 3
    assert [frame.name for frame in found.frames] == FRAMES
    check_content(found.frames, found.packs)
    assert [batch.result["is_last"] for batch in found.batches].count(True) == 1


@pytest.mark.parametrize(
    ("function", "content"),
    [(archive_jobs.index_zip, zipped(zipfile.ZIP_STORED)), (archive_jobs.index_tar, gzip.compress(tarred()))],
)
def test_what_is_done_is_passed_over(function: Callable[..., dict[str, Any]], content: bytes) -> None:
    whole = Indexed(function, content)
    for done in range(len(FILES) + 1):
        rest = Indexed(function, content, done=done)
        first = list(FILES)[:done]
        names = [name for name in FRAMES if not any(name.startswith(file) for file in first)]
        assert [frame.name for frame in rest.frames] == names
        assert sum(batch.result["files"] for batch in rest.batches) == len(FILES) - done
        assert rest.skipped == {name: why for name, why in whole.skipped.items() if name not in first}


def test_batches_hold_at_most_a_block() -> None:
    one = picture(1)
    content = zipped(zipfile.ZIP_STORED, {f"{number:05d}.jpg": one for number in range(FRAMES_PER_BLOCK + 5)})
    found = Indexed(archive_jobs.index_zip, content, piece=1 << 20)
    assert [batch.result["count"] for batch in found.batches] == [FRAMES_PER_BLOCK, 5]
    assert [batch.result["is_last"] for batch in found.batches] == [False, True]


def test_limits_hold_for_each_image_and_for_all() -> None:
    files = {
        "large.png": picture(9_000, "PNG"),
        "many.gif": animation(6),
        "long.jpg": picture(1) + bytes(2000),
    }
    content = zipped(zipfile.ZIP_STORED, files)
    found = Indexed(archive_jobs.index_zip, content, limits={**LIMITS, "pages": 5, "member_bytes": 1500})
    assert found.frames == []
    assert "pixels" in found.skipped["large.png"] or "more than 1500" in found.skipped["large.png"]
    assert found.skipped["many.gif"] == "has more than 5 pages"
    assert "more than 1500" in found.skipped["long.jpg"]
    with pytest.raises(MediaError, match=r"^set: the archive has more than 2 members"):
        Indexed(archive_jobs.index_zip, content, limits={**LIMITS, "members": 2})


def test_a_damaged_archive_is_named() -> None:
    with pytest.raises(MediaError, match=r"^set: is a zip without its directory"):
        Indexed(archive_jobs.index_zip, zipped(zipfile.ZIP_STORED)[:-30])
    with pytest.raises(MediaError, match=r"^set: ends within its packed stream"):
        Indexed(archive_jobs.index_tar, gzip.compress(tarred())[:-40])


def test_a_page_of_a_pdf_is_a_frame() -> None:
    document = pypdfium2.PdfDocument.new()
    for page in range(3):
        document.new_page(72 * (page + 1), 144)
    target = io.BytesIO()
    document.save(target)
    found = Indexed(archive_jobs.index_pdf, target.getvalue(), dpi=100, name="a.pdf")
    assert [(f.name, f.width, f.height, f.page, f.method) for f in found.frames] == [
        (f"a.pdf/{page:06d}.png", 100 * (page + 1), 200, page, "page") for page in range(3)
    ]


def long_named(names: Iterable[str]) -> bytes:
    """With an entry of its own for each long name."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for number, name in enumerate(names):
            content = picture(number % 20)
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


@pytest.mark.parametrize("content", [tarred(), long_named(f"{n % 25:0120d}.jpg" for n in range(40))])
def test_a_plain_tar_is_entered_where_a_batch_ended(content: bytes) -> None:
    whole = Indexed(archive_jobs.index_tar, content, batch_files=3)
    assert len(whole.batches) > 3
    for number, batch in enumerate(whole.batches[:-1], 1):
        before = whole.batches[:number]
        blocks = [each.block for each in before]
        place = batch.result["place"]
        rest = Indexed(
            archive_jobs.index_tar,
            # What lies before the place is not looked at.
            content[:512] + b"\xff" * (place["offset"] - 512) + content[place["offset"] :],
            batch_files=3,
            place=place,
            done=sum(each.result["files"] for each in before),
            kept=b"".join(blocks),
            kept_bytes=[len(block) for block in blocks],
        )
        assert rest.batches == whole.batches[number:]


def test_a_tar_with_common_headers_is_read_from_its_start() -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", pax_headers={"path": "all.jpg"}) as archive:
        for number in range(6):
            entry = tarfile.TarInfo(f"{number}.jpg")
            entry.size = len(picture(number))
            archive.addfile(entry, io.BytesIO(picture(number)))
    found = Indexed(archive_jobs.index_tar, target.getvalue(), batch_files=2)
    assert [batch.result["place"] for batch in found.batches[:-1]] == [None] * (len(found.batches) - 1)
