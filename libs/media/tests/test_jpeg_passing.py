import io
import random
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from PIL import Image
from yard.media import image_chunks
from yard.media.encode_jpeg import encode_rgb
from yard.media.index_block import ImageAddress
from yard.media.jpeg_layout import jpeg_layout
from yard.media.jpeg_passing import may_pass
from yard.media.synthetic import numbered_scene, scene

from libs.media.tests.hosts import MemoryHost
from libs.media.tests.profiles import ADOBE_GAMMA, ADOBE_RGB, SRGB, rgb_profile

SIZE = (320, 240)


def jpeg(quality: int, mode: str = "RGB", **options: Any) -> bytes:
    target = io.BytesIO()
    image = Image.fromarray(numbered_scene(1, SIZE)).convert(mode)
    image.save(target, "JPEG", **{"quality": quality, "subsampling": "4:2:0", **options})
    return target.getvalue()


def shown(content: bytes, quality: int, orientation: int = 1) -> bytes:
    image = asdict(ImageAddress(name="a.jpg", width=320, height=240, orientation=orientation))
    host = MemoryHost({"0": content})
    image_chunks.image_frame({"images": [image], "look": "jpeg", "quality": quality}, host)
    return bytes(host.emitted)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}, {"mode": "L"}])
def test_a_jpeg_that_is_coarse_enough_is_not_encoded_again(options: dict[str, Any]) -> None:
    content = jpeg(70, **options)
    assert shown(content, 70) == content
    assert shown(content, 85) == content
    again = shown(content, 69)
    assert again != content
    assert len(again) < len(content) or "optimize" in options or "progressive" in options


@pytest.mark.parametrize("quality", [30, 50, 75, 95])
def test_what_passes_is_no_larger_than_what_we_would_make_of_it(quality: int) -> None:
    content = jpeg(quality)
    pixels = np.asarray(Image.open(io.BytesIO(content)))
    assert may_pass(content, jpeg_layout(content), quality)
    assert len(content) <= len(encode_rgb(pixels, quality)) * 1.02


@pytest.mark.parametrize(
    "content",
    [
        jpeg(60, subsampling="4:4:4"),
        jpeg(60, subsampling="4:2:2"),
        jpeg(60, mode="CMYK"),
        jpeg(60, icc_profile=rgb_profile(ADOBE_RGB, ADOBE_GAMMA)),
        jpeg(60) + bytes(70_000),
        jpeg(60, comment=b"x" * 60_000, exif=b"Exif\0\0" + bytes(60_000)),
        jpeg(60)[:-2],
    ],
    ids=["4:4:4", "4:2:2", "cmyk", "other colours", "something behind", "much before", "no end"],
)
def test_others_are_encoded_again(content: bytes) -> None:
    assert not may_pass(content, jpeg_layout(content), 70)
    assert shown(content, 70) != content


def test_turned_pictures_are_encoded_again() -> None:
    content = jpeg(60)
    assert shown(content, 70, orientation=3) != content
    assert shown(content, 100, orientation=3) != content


def test_a_profile_that_changes_nothing_does_not_matter() -> None:
    content = jpeg(60, icc_profile=rgb_profile(SRGB))
    assert shown(content, 70) == content


@pytest.mark.parametrize("options", [{"subsampling": "4:4:4"}, {"mode": "CMYK"}, {"quality": 100}])
def test_at_quality_100_whole_jpegs_pass(options: dict[str, Any]) -> None:
    content = jpeg(**{"quality": 95, **options}) + b"anything behind"
    assert shown(content, 100) == content


def test_at_quality_100_damaged_ones_do_not() -> None:
    content = jpeg(90)
    cut = shown(content[: len(content) // 2], 100)
    assert Image.open(io.BytesIO(cut)).size == SIZE
    assert shown(b"\xff\xd8\xff\xe0 no picture", 100).startswith(b"\xff\xd8")


def test_layouts_of_damaged_headers_are_whatever_they_are() -> None:
    whole = jpeg(80, icc_profile=rgb_profile(SRGB))
    header = whole[: jpeg_layout(whole).scan + 20]
    generator = random.Random(5)
    for length in range(0, len(header), 7):
        assert not may_pass(header[:length], jpeg_layout(header[:length]), 90)
    for _ in range(2000):
        damaged = bytearray(header)
        for _ in range(3):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        may_pass(bytes(damaged), jpeg_layout(bytes(damaged)), generator.choice((70, 100)))


def test_tables_of_sixteen_bits_are_read() -> None:
    content = jpeg(90)
    start = content.index(b"\xff\xdb\x00\x43\x00") + 5
    steps = content[start : start + 64]
    wide = b"\xff\xdb\x00\x83\x10" + b"".join(bytes((0, step)) for step in steps)
    rewritten = content[: start - 5] + wide + content[start + 64 :]
    assert jpeg_layout(rewritten).tables[0] == tuple(steps) == tuple(jpeg_layout(content).tables[0])


def test_thinned_out_colours_stay_when_they_are_thinned_out_again() -> None:
    """Encoding what has been encoded with the same steps loses next to nothing."""
    pixels = scene(320, 240)
    once = encode_rgb(pixels, 80)
    image = asdict(ImageAddress(name="a.jpg", width=320, height=240))
    host = MemoryHost({"0": once + bytes(70_000)})
    image_chunks.image_frame({"images": [image], "look": "jpeg", "quality": 80}, host)
    first, second = (
        np.asarray(Image.open(io.BytesIO(each)).convert("YCbCr")).astype(int) for each in (once, host.emitted)
    )
    assert np.abs(first - second).mean((0, 1)).max() < 0.5
