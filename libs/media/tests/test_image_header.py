import io
import struct
import time
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from yard.media import byte_window
from yard.media.errors import MediaError
from yard.media.image_facts import ImageFacts, ImageLimits
from yard.media.image_header import Needs, parse_growing, parse_header, read_header

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # Pillow's

FORMS: dict[str, tuple[str, ...]] = {
    "JPEG": ("L", "RGB", "CMYK", "1"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "WEBP": ("RGB", "RGBA", "L"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F"),
    "GIF": ("1", "L", "P", "RGB", "RGBA"),
}
CASES = [(form, mode) for form, modes in FORMS.items() for mode in modes]


def encoded(
    form: str, mode: str = "RGB", pages: int = 1, size: tuple[int, int] = (37, 21), **options: Any
) -> bytes:
    noise = np.random.default_rng(7).integers(0, 255, (pages, size[1], size[0], 4), dtype=np.uint8)
    images = [Image.fromarray(page, "RGBA").convert("RGB") for page in noise]
    if mode in {"I;16", "I", "F", "LAB"}:
        images = [Image.new(mode, size, 9) for _ in images]
    elif mode == "RGBA":
        images = [Image.fromarray(page, "RGBA") for page in noise]
    else:
        images = [image.convert(mode) for image in images]
    target = io.BytesIO()
    rest = {"save_all": True, "append_images": images[1:]} if pages > 1 else {}
    images[0].save(target, form, **rest, **options)
    return target.getvalue()


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "a maker of cameras"
    exif[0x0112] = orientation
    return exif.tobytes()


def whole(content: bytes) -> ImageFacts:
    """Read in all three ways, which have to agree."""
    facts = read_header(io.BytesIO(content))
    inside = read_header(io.BytesIO(b"before" + content + b"after"), offset=6, size=len(content))
    parsed = parse_header(content, is_whole=True)
    grown = parse_growing(lambda size: content[:size], len(content))
    assert parsed == facts == grown == inside
    return facts


@pytest.mark.parametrize(("form", "mode"), CASES)
def test_every_mode_of_every_format_is_as_pillow_sees_it(form: str, mode: str) -> None:
    content = encoded(form, mode)
    facts = whole(content)
    with Image.open(io.BytesIO(content)) as image:
        assert (facts.format, facts.width, facts.height) == (form.lower(), *image.size)
        assert facts.has_alpha == image.has_transparency_data
        if form not in {"GIF", "BMP"}:  # Pillow shows gray palettes of these as gray
            assert facts.colours == {
                "1": "gray", "L": "gray", "LA": "gray", "I;16": "gray", "I": "gray", "F": "gray",
                "P": "palette", "PA": "palette", "RGB": "rgb", "RGBA": "rgb", "CMYK": "cmyk", "YCbCr": "rgb",
                "LAB": "lab",
            }[image.mode]  # fmt: skip
            assert facts.channels == len(image.getbands())
    assert facts.pages == 1


@pytest.mark.parametrize(
    ("form", "mode", "bits"),
    [("PNG", "1", 1), ("PNG", "I;16", 16), ("TIFF", "I;16", 16), ("TIFF", "F", 32), ("TIFF", "RGB", 8)],
)
def test_bits_of_a_channel(form: str, mode: str, bits: int) -> None:
    assert whole(encoded(form, mode)).bits == bits


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_turned_camera(form: str, orientation: int) -> None:
    facts = whole(encoded(form, exif=turned(orientation)))
    assert facts.upright == ((21, 37) if orientation >= 5 else (37, 21))
    assert facts.orientation == (1 if form == "TIFF" else orientation)


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0nonsense",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x09\0\0\0\0\0\0",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x02\0\x06\0\0\0\0\0\0",
    ],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_exif_that_makes_no_sense_is_upright(form: str, exif: bytes) -> None:
    assert whole(encoded(form, exif=exif)).orientation == 1


@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"big_tiff": True}])
def test_pages_of_a_tiff(options: dict[str, Any]) -> None:
    facts = whole(encoded("TIFF", pages=5, **options))
    assert (facts.width, facts.height, facts.pages) == (37, 21, 5)


def test_frames_of_a_gif() -> None:
    content = encoded("GIF", pages=5)
    assert whole(content).pages == 5
    head = parse_header(content[:1000])
    assert isinstance(head, ImageFacts)
    assert (head.width, head.height, head.pages) == (37, 21, None)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_other_animations_are_one_still(form: str) -> None:
    facts = whole(encoded(form, pages=3))
    assert (facts.width, facts.height, facts.pages) == (37, 21, 1)


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}, {"icc_profile": b"x" * 3001}])
def test_kinds_of_webp(options: dict[str, Any]) -> None:
    assert whole(encoded("WEBP", **options)).upright == (37, 21)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
def test_a_short_head_says_how_much_is_needed(form: str) -> None:
    options: dict[str, Any] = {} if form in {"BMP", "GIF"} else {"exif": turned(6)}
    content = encoded(form, size=(300, 200), **options)
    length = 0
    while isinstance(found := parse_header(content[:length]), Needs):
        assert length < found.size <= len(content)
        length = found.size
    assert (found.width, found.height) == (300, 200)
    assert length == len(content) or form != "WEBP" or len(content) - length < 100


def test_a_head_without_end_is_refused() -> None:
    content = b"\x89PNG\r\n\x1a\n" + bomb(5, 5)[8:33] + b"\x7f\xff\xff\xfftEXt" + bytes(5000)
    with pytest.raises(MediaError, match="after 32 MiB only"):
        parse_growing(lambda size: content[:size], 1 << 31)


def test_a_frame_header_far_behind_large_segments_is_found() -> None:
    content = encoded("JPEG")
    segment = b"\xff\xe2\xff\xff" + bytes(65_533)
    found = parse_growing(lambda size: (content[:2] + segment * 9 + content[2:])[:size], 10**6)
    assert (found.width, found.height) == (37, 21)


def test_fill_bytes_and_junk_before_markers_are_passed_over() -> None:
    content = encoded("JPEG", exif=turned(6))
    assert whole(content[:2] + b"\xff" * 9 + content[2:]).orientation == 6
    assert whole(content[:3] + b"\0junk\xff\x00" + content[2:]).orientation == 6


def test_a_gif_whose_frames_stick_out_is_as_large_as_they_need() -> None:
    content = bytearray(encoded("GIF"))
    content[6:10] = struct.pack("<HH", 5, 5)
    with Image.open(io.BytesIO(content)) as image:
        assert whole(bytes(content)).upright == image.size == (37, 21)


def test_a_bitmap_from_top_to_bottom() -> None:
    content = bytearray(encoded("BMP"))
    content[22:26] = struct.pack("<i", -21)
    assert whole(bytes(content)).upright == (37, 21)


def test_losses_are_told_in_words() -> None:
    assert [*whole(encoded("JPEG", "CMYK")).losses()] == ["CMYK is converted to RGB"]
    assert [*whole(encoded("PNG", "RGBA")).losses()] == ["transparency is shown on white"]
    assert [*whole(encoded("PNG", "I;16")).losses()] == ["of 16 bits a channel the upper 8 are kept"]
    assert [*whole(encoded("JPEG")).losses()] == []


def bomb(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">II", width, height) + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n\0\0\0\x0d"
        + header
        + struct.pack(">I", zlib.crc32(header))
        + b"\0\0\0\x0aIDAT"
        + bytes(14)
    )


@pytest.mark.parametrize(
    ("content", "limits", "message"),
    [
        (bomb(40_000, 40_000), ImageLimits(), "40000x40000 pixels, more than 160000000"),
        (bomb(300_000, 2), ImageLimits(), "300000x2 pixels, more than 262144 on a side"),
        (encoded("GIF", pages=5), ImageLimits(pages=4), "more than 4 pages"),
        (encoded("TIFF", pages=5), ImageLimits(pages=4), "more than 4 pages"),
    ],
)
def test_limits(content: bytes, limits: ImageLimits, message: str) -> None:
    with pytest.raises(MediaError, match=message) as caught:
        read_header(io.BytesIO(content), limits=limits)
    assert caught.value.code == "limit"
    with pytest.raises(MediaError, match=message):
        parse_header(content, is_whole=True, limits=limits)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "invalid_media"),
        (b"just text, and long enough to be no head of anything", "invalid_media"),
        (b"%PDF-1.7" + bytes(40), "unsupported"),
        (b"\xff\xd8\xff", "truncated"),
        (b"\xff\xd8\xff\xda\0\x08" + bytes(50), "invalid_media"),
        (b"\xff\xd8\xff\xc5\0\x11\x08\0\x05\0\x05\x03" + bytes(50), "unsupported"),
        (b"\xff\xd8\xff\xc0\0\x11\x0c\0\x05\0\x05\x03" + bytes(50), "unsupported"),
        (b"\xff\xd8\xff\xc0\0\x11\x08\0\0\0\x05\x03" + bytes(50), "invalid_media"),
        (b"\xff\xd8\xff\xe0\0\0" + bytes(50), "invalid_media"),
        (b"\xff\xd8" + b"\xff" * 100_000, "invalid_media"),
        (b"\xff\xd8" + b"\xff\xe0\0\x02" * 10_000, "limit"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "invalid_media"),
        (bomb(0, 5), "invalid_media"),
        (bomb(5, 5)[:40], "truncated"),
        (b"RIFF\x20\0\0\0WEBPVP9 " + bytes(40), "invalid_media"),
        (b"II*\0" + bytes(9), "invalid_media"),
        (b"II*\0\x08\0\0\0\xff\xff" + bytes(70_000 * 12), "invalid_media"),
        (b"II*\0\xff\xff\xff\xff" + bytes(90), "truncated"),
        (b"GIF89a\x05\0\x05\0\0\0\0;", "invalid_media"),
        (b"GIF89a\x05\0\x05\0\0\0\0" + bytes(100_000), "invalid_media"),
    ],
)
def test_headers_that_make_no_sense_are_refused(content: bytes, code: str) -> None:
    with pytest.raises(MediaError) as caught:
        read_header(io.BytesIO(content))
    with pytest.raises(MediaError) as caught_too:
        parse_header(content, is_whole=True)
    assert caught.value.code == caught_too.value.code == code


@pytest.mark.parametrize(
    "content",
    [
        encoded("GIF")[:-1] + b"!\xfe\x01x\x00" * 5000,
        encoded("GIF")[:-1] + b"!\xfe" + b"\x01x" * 5000,
        b"\xff\xd8\xff" + (b"\xe0\x00\x02" + b"junk" * 99 + b"\xff") * 100,
    ],
)
def test_headers_of_very_many_parts_are_refused(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_window, "MOST_READS", 4000)
    with pytest.raises(MediaError, match="too many parts") as caught:
        read_header(io.BytesIO(content))
    assert caught.value.code == "limit"


def test_directories_that_form_a_ring_end() -> None:
    content = bytearray(encoded("TIFF", pages=2))
    first = struct.unpack_from("<I", content, 4)[0]
    entries = struct.unpack_from("<H", content, first)[0]
    second = struct.unpack_from("<I", content, first + 2 + entries * 12)[0]
    entries = struct.unpack_from("<H", content, second)[0]
    struct.pack_into("<I", content, second + 2 + entries * 12, first)
    assert whole(bytes(content)).pages == 2


def read_anyhow(content: bytes) -> None:
    """Nothing but facts, needs or a fault may come of it."""
    for is_whole in (False, True):
        try:
            found = parse_header(content, is_whole=is_whole)
        except MediaError:
            continue
        assert isinstance(found, ImageFacts) or (not is_whole and found.size > len(content))
    try:
        read_header(io.BytesIO(content))
    except MediaError:
        return


SEEDS = [encoded(form, pages=2 if form in {"GIF", "TIFF"} else 1) for form in FORMS]
SEEDS += [encoded(form, exif=turned(6)) for form in ("JPEG", "PNG", "WEBP")] + [
    encoded("TIFF", big_tiff=True)
]


@pytest.mark.parametrize("content", SEEDS, ids=range(len(SEEDS)))
def test_files_cut_anywhere_are_read_or_refused(content: bytes) -> None:
    for length in [*range(min(len(content), 400)), *range(400, len(content), 37)]:
        read_anyhow(content[:length])


@given(
    content=st.sampled_from(SEEDS),
    length=st.integers(0, 8000),
    flips=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=8),
)
@settings(max_examples=400, deadline=None)
def test_files_with_flipped_bytes_are_read_or_refused(
    content: bytes, length: int, flips: list[tuple[int, int]]
) -> None:
    hostile = bytearray(content[:length] if length < len(content) else content)
    for position, byte in flips:
        if position < len(hostile):
            hostile[position] = byte
    read_anyhow(bytes(hostile))


@given(start=st.sampled_from([seed[:12] for seed in SEEDS]), rest=st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_behind_a_signature_are_read_or_refused(start: bytes, rest: bytes) -> None:
    read_anyhow(start + rest)


def test_a_hundred_thousand_heads_take_seconds() -> None:
    head = encoded("JPEG", size=(300, 200), exif=turned(6))[:4096]
    began = time.process_time()
    for _ in range(10_000):
        parse_header(head)
    assert time.process_time() - began < 1  # 0.1 to 0.15 s on a slow core; the rest is for a busy machine


def test_needs_is_what_a_caller_branches_on() -> None:
    assert parse_header(b"") == Needs(32)
