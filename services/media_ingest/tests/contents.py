from __future__ import annotations

import functools
import io
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from yard.media import hard_clips, synthetic

SIZE = (64, 48)


@functools.cache
def photo(number: int = 0, size: tuple[int, int] = SIZE, form: str = "JPEG") -> bytes:
    """A picture with a number."""
    target = io.BytesIO()
    Image.fromarray(synthetic.numbered_scene(number, size)).save(target, form)
    return target.getvalue()


@functools.cache
def clip(name: str = "b_frames", frames: int = 40) -> bytes:
    """A video in which frame n shows number n."""
    with TemporaryDirectory() as folder:
        return hard_clips.make_clip(name, Path(folder), frames).read_bytes()


def photos(*names: str) -> dict[str, bytes]:
    """Pictures by name, numbered as they are given."""
    return {name: photo(number) for number, name in enumerate(names)}


def animation(pages: int) -> bytes:
    """A GIF of several pictures."""
    target = io.BytesIO()
    images = [Image.new("L", (32, 24), 40 * page) for page in range(pages)]
    images[0].save(target, "GIF", save_all=True, append_images=images[1:])
    return target.getvalue()
