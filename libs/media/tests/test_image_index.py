import io
import zlib
from typing import Any

import pytest
from PIL import Image
from yard.media.errors import MediaError
from yard.media.image_facts import ImageLimits
from yard.media.image_index import index_image
from yard.media.index_block import ImageAddress

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about damaged files

TURNED = Image.Exif()
TURNED[0x0112] = 6


def encoded(form: str, size: tuple[int, int] = (30, 20), pages: int = 1, **options: Any) -> bytes:
    target = io.BytesIO()
    images = [Image.new("RGB", size, (number * 9 % 256, 50, 90)) for number in range(pages)]
    rest = {"save_all": True, "append_images": images[1:]} if pages > 1 else {}
    images[0].save(target, form, **rest, **options)
    return target.getvalue()


def indexed(content: bytes) -> list[ImageAddress]:
    return index_image(io.BytesIO(content), "a/b.jpg")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"])
def test_a_still_is_one_whole_image(form: str) -> None:
    assert indexed(encoded(form)) == [ImageAddress(name="a/b.jpg", width=30, height=20)]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_turned_camera_gives_the_upright_size(form: str) -> None:
    [address] = indexed(encoded(form, exif=TURNED.tobytes()))
    assert (address.width, address.height, address.orientation) == (20, 30, 6)


def test_the_reader_of_tiff_turns_by_itself() -> None:
    content = encoded("TIFF", exif=TURNED.tobytes())
    [address] = indexed(content)
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        assert image.size == (20, 30) == (address.width, address.height)
    assert address.orientation == 1


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"\xff" * 100])
def test_an_orientation_that_cannot_be_read_is_upright(exif: bytes) -> None:
    [address] = indexed(encoded("JPEG", exif=exif))
    assert (address.width, address.height, address.orientation) == (30, 20, 1)


@pytest.mark.parametrize("form", ["GIF", "TIFF"])
def test_every_page_is_a_frame(form: str) -> None:
    addresses = indexed(encoded(form, pages=3))
    assert [(a.name, a.page, a.method) for a in addresses] == [
        ("a/b.jpg/000000.png", 0, "page"),
        ("a/b.jpg/000001.png", 1, "page"),
        ("a/b.jpg/000002.png", 2, "page"),
    ]
    assert {(a.width, a.height) for a in addresses} == {(30, 20)}


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_of_other_animations_the_first_picture_is_taken(form: str) -> None:
    assert [a.method for a in indexed(encoded(form, pages=3))] == ["whole"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff" + bytes(500),
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"II*\0" + bytes(9),
    ],
)
def test_headers_that_make_no_sense_are_refused(content: bytes) -> None:
    with pytest.raises(
        MediaError, match=r"^(is not an image|is a JPEG without|ends after|has a TIFF|is a PNG)"
    ) as caught:
        indexed(content)
    assert caught.value.code in {"invalid_media", "truncated"}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"])
def test_files_that_end_anywhere_are_an_image_or_refused(form: str) -> None:
    content = encoded(form, pages=3 if form in ("GIF", "TIFF") else 1)
    for length in range(0, len(content), 7):
        try:
            addresses = indexed(content[:length])
        except MediaError:
            continue
        assert all((a.width, a.height) == (30, 20) for a in addresses)


def test_a_bomb_is_refused_by_its_header() -> None:
    header = b"IHDR" + (40_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    content = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big")
    content += (10).to_bytes(4, "big") + b"IDAT" + bytes(14)
    with pytest.raises(MediaError, match=f"40000x40000 pixels, more than {ImageLimits().pixels}") as caught:
        indexed(content)
    assert caught.value.code == "limit"
