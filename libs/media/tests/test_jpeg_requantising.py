import io
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from PIL import Image
from yard.media import image_chunks
from yard.media.index_block import ImageAddress
from yard.media.jpeg_layout import jpeg_layout
from yard.media.jpeg_requantising import requantised
from yard.media.synthetic import scene

from libs.media.tests.hosts import MemoryHost
from libs.media.tests.profiles import ADOBE_GAMMA, ADOBE_RGB, SRGB, rgb_profile

SIZE = (320, 240)


def jpeg(mode: str = "RGB", **options: Any) -> bytes:
    target = io.BytesIO()
    Image.fromarray(scene(*SIZE)).convert(mode).save(
        target, "JPEG", **{"quality": 95, "subsampling": "4:2:0", **options}
    )
    return target.getvalue()


def made(content: bytes, quality: int = 70) -> bytes | None:
    return requantised(content, jpeg_layout(content), quality)


def shown(content: bytes, orientation: int = 1) -> bytes:
    image = asdict(ImageAddress(name="a.jpg", width=SIZE[0], height=SIZE[1], orientation=orientation))
    host = MemoryHost({"0": content})
    result = image_chunks.image_frame({"images": [image], "look": "jpeg", "quality": 70}, host)
    assert result["corrupt"] == []
    assert Image.open(io.BytesIO(host.emitted)).size == (result["width"], result["height"])
    return bytes(host.emitted)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "L"},
        {"optimize": True},
        {"restart_marker_rows": 2},
        {"icc_profile": rgb_profile(SRGB)},
        {"exif": b"Exif\0\0" + bytes(60_000)},
    ],
    ids=str,
)
def test_frames_of_ordinary_jpegs_are_made_without_pixels(options: dict[str, Any]) -> None:
    content = jpeg(**options)
    assert shown(content) == made(content)


@pytest.mark.parametrize(
    "content",
    [
        jpeg(subsampling="4:4:4"),
        jpeg(subsampling="4:2:2"),
        jpeg(mode="CMYK"),
        jpeg(progressive=True),
        jpeg(keep_rgb=True, subsampling="4:4:4"),
        jpeg(icc_profile=rgb_profile(ADOBE_RGB, ADOBE_GAMMA)),
        # Other names of the components and no JFIF: red, green and blue, which are never thinned out, so that
        # only a decoder knows what they mean.
        jpeg().replace(b"\x01\x22\x00\x02\x11\x01\x03\x11\x01", b"R\x22\x00G\x11\x01B\x11\x01"),
        jpeg().replace(b"\x03\x01\x00\x02\x11\x03\x11", b"\x03\x02\x11\x01\x00\x03\x11"),
        jpeg()[:-2],
        jpeg()[:-40] + b"\xff\xd9",
    ],
    ids=[
        "4:4:4",
        "4:2:2",
        "cmyk",
        "progressive",
        "rgb",
        "other colours",
        "other names",
        "other order",
        "no end",
        "cut",
    ],
)
def test_others_go_by_way_of_their_pixels(content: bytes) -> None:
    assert made(content) is None


def test_turned_pictures_go_by_way_of_their_pixels() -> None:
    turned = Image.open(io.BytesIO(shown(jpeg(), orientation=6)))
    assert turned.size == SIZE[::-1]


def test_colours_with_other_steps_each_go_by_way_of_their_pixels() -> None:
    for steps, is_taken in (((2, 40, 40), True), ((2, 3, 40), False)):
        content = jpeg(quality=50, qtables=[[step] * 64 for step in steps])
        assert len(set(jpeg_layout(content).components)) == 3
        assert (made(content) is not None) == is_taken


def test_steps_no_decoder_must_read_go_by_way_of_their_pixels() -> None:
    content = jpeg()
    start = content.index(b"\xff\xdb\x00\x43\x00")
    steps = content[start + 5 : start + 69]
    for largest, is_taken in ((255, True), (256, False)):
        wide = [*steps[:-1], largest]
        table = b"\xff\xdb\x00\x83\x10" + b"".join(step.to_bytes(2) for step in wide)
        assert (made(content[:start] + table + content[start + 69 :]) is not None) == is_taken


def test_mean_colours_stay() -> None:
    content = jpeg()
    before, after = (np.asarray(Image.open(io.BytesIO(each)), float) for each in (content, shown(content)))
    assert np.abs((after - before).mean((0, 1))).max() < 0.3
