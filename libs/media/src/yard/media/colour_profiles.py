"""Embedded colour profiles: pictures of other colour spaces become sRGB, as browsers would show them.

Profiles that hardly differ from sRGB, that are broken, or that do not fit their picture are left alone.
"""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms
from yard.media.encode_jpeg import Pixels

_BAND_PIXELS = 1_000_000
"""Pixels are converted in bands: what Pillow holds beside them stays small."""
_LARGEST_PROFILE = 4 << 20
_SAME = 2
"""Profiles that move no colour by more levels than that count as sRGB."""
_MODES = frozenset(("RGB", "CMYK"))
_TIFF_PROFILE = 34_675
_FAULTS = (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError)
_SRGB = ImageCms.createProfile("sRGB")


def profile_of(image: Image.Image) -> bytes | None:
    """The profile of an opened image, or of the page that it stands at."""
    tags = getattr(image, "tag_v2", None)
    profile = image.info.get("icc_profile") if tags is None else tags.get(_TIFF_PROFILE)
    return profile if isinstance(profile, bytes) and 0 < len(profile) <= _LARGEST_PROFILE else None


def is_foreign(profile: bytes | None) -> bool:
    """Whether an RGB picture with this profile looks different than as sRGB."""
    return profile is not None and _to_srgb(profile, "RGB") is not None


def as_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """An image of any mode as RGB."""
    if image.mode not in _MODES:
        image = image.convert("RGB")
    transform = _to_srgb(profile, image.mode) if profile else None
    if transform is None:
        return image if image.mode == "RGB" else image.convert("RGB")
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None
    return converted


def pixels_as_srgb(pixels: Pixels, profile: bytes | None) -> Pixels:
    """RGB pixels (height, width, 3): the same ones, or converted in place where that can be."""
    if pixels.ndim != 3 or not is_foreign(profile):
        return pixels
    target = pixels if pixels.flags.writeable else pixels.copy()
    rows = max(1, _BAND_PIXELS // pixels.shape[1])
    for top in range(0, pixels.shape[0], rows):
        band = Image.fromarray(np.ascontiguousarray(pixels[top : top + rows]))
        target[top : top + rows] = np.asarray(as_srgb(band, profile))
    return target


@lru_cache(maxsize=8)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """None where nothing is to be converted, or nothing can be."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != mode:
            return None
        transform = ImageCms.buildTransform(
            source,
            _SRGB,
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if mode == "RGB" and _changes_nothing(transform) else transform
    except _FAULTS:
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(9, -1, 3)
    converted = ImageCms.applyTransform(Image.fromarray(colours), transform)
    assert converted is not None
    return int(np.abs(np.asarray(converted).astype(int) - colours).max()) <= _SAME
