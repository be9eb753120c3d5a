import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from yard.media.errors import MediaError
from yard.media.image_facts import ImageLimits
from yard.media.image_pages import ImagePages, page_facts

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # Pillow's

COLOURS = [(250, 10, 20), (20, 240, 30), (10, 30, 230)]


def paged(form: str, sizes: list[tuple[int, int]], **options: Any) -> bytes:
    images = [Image.new("RGB", size, colour) for size, colour in zip(sizes, COLOURS, strict=True)]
    target = io.BytesIO()
    images[0].save(target, form, save_all=True, append_images=images[1:], **options)
    return target.getvalue()


def rendered(content: bytes, page: int) -> np.ndarray[Any, Any]:
    with ImagePages(io.BytesIO(content)) as pages:
        return pages.render(page)


@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"big_tiff": True}])
def test_pages_of_a_tiff_have_sizes_of_their_own(options: dict[str, Any]) -> None:
    content = paged("TIFF", [(30, 20), (11, 50), (64, 64)], **options)
    assert [(f.width, f.height) for f in page_facts(io.BytesIO(content))] == [(30, 20), (11, 50), (64, 64)]
    for page, size in enumerate([(20, 30), (50, 11), (64, 64)]):
        pixels = rendered(content, page)
        assert pixels.shape == (*size, 3)
        assert np.all(pixels == COLOURS[page])


def test_frames_of_a_gif_come_in_any_order() -> None:
    content = paged("GIF", [(30, 20)] * 3)
    assert [(f.width, f.height) for f in page_facts(io.BytesIO(content))] == [(30, 20)] * 3
    with ImagePages(io.BytesIO(content)) as pages:
        for page in (2, 0, 1):
            pixels = pages.render(page)
            assert pixels.shape == (20, 30, 3)
            assert np.abs(pixels.astype(int) - COLOURS[page]).max() < 12


def test_a_turned_page_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    target = io.BytesIO()
    Image.new("RGB", (30, 20)).save(target, "TIFF", exif=exif)
    [facts] = page_facts(io.BytesIO(target.getvalue()))
    assert rendered(target.getvalue(), 0).shape == (30, 20, 3)
    assert (facts.width, facts.height, facts.orientation) == (20, 30, 1)


def test_pages_with_more_than_eight_bits_and_gray_ones() -> None:
    deep, gray = io.BytesIO(), io.BytesIO()
    Image.new("I;16", (4, 3), 65_535).save(deep, "TIFF")
    Image.new("L", (4, 3), 77).save(gray, "TIFF")
    assert rendered(deep.getvalue(), 0).tolist() == [[255] * 4] * 3
    assert rendered(gray.getvalue(), 0).tolist() == [[77] * 4] * 3


@pytest.mark.parametrize("form", ["GIF", "TIFF"])
def test_a_page_that_is_not_there_and_limits(form: str) -> None:
    content = paged(form, [(30, 20)] * 3)
    with pytest.raises(MediaError, match="page 4 that cannot be decoded"):
        rendered(content, 3)
    with pytest.raises(MediaError, match="more than 2 pages") as caught:
        [*page_facts(io.BytesIO(content), ImageLimits(pages=2))]
    assert caught.value.code == "limit"
    with (
        ImagePages(io.BytesIO(content), ImageLimits(pixels=599)) as pages,
        pytest.raises(MediaError, match="30x20 pixels, more than 599"),
    ):
        pages.render(0)


def test_other_files_are_refused() -> None:
    target = io.BytesIO()
    Image.new("RGB", (4, 4)).save(target, "PNG")
    for content in (target.getvalue(), b"", b"text"):
        with pytest.raises(MediaError, match="neither a TIFF nor a GIF"):
            page_facts(io.BytesIO(content))
        with pytest.raises(MediaError, match="neither a TIFF nor a GIF"):
            ImagePages(io.BytesIO(content))


@given(
    form=st.sampled_from(["GIF", "TIFF"]),
    cut=st.integers(10, 6000),
    flips=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), max_size=5),
)
@settings(max_examples=300, deadline=None)
def test_damaged_pages_are_drawn_or_refused(form: str, cut: int, flips: list[tuple[int, int]]) -> None:
    hostile = bytearray(paged(form, [(30, 20)] * 3)[:cut])
    for position, byte in flips:
        if position < len(hostile):
            hostile[position] = byte
    for page in range(3):
        try:
            rendered(bytes(hostile), page)
        except MediaError:
            continue
