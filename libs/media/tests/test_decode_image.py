import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from yard.media.decode_image import decode_image, decode_small
from yard.media.encode_jpeg import Pixels
from yard.media.encode_png import encode_png
from yard.media.errors import MediaError
from yard.media.synthetic import numbered_scene, read, scene

# EXIF orientation: how an upright picture was stored, after PIL's own names.
STORED: dict[int, Image.Transpose | None] = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def numbered(number: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    return Image.fromarray(numbered_scene(number, size))


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("decode", [decode_image, decode_small])
def test_pictures_stand_upright(decode: Callable[..., Pixels], orientation: int) -> None:
    image = numbered(orientation, (640, 480))
    turn = STORED[orientation]
    stored = image if turn is None else image.transpose(turn)
    pixels = decode(encoded(stored, "JPEG"), "a.jpg", orientation=orientation)
    assert read(pixels) == orientation
    assert pixels.shape == ((480, 640, 3) if decode is decode_image else (192, 256, 3))


@pytest.mark.parametrize("form", ["PNG", "WEBP", "BMP", "TIFF", "GIF", "JPEG"])
def test_formats(form: str) -> None:
    assert read(decode_image(encoded(numbered(7), form), "a")) == 7


@pytest.mark.parametrize(
    ("mode", "form"),
    [
        ("L", "JPEG"),
        ("CMYK", "JPEG"),
        ("P", "PNG"),
        ("RGBA", "PNG"),
        ("LA", "PNG"),
        ("1", "PNG"),
        ("L", "TIFF"),
    ],
)
def test_modes(mode: str, form: str) -> None:
    pixels = decode_image(encoded(numbered(9).convert(mode), form), "a")
    assert read(pixels) == 9
    assert pixels.dtype == np.uint8


def test_pages() -> None:
    pages = [numbered(number) for number in (3, 4, 5)]
    content = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert [read(decode_image(content, "a.tif", page=page)) for page in range(3)] == [3, 4, 5]
    with pytest.raises(MediaError):
        decode_image(content, "a.tif", page=3)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_cut_image_keeps_its_size(form: str) -> None:
    content = encoded(numbered(1, (640, 480)), form)
    assert decode_image(content[: len(content) // 2], "cut").shape == (480, 640, 3)


@pytest.mark.parametrize("content", [b"", b"text", b"\xff\xd8\xff\xe0 no jpeg", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(MediaError, match=r"bad\.jpg: cannot be decoded") as refused:
        decode_image(content, "bad.jpg")
    assert refused.value.name == "bad.jpg"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    content = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    with pytest.raises(MediaError, match="20000 x 20000"):
        decode_image(content, "bomb.png")


def test_png_is_lossless() -> None:
    for pixels in (scene(33, 21), scene(33, 21)[..., 0]):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(pixels)))), pixels)
