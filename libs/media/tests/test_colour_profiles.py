import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms
from yard.media import colour_profiles
from yard.media.colour_profiles import is_foreign, pixels_as_srgb
from yard.media.decode_image import decode_image, decode_small
from yard.media.image_pages import ImagePages

from libs.media.tests.profiles import (
    ADOBE_GAMMA,
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB,
    Matrix,
    in_srgb,
    inks_profile,
    rgb_profile,
)

WIDE: dict[str, tuple[Matrix, float | None]] = {
    "Adobe RGB": (ADOBE_RGB, ADOBE_GAMMA),
    "Display P3": (DISPLAY_P3, None),
}


def colours() -> NDArray[np.uint8]:
    """Patches of 16 x 16 pixels, as no compression mixes them."""
    steps = np.array([30, 120, 220], np.uint8)
    patches = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(3, 9, 3)
    return np.ascontiguousarray(patches.repeat(16, axis=0).repeat(16, axis=1))


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, form, **options)
    return target.getvalue()


def error_of(pixels: NDArray[np.uint8], expected: Matrix) -> float:
    """In the middles of the patches."""
    return float(np.abs(pixels[8::16, 8::16].astype(float) - expected[8::16, 8::16]).max())


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize(
    ("form", "options", "tolerance"),
    [
        ("PNG", {}, 1.6),
        ("TIFF", {}, 1.6),
        ("WEBP", {"lossless": True}, 1.6),
        ("JPEG", {"quality": 100, "subsampling": 0}, 4),
        ("AVIF", {"quality": 100, "subsampling": "4:4:4"}, 6),
    ],
)
def test_pictures_become_srgb(name: str, form: str, options: dict[str, Any], tolerance: float) -> None:
    space = WIDE[name]
    content = saved(Image.fromarray(colours()), form, icc_profile=rgb_profile(*space), **options)
    shown = decode_image(content, "a")
    expected = in_srgb(colours(), *space)
    assert error_of(shown, expected) < tolerance
    assert error_of(colours(), expected) > 15, "it matters"
    assert error_of(decode_small(content, "a"), expected) < tolerance + 1


def test_transparent_pictures_and_pages_too() -> None:
    profile = rgb_profile(*WIDE["Adobe RGB"])
    expected = in_srgb(colours(), *WIDE["Adobe RGB"])
    opaque = np.dstack([colours(), np.full(colours().shape[:2], 255, np.uint8)])
    assert (
        error_of(decode_image(saved(Image.fromarray(opaque), "PNG", icc_profile=profile), "a"), expected)
        < 1.6
    )
    pages = [Image.fromarray(colours())] * 2
    content = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], icc_profile=profile)
    with ImagePages(io.BytesIO(content)) as opened:
        assert error_of(opened.render(0), expected) < 1.6


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_inks_have_the_colours_of_their_profile(form: str) -> None:
    inks = np.zeros((48, 32, 4), np.uint8)
    inks[:16, :, 0], inks[16:32, :, 3] = 255, 255
    image = Image.frombytes("CMYK", (32, 48), inks.tobytes())
    shown = decode_image(saved(image, form, icc_profile=inks_profile()), "a")
    # CIE Lab (55, -20, -40), black, and paper.
    found = [shown[row, 8].astype(int) for row in (8, 24, 40)]
    assert np.abs(found[0] - [0, 142, 198]).max() < 12, found[0]
    assert (found[1].max() < 8, found[2].min() > 250) == (True, True)
    plain = decode_image(saved(image, form), "a")
    assert plain[8, 8, 1] > 240, "without a profile cyan is as bright as it can be"


@pytest.mark.parametrize(
    "profile",
    [
        rgb_profile(SRGB),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        b"no profile",
        rgb_profile(ADOBE_RGB, ADOBE_GAMMA)[:150],
        inks_profile(),
        bytes(5 << 20),
    ],
    ids=["made srgb", "srgb of the library", "text", "cut", "of inks", "too long"],
)
def test_profiles_that_change_nothing_or_make_no_sense_are_left_alone(profile: bytes) -> None:
    assert not is_foreign(profile)
    plain = decode_image(saved(Image.fromarray(colours()), "JPEG"), "a")
    if len(profile) < 1 << 20:
        assert np.array_equal(
            plain, decode_image(saved(Image.fromarray(colours()), "JPEG", icc_profile=profile), "a")
        )


def test_a_profile_of_several_segments_is_found() -> None:
    profile = rgb_profile(*WIDE["Adobe RGB"]) + bytes(100_000)
    content = saved(Image.fromarray(colours()), "JPEG", quality=100, subsampling=0, icc_profile=profile)
    assert content.count(b"ICC_PROFILE\0") == 2
    assert error_of(decode_image(content, "a"), in_srgb(colours(), *WIDE["Adobe RGB"])) < 4


def test_gray_stays_as_it_is_and_bands_fit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = rgb_profile(*WIDE["Adobe RGB"])
    gray = np.ascontiguousarray(colours()[..., 0])
    assert pixels_as_srgb(gray, profile) is gray
    at_once = pixels_as_srgb(colours(), profile)
    monkeypatch.setattr(colour_profiles, "_BAND_PIXELS", 144 * 5)
    assert np.array_equal(pixels_as_srgb(colours(), profile), at_once)
