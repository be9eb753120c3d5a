"""Every kind of image that is promised, from its header to its pixels."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from yard.media import eight_bits as conversion
from yard.media.decode_image import decode_image, decode_small
from yard.media.encode_jpeg import Pixels
from yard.media.image_index import index_image
from yard.media.image_pages import ImagePages
from yard.media.synthetic import numbered_scene, read

from libs.media.tests.raw_images import GifFrame, gif, png, tiff

SIZE = (320, 240)
NUMBER = 4711
RGB_TAGS: dict[str, Any] = {
    "BitsPerSample": [8] * 3,
    "Compression": 1,
    "Photometric": 2,
    "SamplesPerPixel": 3,
}


def scene() -> Image.Image:
    return Image.fromarray(numbered_scene(NUMBER, SIZE))


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, form, **options)
    return target.getvalue()


def pixels_of(mode: str = "RGB") -> np.ndarray[Any, Any]:
    return np.asarray(scene().convert(mode))


def deep(mode: str) -> np.ndarray[Any, Any]:
    """16 bits that use the whole range."""
    return pixels_of(mode).astype(np.uint16) * 257


def see_through() -> Image.Image:
    """Where the scene is bright it is transparent, and garbage hides behind."""
    pixels = numbered_scene(NUMBER, SIZE)
    alpha = np.full(SIZE[::-1], 255, np.uint8)
    bright = pixels[..., 1] > 200
    pixels[bright], alpha[bright] = (9, 9, 9), 0
    return Image.fromarray(np.dstack([pixels, alpha]))


def ycck() -> bytes:
    """Pillow writes CMYK with the marker of Adobe: it is told that the first three are YCC."""
    cyan, magenta, yellow, black = scene().convert("CMYK").split()
    stored = Image.merge("RGB", (cyan, magenta, yellow)).convert("YCbCr").split()
    inks = [channel.point([255 - value for value in range(256)]) for channel in stored]
    content = saved(Image.merge("CMYK", (*inks, black)), "JPEG", quality=95)
    transform = content.index(b"Adobe") + 11
    assert content[transform] == 0
    return content[:transform] + b"\2" + content[transform + 1 :]


def tiled() -> bytes:
    whole = np.zeros((256, 320, 3), np.uint8)
    whole[:240] = pixels_of()
    tiles = [whole[top : top + 128, left : left + 160].tobytes() for top in (0, 128) for left in (0, 160)]
    return tiff(tiles, SIZE, **RGB_TAGS, TileWidth=160, TileLength=128)


def gray_tiff(values: np.ndarray[Any, Any], photometric: int = 1, **tags: int) -> bytes:
    bits = 8 * values.dtype.itemsize
    tags = {"BitsPerSample": bits, "Compression": 1, "Photometric": photometric, "SamplesPerPixel": 1, **tags}
    return tiff([values.tobytes()], SIZE, **tags)


KINDS: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: saved(scene(), "JPEG"),
    "jpeg gray": lambda: saved(scene().convert("L"), "JPEG"),
    "jpeg progressive": lambda: saved(scene(), "JPEG", progressive=True),
    "jpeg 4:4:4": lambda: saved(scene(), "JPEG", subsampling=0),
    "jpeg of rgb": lambda: saved(scene(), "JPEG", keep_rgb=True),
    "jpeg cmyk": lambda: saved(scene().convert("CMYK"), "JPEG"),
    "jpeg ycck": ycck,
    "png": lambda: saved(scene(), "PNG"),
    "png gray": lambda: saved(scene().convert("L"), "PNG"),
    "png bits": lambda: saved(scene().convert("1", dither=Image.Dither.NONE), "PNG"),
    "png palette": lambda: saved(scene().quantize(200), "PNG"),
    "png palette of 4 bits": lambda: saved(scene().quantize(16), "PNG", bits=4),
    "png palette, transparent": lambda: saved(see_through().quantize(200), "PNG"),
    "png alpha": lambda: saved(see_through(), "PNG"),
    "png gray and alpha": lambda: saved(see_through().convert("LA"), "PNG"),
    "png gray of 16 bits": lambda: png(deep("L")),
    "png of 16 bits": lambda: png(deep("RGB")),
    "png alpha of 16 bits": lambda: png(np.asarray(see_through()).astype(np.uint16) * 257),
    "png interlaced": lambda: png(pixels_of(), is_interlaced=True),
    "png interlaced of 16 bits": lambda: png(deep("L"), is_interlaced=True),
    "apng": lambda: saved(scene(), "PNG", save_all=True, append_images=[Image.new("RGB", SIZE)]),
    "webp": lambda: saved(scene(), "WEBP"),
    "webp lossless": lambda: saved(scene(), "WEBP", lossless=True),
    "webp alpha": lambda: saved(see_through(), "WEBP", lossless=True, exact=True),
    "webp animated": lambda: saved(scene(), "WEBP", save_all=True, append_images=[Image.new("RGB", SIZE)]),
    "bmp": lambda: saved(scene(), "BMP"),
    "bmp palette": lambda: saved(scene().quantize(200), "BMP"),
    "bmp gray": lambda: saved(scene().convert("L"), "BMP"),
    "bmp bits": lambda: saved(scene().convert("1", dither=Image.Dither.NONE), "BMP"),
    "bmp of 32 bits": lambda: saved(scene().convert("RGBA"), "BMP"),
    "tiff": lambda: saved(scene(), "TIFF"),
    "tiff big": lambda: saved(scene(), "TIFF", big_tiff=True),
    "tiff lzw": lambda: saved(scene(), "TIFF", compression="tiff_lzw"),
    "tiff deflate": lambda: saved(scene(), "TIFF", compression="tiff_adobe_deflate"),
    "tiff jpeg": lambda: saved(scene(), "TIFF", compression="jpeg"),
    "tiff fax": lambda: saved(scene().convert("1", dither=Image.Dither.NONE), "TIFF", compression="group4"),
    "tiff cmyk": lambda: saved(scene().convert("CMYK"), "TIFF"),
    "tiff palette": lambda: saved(scene().quantize(200), "TIFF"),
    "tiff alpha": lambda: saved(see_through(), "TIFF"),
    "tiff tiled": tiled,
    "tiff of 16 bits": lambda: tiff([deep("RGB").tobytes()], SIZE, **RGB_TAGS | {"BitsPerSample": [16] * 3}),
    "tiff gray of 16 bits": lambda: gray_tiff(deep("L")),
    "tiff gray of 16 bits, white is zero": lambda: gray_tiff(65_535 - deep("L"), photometric=0),
    "tiff gray of 16 bits with a sign": lambda: gray_tiff((deep("L") >> 1).astype(np.int16), SampleFormat=2),
    "tiff gray of 32 bits": lambda: gray_tiff(deep("L").astype(np.uint32) * 65_537),
    "tiff of floating point": lambda: gray_tiff((pixels_of("L") / 255).astype(np.float32), SampleFormat=3),
    "gif": lambda: saved(scene(), "GIF"),
    "avif": lambda: saved(scene(), "AVIF"),
}
GRAY = {
    *(
        "jpeg gray",
        "png gray",
        "png bits",
        "png gray and alpha",
        "png gray of 16 bits",
        "bmp gray",
        "bmp bits",
    ),
    *("png interlaced of 16 bits", "tiff fax", "tiff gray of 16 bits", "tiff gray of 16 bits, white is zero"),
    *("tiff gray of 16 bits with a sign", "tiff gray of 32 bits", "tiff of floating point"),
}
EXACT = {
    *("png", "png gray", "png interlaced", "webp lossless", "bmp", "bmp gray", "bmp of 32 bits", "apng"),
    *("tiff", "tiff big", "tiff lzw", "tiff deflate", "tiff cmyk", "tiff tiled"),
    *(kind for kind in KINDS if "16 bits" in kind or "32 bits" in kind or "floating" in kind),
} - {"png alpha of 16 bits"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_still_of_any_kind_is_read(kind: str) -> None:
    content = KINDS[kind]()
    [address] = index_image(io.BytesIO(content), kind)
    assert (address.width, address.height, address.orientation, address.method) == (*SIZE, 1, "whole")
    pixels = decode_image(content, kind)
    assert (pixels.shape[:2], pixels.ndim) == (SIZE[::-1], 2 if kind in GRAY else 3)
    assert pixels.dtype == np.uint8
    assert read(pixels) == read(decode_small(content, kind)) == NUMBER


@pytest.mark.parametrize("kind", sorted(EXACT))
def test_a_still_without_loss_keeps_its_colours(kind: str) -> None:
    pixels = decode_image(KINDS[kind](), kind).astype(int)
    assert np.abs(pixels - pixels_of("L" if kind in GRAY else "RGB")).max() <= 1


@pytest.mark.parametrize(
    "kind",
    [
        "png alpha",
        "png gray and alpha",
        "png palette, transparent",
        "webp alpha",
        "tiff alpha",
        "png alpha of 16 bits",
    ],
)
def test_transparency_is_shown_on_white(kind: str) -> None:
    clear = np.asarray(see_through())[..., 3] == 0
    assert clear.any()
    pixels = decode_image(KINDS[kind](), kind)
    assert (pixels[clear] == 255).mean() > 0.99


def test_half_transparency_is_half_white() -> None:
    content = saved(Image.new("RGBA", (8, 8), (200, 0, 100, 128)), "PNG")
    assert decode_image(content, "a")[0, 0].tolist() == [227, 127, 177]


def test_a_colour_that_means_transparent_is_white() -> None:
    gray = np.tile(np.arange(4, dtype=np.uint8), (4, 1))
    assert decode_image(png(gray, transparent=b"\0\2"), "a")[0].tolist() == [0, 1, 255, 3]


def test_deep_images_are_scaled_by_their_depth_and_not_by_what_they_show() -> None:
    """A dark frame of a task stays darker than a bright one."""
    dark = np.full((8, 8), 0x1234, np.uint16)
    assert set(decode_image(png(dark), "a").flat) == {0x12}
    assert set(decode_image(png(np.dstack([dark] * 3)), "a").flat) == {0x12}
    twelve = tiff([bytes.fromhex("1234ff") * 8], (2, 8), BitsPerSample=12, Compression=1, Photometric=1)
    assert decode_image(twelve, "a")[0].tolist() == [0x12, 0x4F]
    signed = np.array([[-5, 0x1234]], np.int16)
    tagged = {"Compression": 1, "Photometric": 1, "BitsPerSample": 16, "SampleFormat": 2}
    assert decode_image(tiff([signed.tobytes()], (2, 1), **tagged), "a")[0].tolist() == [0, 0x24]
    floats = np.array([[-1.0, np.nan, 0.5, 7.0]], np.float32)
    tagged = {"Compression": 1, "Photometric": 1, "BitsPerSample": 32, "SampleFormat": 3}
    assert decode_image(tiff([floats.tobytes()], (4, 1), **tagged), "a")[0].tolist() == [0, 0, 128, 255]


@pytest.mark.parametrize(
    "kind", ["png alpha", "png gray of 16 bits", "tiff gray of 32 bits", "tiff cmyk", "png palette"]
)
def test_large_images_are_converted_in_bands(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = KINDS[kind]()
    at_once = decode_image(content, kind)
    monkeypatch.setattr(conversion, "_BAND_PIXELS", 320 * 7)
    assert np.array_equal(decode_image(content, kind), at_once)


@pytest.mark.parametrize(("disposal", "behind"), [(1, "blue"), (2, "white"), (3, "red")])
def test_frames_of_a_gif_build_on_each_other(disposal: int, behind: str) -> None:
    """A part replaces a part; what is disposed of goes; what is transparent lets the one before through."""
    parts = [
        GifFrame(box=(0, 0, 40, 30), colour=0),
        GifFrame(box=(10, 10, 10, 10), colour=1, disposal=disposal),
        GifFrame(box=(0, 0, 5, 5), colour=2),
        GifFrame(box=(0, 0, 40, 30), colour=3),
    ]
    content = gif(parts, (40, 30))
    addresses = index_image(io.BytesIO(content), "a.gif")
    assert [(each.width, each.height, each.page) for each in addresses] == [(40, 30, n) for n in range(4)]
    with ImagePages(io.BytesIO(content)) as pages:
        fourth, first, second, third = (pages.render(page) for page in (3, 0, 1, 2))
    assert np.array_equal(fourth, third)
    assert [colour(first, at) for at in ((0, 0), (15, 15))] == ["red", "red"]
    assert [colour(second, at) for at in ((2, 2), (15, 15))] == ["red", "blue"]
    assert [colour(third, at) for at in ((2, 2), (15, 15), (29, 39))] == ["lime", behind, "red"]
    for page, pixels in enumerate((first, second, third)):
        assert np.array_equal(decode_image(content, "a.gif", page=page), pixels)


def colour(pixels: Pixels, at: tuple[int, int]) -> str:
    names = {"111": "white", "100": "red", "001": "blue", "010": "lime"}
    return names.get("".join("1" if value == 255 else "0" for value in pixels[at].tolist()), str(pixels[at]))
