"""The functions of child processes, run in this one."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from yard.media import image_chunks, video_chunks
from yard.media.claims import CLAIMED
from yard.media.errors import MediaError
from yard.media.hard_clips import FRAMES, make_clip
from yard.media.image_file import ImageFiles
from yard.media.index_block import ImageAddress, encode_video
from yard.media.parallel import in_order
from yard.media.synthetic import numbered_scene, read
from yard.media.video_index import index_video

from libs.media.tests.hosts import MemoryHost


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip("open_gop", tmp_path_factory.mktemp("clips"))


@pytest.fixture
def host(clip: Path) -> MemoryHost:
    content = clip.read_bytes()
    return MemoryHost({"video": content, "index": encode_video(index_video(io.BytesIO(content), "clip"))})


def wanted(**fields: Any) -> dict[str, Any]:
    return {"name": "clip", "start": 0, "step": 1, "first": 0, "last": 9, "quality": 70, **fields}


def numbers(content: bytes) -> list[int]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [number_in(archive.read(name)) for name in archive.namelist()]


def number_in(content: bytes) -> int:
    return read(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))


def test_a_selection_is_counted_in_relative_frames(host: MemoryHost) -> None:
    result = video_chunks.video_zip(wanted(start=4, step=5, first=1, last=3), host)
    assert result == {"width": 320, "height": 240, "corrupt": []}
    assert numbers(bytes(host.emitted)) == [9, 14, 19]


def test_equal_frames_give_equal_bytes(host: MemoryHost, clip: Path) -> None:
    again = MemoryHost(host.sources)
    for each in (host, again):
        video_chunks.video_zip(wanted(), each)
    assert host.emitted == again.emitted


def test_frames_leave_while_later_ones_are_not_even_decoded(host: MemoryHost) -> None:
    class Impatient(MemoryHost):
        def emit(self, chunk: bytes, /) -> None:
            raise StopAsyncIteration(chunk)

    with pytest.raises(StopAsyncIteration) as stopped:
        video_chunks.video_zip(wanted(last=FRAMES - 1), Impatient(host.sources))
    piece = stopped.value.args[0]
    assert number_in(piece[piece.index(b"\xff\xd8") :]) == 0


def test_only_a_few_items_are_taken_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = in_order(lambda number: number * 2, items(), threads=2)
    assert [next(results) for _ in range(3)] == [0, 2, 4]
    assert len(taken) <= 6
    results.close()  # type: ignore[attr-defined]
    assert list(in_order(lambda number: -number, range(50), threads=3)) == [-number for number in range(50)]


def test_a_fault_of_one_item_ends_it_all() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda number: 1 // (number - 3), range(10), threads=2))


@pytest.mark.parametrize("look", ["jpeg", "png", "preview", "original"])
def test_single_pictures(host: MemoryHost, look: str) -> None:
    result = video_chunks.video_frame(wanted(first=17, last=17, look=look), host)
    assert number_in(bytes(host.emitted)) == 17
    size = Image.open(io.BytesIO(host.emitted)).size
    assert (result["width"], result["height"]) == size
    assert result["content_type"] == ("image/png" if look in {"png", "original"} else "image/jpeg")


def test_a_file_that_is_no_video_is_named(host: MemoryHost) -> None:
    sources = {**host.sources, "video": b"text" * 1000}
    with pytest.raises(MediaError) as refused:
        video_chunks.video_zip(wanted(), MemoryHost(sources))
    assert (refused.value.code, refused.value.name) == ("invalid_media", "clip")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (ImageAddress(name="a", method="stored", offset=5, length=10), "ends after 4 of 10"),
        (ImageAddress(name="a", method="deflated", offset=0, length=9), "does not unpack"),
        (ImageAddress(name="a", method="stored", offset=0, length=1 << 40), "longer than 512 MiB"),
    ],
)
def test_addresses_that_lie_are_refused(address: ImageAddress, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        ImageFiles(lambda _: io.BytesIO(b"123456789")).read(address)


def test_sizes_of_a_manifest_are_checked_when_images_are_read() -> None:
    content = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 48)).save(content, "JPEG", exif=exif)
    image = {"name": "a.jpg", "width": 48, "height": 64, "orientation": CLAIMED}
    for look in ("jpeg", "original", "png", "preview"):
        arguments = {"images": [image], "look": look, "quality": 100}
        result = image_chunks.image_frame(arguments, MemoryHost({"0": content.getvalue()}))
        assert (result["width"], result["height"]) == (48, 64), look
        wrong = {**arguments, "images": [{**image, "width": 64}]}
        with pytest.raises(MediaError, match=r"a\.jpg: is 48x64 pixels, but the manifest says 64x64"):
            image_chunks.image_zip(wrong, MemoryHost({"0": content.getvalue()}))


def test_an_original_avif_is_called_so() -> None:
    content = io.BytesIO()
    Image.fromarray(numbered_scene(3, (320, 240))).save(content, "AVIF")
    host = MemoryHost({"0": content.getvalue()})
    image = asdict(ImageAddress(name="a.avif", width=320, height=240))
    result = image_chunks.image_frame({"images": [image], "look": "original", "quality": 70}, host)
    assert (result["content_type"], bytes(host.emitted)) == ("image/avif", content.getvalue())
