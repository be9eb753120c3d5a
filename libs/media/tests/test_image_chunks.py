import io
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from PIL import Image
from yard.media import image_chunks
from yard.media.chunk_results import Result
from yard.media.claims import CLAIMED
from yard.media.encode_jpeg import Pixels
from yard.media.errors import MediaError
from yard.media.framed import Content, FrameParser
from yard.media.image_endings import CUT_OFF
from yard.media.index_block import ImageAddress
from yard.media.synthetic import numbered_scene, read
from yard.runtime.workers import BytesSource, Pool

from libs.media.tests.hosts import MemoryHost

SIZE = (320, 240)
WIDTH, HEIGHT = SIZE
COUNT = 7
BAD = 3


def picture(number: int, form: str = "PNG", **options: Any) -> bytes:
    target = io.BytesIO()
    Image.fromarray(numbered_scene(number, SIZE)).save(target, form, **options)
    return target.getvalue()


def album(form: str = "PNG", **options: Any) -> tuple[MemoryHost, list[dict[str, Any]]]:
    """Image n shows number n, but that of `BAD` does not decode."""
    contents = [picture(number, form, **options) for number in range(COUNT)]
    contents[BAD] = contents[BAD][:12] + bytes(300)
    images = [
        asdict(ImageAddress(name=f"folder/{number}.png", source=number, width=WIDTH, height=HEIGHT))
        for number in range(COUNT)
    ]
    return MemoryHost({str(number): content for number, content in enumerate(contents)}), images


def members(content: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return [(name, archive.read(name)) for name in archive.namelist()]


def pixels_of(content: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def damaged(result: Mapping[str, Any]) -> list[int]:
    assert all("folder/3.png: cannot be decoded" in reason for _, reason in result["corrupt"])
    return [frame for frame, _ in result["corrupt"]]


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_an_image_that_does_not_decode_keeps_its_number(form: str) -> None:
    host, images = album(form)
    arguments = {"images": images, "look": "jpeg", "quality": 70, "first": 100}
    result = image_chunks.image_zip(arguments, host)
    shown = [pixels_of(content) for _, content in members(bytes(host.emitted))]
    assert [read(pixels) for number, pixels in enumerate(shown) if number != BAD] == [0, 1, 2, 4, 5, 6]
    assert shown[BAD].shape == (HEIGHT, WIDTH, 3)
    assert shown[BAD].max() > 200, "it says something"
    assert damaged(result) == [103]
    assert (result["width"], result["height"]) == SIZE


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_an_image_that_is_cut_off_is_shown_as_far_as_it_goes_and_listed(form: str) -> None:
    whole = picture(1, form)
    images = [asdict(ImageAddress(name=f"{n}", source=n, width=WIDTH, height=HEIGHT)) for n in range(2)]
    host = MemoryHost({"0": whole, "1": whole[: len(whole) * 3 // 4]})
    result = image_chunks.image_zip({"images": images, "look": "jpeg", "quality": 70, "first": 8}, host)
    assert result["corrupt"] == [[9, f"1: {CUT_OFF}"]]
    assert {pixels_of(content).shape for _, content in members(bytes(host.emitted))} == {(HEIGHT, WIDTH, 3)}


def test_originals_are_the_sources_bytes_unless_they_are_no_images() -> None:
    host, images = album()
    result = image_chunks.image_zip({"images": images, "look": "original", "quality": 100}, host)
    assert [content for _, content in members(bytes(host.emitted))] == [*host.sources.values()]
    assert damaged(result) == []
    host = MemoryHost({**host.sources, "2": b"text"})
    result = image_chunks.image_zip({"images": images, "look": "original", "quality": 100}, host)
    found = members(bytes(host.emitted))
    assert [content == host.sources[str(number)] for number, (_, content) in enumerate(found)] == [
        number != 2 for number in range(COUNT)
    ]
    assert found[2][0] == "000002.png"
    assert result["corrupt"] == [[2, "folder/2.png: is not an image"]]


@pytest.mark.parametrize(
    ("look", "size", "kind"),
    [("jpeg", SIZE, "image/jpeg"), ("png", SIZE, "image/png"), ("preview", (256, 192), "image/jpeg")],
)
def test_a_single_frame_that_does_not_decode(look: str, size: tuple[int, int], kind: str) -> None:
    host, images = album()
    arguments = {"images": [images[BAD]], "look": look, "quality": 70, "first": 9}
    result = image_chunks.image_frame(arguments, host)
    assert Image.open(io.BytesIO(host.emitted)).size == size == (result["width"], result["height"])
    assert result["content_type"] == kind
    assert damaged(result) == [9]


def test_a_placeholder_has_some_size_even_if_nobody_knows_it() -> None:
    host, images = album()
    image = {**images[BAD], "width": 0, "height": 0, "orientation": CLAIMED}
    result = image_chunks.image_frame({"images": [image], "look": "jpeg", "quality": 70}, host)
    assert (result["width"], result["height"]) == (640, 480)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"orientation": CLAIMED, "width": 319}, "but the manifest says 319x240"),
        ({"method": "stored", "length": 1 << 20}, "ends after"),
        ({"method": "stored", "length": 1 << 40}, "longer than"),
    ],
)
def test_lies_and_what_is_not_there_in_full_end_the_chunk(change: dict[str, Any], message: str) -> None:
    host, images = album()
    images[1] |= change
    with pytest.raises(MediaError, match=message):
        image_chunks.image_zip({"images": images, "look": "jpeg", "quality": 70}, host)


def test_a_member_that_does_not_unpack_is_damaged() -> None:
    image = asdict(ImageAddress(name="a.zip/b.png", width=64, height=48, method="deflated", length=9))
    result = image_chunks.image_frame(
        {"images": [image], "look": "jpeg", "quality": 70}, MemoryHost({"0": b"\xff" * 9})
    )
    assert str(result["corrupt"]).startswith("[[0, 'a.zip/b.png: does not unpack: ")


def run_of(
    host: MemoryHost, images: list[dict[str, Any]], chunks: list[list[int]]
) -> list[tuple[bytes, Result]]:
    arguments = {"images": images, "look": "jpeg", "quality": 70, "chunks": chunks}
    image_chunks.image_zip_run(arguments, host)
    parser = FrameParser(len(chunks))
    contents, ends = [b""] * len(chunks), []
    for frame in parser.feed(bytes(host.emitted)):
        if isinstance(frame, Content):
            contents[frame.chunk] += frame.piece
        else:
            ends.append(frame.result)
    parser.finish()
    return list(zip(contents, ends, strict=True))


def test_a_run_of_chunks_is_what_its_chunks_are() -> None:
    host, images = album()
    chunks = [[10, 11], [12, 14], [15, 16]]
    made = run_of(host, images, chunks)
    for (first, last), (content, result) in zip(chunks, made, strict=True):
        alone = MemoryHost(host.sources)
        own = {"images": images[first - 10 : last - 9], "look": "jpeg", "quality": 70, "first": first}
        assert (image_chunks.image_zip(own, alone), bytes(alone.emitted)) == (result, content)
    assert [damaged(result) for _, result in made] == [[], [13], []]


async def test_placeholders_are_drawn_in_child_processes_too() -> None:
    host, images = album()
    sources = {name: BytesSource(content) for name, content in host.sources.items()}
    arguments = {"images": images, "look": "jpeg", "quality": 70}
    emitted = bytearray()

    async def keep(piece: bytes) -> None:
        emitted.extend(piece)

    async with Pool(
        processes=1, memory_mib=512, timeout_s=20.0, preload=("yard.media.image_chunks",)
    ) as pool:
        result = await pool.call(
            "yard.media.image_chunks:image_zip", arguments, sources=sources, on_bytes=keep
        )
    assert damaged(result) == [BAD]
    image_chunks.image_zip(arguments, host)
    assert emitted == host.emitted
