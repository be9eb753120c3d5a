import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from yard.media.decode_image import Scratch, decode_image
from yard.media.encode_jpeg import Pixels, encode_rgb, steps_at
from yard.media.jpeg_layout import jpeg_layout
from yard.media.jpeg_requantising import requantised
from yard.media.synthetic import scene
from yard.native.jpeg_scan import CoarserScan, Codes, Component, Scan, requantise

from libs.native.tests.plain_reader import coefficients, parts_of

SIZES = [(1, 1), (8, 8), (16, 16), (17, 33), (100, 75), (160, 16)]


def noise(width: int, height: int) -> Pixels:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)


def jpeg(pixels: Pixels, quality: int = 92, mode: str = "RGB", **options: Any) -> bytes:
    target = io.BytesIO()
    image = Image.fromarray(pixels).convert(mode)
    image.save(target, "JPEG", **{"quality": quality, "subsampling": "4:2:0", **options})
    return target.getvalue()


def at(content: bytes, quality: int) -> bytes:
    made = requantised(content, jpeg_layout(content), quality)
    assert made is not None
    return made


def pixels_of(content: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(content)))


def rounded(value: int, step: int, coarser: int) -> set[int]:
    """The nearest multiples of the coarser step: two of them if they are as near."""
    below, rest = divmod(abs(value) * step, coarser)
    found = {below} if 2 * rest < coarser else {below + 1} if 2 * rest > coarser else {below, below + 1}
    return {-each for each in found} if value < 0 else found


KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "own tables": {"optimize": True},
    "gray": {"mode": "L"},
    "markers": {"restart_marker_blocks": 3},
    "markers by rows": {"restart_marker_rows": 1},
    "coarse": {"quality": 25},
    "fine": {"quality": 100},
}


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("quality", [5, 40, 70, 95])
def test_each_coefficient_is_the_nearest_of_the_coarser_steps(
    options: dict[str, Any], size: tuple[int, int], quality: int
) -> None:
    pixels = scene(*size) if size[0] > 16 else noise(*size)
    content = jpeg(pixels, **options)
    made = at(content, quality)
    before, after = parts_of(content), parts_of(made)
    assert after.restart_interval == 0
    assert after.size == before.size == size
    kinds = [before.steps[steps] for _, _, steps, _ in before.components]
    ours = [after.steps[steps] for _, _, steps, _ in after.components]
    wanted = [steps_at(quality)[min(place, 1)] for place in range(len(kinds))]
    assert ours == [bytes(map(max, *each)) for each in zip(kinds, wanted, strict=True)]
    for (place, source), (same, coarser) in zip(coefficients(content), coefficients(made), strict=True):
        assert place == same
        steps = zip(source, coarser, kinds[place], ours[place], strict=True)
        assert all(new in rounded(old, step, coarse) for old, new, step, coarse in steps)


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_steps_that_are_coarse_enough_keep_every_pixel(options: dict[str, Any]) -> None:
    content = jpeg(scene(320, 240), **{**options, "quality": 60})
    made = at(content, 90)
    assert (pixels_of(made) == pixels_of(content)).all()
    assert len(made) <= len(content)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_what_comes_out_is_as_true_and_as_small_as_by_way_of_pixels(mode: str) -> None:
    content = jpeg(scene(640, 480), 93, mode)
    truth = pixels_of(content)
    ours = at(content, 70)
    pixelwise = encode_rgb(decode_image(content, "a.jpg", scratch=Scratch()), 70)
    assert psnr(ours, truth) >= max(psnr(pixelwise, truth), psnr(jpeg(truth, 70, mode), truth)) - 0.02
    assert len(ours) <= len(pixelwise)


def psnr(content: bytes, truth: Pixels) -> float:
    return float(10 * np.log10(255**2 / np.mean((pixels_of(content).astype(float) - truth) ** 2)))


ONES = bytes([1] * 64)
NOTHING = Codes(counts=bytes((0, 1, *[0] * 14)), symbols=b"\0")
# Two bits for the end of a block, three for sixteen zeros, six for a value after so many zeros.
SINGLES = Codes(
    counts=bytes((0, 1, 1, 0, 0, 16, *[0] * 10)), symbols=b"\x00\xf0" + bytes(n << 4 | 1 for n in range(16))
)


def one_block(ac: Codes) -> Scan:
    return Scan(
        offset=0,
        units=1,
        restart_interval=0,
        components=[Component(blocks=1, dc=0, ac=0, steps=ONES, coarser=ONES)],
        dc_codes={0: NOTHING},
        ac_codes={0: ac},
    )


def packed(bits: str) -> bytes:
    filled = bits + "1" * (-len(bits) % 8)
    return int(filled, 2).to_bytes(len(filled) // 8).replace(b"\xff", b"\xff\0") + b"\xff\xd9"


def in_a_file(scan: CoarserScan) -> bytes:
    content = jpeg(noise(8, 8), 100, "L")
    start = content.index(b"\xff\xda")
    tables = b"".join(
        b"\xff\xc4" + (19 + len(each.symbols)).to_bytes(2) + bytes((kind,)) + each.counts + each.symbols
        for kind, each in zip((0x00, 0x10), scan.codes, strict=False)
    )
    header = content[:start].replace(b"\xff\xc4", b"\xff\xfe")
    return header + tables + content[start : parts_of(content).data] + scan.content + b"\xff\xd9"


@pytest.mark.parametrize("place", range(1, 64))
def test_a_single_value_of_any_place_stays_there(place: int) -> None:
    fours, zeros = divmod(place - 1, 16)
    bits = "00" + "010" * fours + f"{24 + zeros:06b}" + "1" + ("00" if place < 63 else "")
    moved = requantise(packed(bits), one_block(SINGLES))
    assert moved is not None
    [(_, block)] = coefficients(in_a_file(moved))
    assert block == [int(number == place) for number in range(64)]


@pytest.mark.parametrize(("bits", "is_taken"), [("0000", True), ("000111", False), ("010000", False)])
def test_bits_that_are_no_code_are_refused(bits: str, is_taken: bool) -> None:
    assert (requantise(packed(bits), one_block(NOTHING)) is not None) == is_taken


def test_a_segment_that_is_cut_or_goes_on_is_refused() -> None:
    content = jpeg(scene(100, 75))
    data = parts_of(content).data
    for length in range(data, len(content)):
        assert requantised(content[:length], jpeg_layout(content), 70) is None
    for more in (b"\0", b"\xff\xd0", b"\xff\xda", bytes(9000)):
        changed = content[:-2] + more + content[-2:]
        assert requantised(changed, jpeg_layout(changed), 70) is None


@pytest.mark.parametrize("marker", [b"\xff\xd1", b"\xff\xd8", b"\0\0"])
def test_markers_that_are_not_as_they_should_be_are_refused(marker: bytes) -> None:
    content = jpeg(scene(100, 75), restart_marker_blocks=3)
    place = content.index(b"\xff\xd0", parts_of(content).data)
    changed = content[:place] + marker + content[place + 2 :]
    assert requantised(changed, jpeg_layout(changed), 70) is None


def test_what_is_denser_than_pixels_is_left_to_them() -> None:
    content = jpeg(noise(640, 480), 100)
    assert requantised(content, jpeg_layout(content), 99) is None
    assert requantised(content, jpeg_layout(content), 60) is not None
